"""An upstream's stream on its way to a client of the same dialect: its bytes go on untouched, and as little as possible is parsed."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from tierline.dialects.sse import Framer, Framing, data_of, events, is_json, sound
from tierline.types.errors import ProviderFailure


class PassingReader:
    """What the readers of all dialects share. Until the first content every event is parsed; later only those that are notable.

    `kind` is what the dialect's events are, in the words of an error: `a chat completion chunk`; `inside` finds the failure that an
    event's data tell of. Bytes of an event that has not ended are held back (at most `sse.MAX_EVENT`)."""

    __slots__ = ("_framer", "_inside", "_kind", "content", "done", "error", "finish", "output_chars", "served_model")

    def __init__(self, kind: str, inside: Callable[[bytes], ProviderFailure | None], framer: Framing | None = None) -> None:
        self._kind, self._inside = kind, inside
        self._framer = framer or Framer()
        self.content = False
        self.finish = ""
        self.done = False
        self.error: ProviderFailure | None = None
        self.served_model = ""
        self.output_chars = 0

    def feed(self, chunk: bytes) -> bytes:
        """Takes a piece of the upstream's bytes and returns the bytes to send on; nothing after an error."""
        if self.error is not None:
            return b""
        try:
            whole = self._framer.whole(chunk)
        except ProviderFailure as failure:
            self.error = failure
            return b""
        if not whole:
            return b""
        if self.content and not self._notable(whole) and sound(whole):
            self._count(whole)
            return whole
        return b"".join([event for event in events(whole) if self._passes(event)])

    def finished(self) -> bytes:
        """The last event, if only its blank line was missing; half an event is dropped, as the standard says. Sets `error` when what
        came was no event stream at all."""
        held = self._framer.rest()
        if self._failed():
            return b""
        data = data_of(held)
        passes = bool(data) and is_json(data) and self._passes(held)
        if not (self._failed() or self._begun()):
            self.error = self._inside(held) or ProviderFailure("malformed", "the upstream's answer is no event stream")
        return held.rstrip(b"\r\n") + b"\n\n" if passes and not self._failed() else b""

    def _failed(self) -> bool:
        return self.error is not None

    def _passes(self, event: bytes) -> bool:
        """Takes note of one event; whether it is to be sent on."""
        if self.error is not None:
            return False
        data = data_of(event)
        if not data:
            return True
        if self.content and not self._notable(event) and is_json(data):
            self._count(event)
            return True
        try:
            return self._read(event, data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self.error = self._inside(data) or ProviderFailure("malformed", f"the upstream sent an event that is not {self._kind}")
            return False

    def _begun(self) -> bool:
        """Whether anything of this dialect has come."""
        return bool(self.done or self.content or self.finish or self.served_model)

    def _fails(self, data: bytes) -> bool:
        """Keeps the error that the upstream sent; False, for it is not sent on."""
        self.error = self._inside(data) or ProviderFailure("server", "the upstream sent an error inside the stream")
        return False

    def _notable(self, data: bytes) -> bool:
        """Whether an end, a count or an error may stand in one event or several; words that only look so are parsed and found out."""
        raise NotImplementedError

    def _count(self, data: bytes) -> None:
        """Takes note of events that hold content only."""
        raise NotImplementedError

    def _read(self, event: bytes, data: bytes) -> bool:
        """Parses one event, whose data these are, and takes note of it; whether it is to be sent on. Raises DecodeError."""
        raise NotImplementedError
