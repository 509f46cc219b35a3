"""One upstream stream as it passes: its bytes go on untouched, and as little as possible is parsed."""

from __future__ import annotations

import re

import msgspec

from tierline.dialects.openai_responses import answer, errors
from tierline.dialects.openai_responses.wire import WireResponse
from tierline.dialects.sse import Framer, data_of, events, is_json, sound
from tierline.types.errors import ProviderFailure
from tierline.types.outcome import Usage


class _Passing(msgspec.Struct):
    """What is read of an event on its way."""

    type: str = ""
    response: WireResponse | None = None


_passing = msgspec.json.Decoder(_Passing)
_WORDS = re.compile(rb'"delta"\s*:\s*"([^"\\]*(?:\\.[^"\\]*)*)"')
_ERROR = re.compile(rb'"type"\s*:\s*"error"')
_SILENT = frozenset(
    {
        "response.created",
        "response.queued",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.reasoning_summary_part.added",
        "response.completed",
        "response.incomplete",
    }
)
"""Events that bring no content; the item of an `output_item.added` is only a promise."""
_LAST = frozenset({"response.completed", "response.incomplete"})


class ResponsesReader:
    """Reads a stream of response events. Until the first content every event is parsed; later only the last one and errors.

    Bytes of an event that has not ended are held back (at most `sse.MAX_EVENT`)."""

    __slots__ = ("_framer", "content", "done", "error", "finish", "output_chars", "served_model", "usage")

    def __init__(self) -> None:
        self._framer = Framer()
        self.content = False
        self.usage: Usage | None = None
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
        if self.content and not _notable(whole) and sound(whole):
            self._count(whole)
            return whole
        return b"".join([event for event in events(whole) if self._passes(event)])

    def finished(self) -> bytes:
        """The bytes still held back. Sets `error` when what came was no event stream at all."""
        held, self._framer.held = self._framer.held, b""
        if self.error is not None or (held and not self._passes(held)):
            return b""
        if not (self.done or self.content or self.served_model):
            self.error = errors.inside(held) or ProviderFailure("malformed", "the upstream's answer is no event stream")
            return b""
        return held

    def _passes(self, event: bytes) -> bool:
        """Takes note of one event; whether it is to be sent on."""
        if self.error is not None:
            return False
        data = data_of(event)
        if not data or data == b"[DONE]":
            return True
        if self.content:
            self._count(event)
            if not _notable(event) and is_json(data):
                return True
        return self._read(event, data)

    def _read(self, event: bytes, data: bytes) -> bool:
        try:
            passing = _passing.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self.error = errors.inside(data) or ProviderFailure("malformed", "the upstream sent an event that is none of a response")
            return False
        if passing.type == "error" or (not passing.type and b'"error"' in data):
            self.error = errors.failure(data)
            return False
        response = passing.response
        if response is not None:
            return self._passes_response(passing.type, response)
        if not self.content and passing.type.startswith("response.") and passing.type not in _SILENT:
            self.content = True
            self._count(event)
        return True

    def _passes_response(self, kind: str, response: WireResponse) -> bool:
        if response.model:
            self.served_model = response.model
        if kind == "response.failed" or bytes(response.error) not in (b"", b"null"):
            self.error = errors.failure(response.error)
            return False
        if kind in _LAST:
            self.done = True
            self.usage = answer.usage(response.usage) or self.usage
            self.finish = answer.finish_of(response, called=answer.called(response.output or []), refused=False)
        return True

    def _count(self, event: bytes) -> None:
        for words in _WORDS.findall(event):
            self.output_chars += len(words)


def _notable(data: bytes) -> bool:
    """Whether the end or an error stands in it: plain searches are quicker than one alternation."""
    return (
        b"response.completed" in data
        or b"response.incomplete" in data
        or b"response.failed" in data
        or (b"error" in data and _ERROR.search(data) is not None)
    )
