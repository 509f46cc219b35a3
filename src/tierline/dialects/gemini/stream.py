"""One upstream stream as it passes: its bytes go on untouched, and as little as possible is parsed."""

from __future__ import annotations

import re
from contextlib import suppress

import msgspec

from tierline.dialects.gemini import errors
from tierline.dialects.gemini.answer import ROUTED, blocked, finish_of, spoken, usage
from tierline.dialects.gemini.array import Frames
from tierline.dialects.gemini.wire import SeenAnswer, SeenCandidate, SeenUsage, told
from tierline.dialects.sse import data_of, events, is_json, sound
from tierline.types.errors import ProviderFailure
from tierline.types.outcome import Usage

_seen = msgspec.json.Decoder(SeenAnswer)
_counted = msgspec.json.Decoder(SeenUsage)
_WORDS = re.compile(rb'"text"\s*:\s*"([^"\\]*(?:\\.[^"\\]*)*)"')
_NOTABLE = re.compile(rb'"(?:finishReason|error|blockReason)"')
_ARGUMENTS = re.compile(rb'"args"\s*:\s*\{([^}]*)\}')


class GeminiReader:
    """Reads a stream of GenerateContentResponses. Until the first content every event is parsed; later only those with a stop reason, a
    refused prompt or an error. Google counts in every event: the last count is read when somebody asks for it.

    There is no end marker: the stream is `done` when a stop reason has come. An array of responses is passed on as events.
    Bytes of an event that has not ended are held back (at most `sse.MAX_EVENT`)."""

    __slots__ = ("_called", "_frames", "_uncounted", "_usage", "content", "done", "error", "finish", "output_chars", "served_model")

    def __init__(self) -> None:
        self._frames = Frames()
        self._called = False
        self._uncounted = b""
        self._usage: Usage | None = None
        self.content = False
        self.finish = ""
        self.done = False
        self.error: ProviderFailure | None = None
        self.served_model = ""
        self.output_chars = 0

    @property
    def usage(self) -> Usage | None:
        """The upstream's own count, as far as it has come."""
        if self._uncounted:
            last = next(event for event in reversed(events(self._uncounted)) if b'"usageMetadata"' in event)
            self._uncounted = b""
            with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                self._usage = usage(_counted.decode(data_of(last)).usage_metadata) or self._usage
        return self._usage

    def feed(self, chunk: bytes) -> bytes:
        """Takes a piece of the upstream's bytes and returns the bytes to send on; nothing after an error."""
        if self.error is not None:
            return b""
        try:
            whole = self._frames.whole(chunk)
        except ProviderFailure as failure:
            self.error = failure
            return b""
        if not whole:
            return b""
        if self.content and not _notable(whole) and sound(whole):
            self._pass(whole)
            return whole
        return b"".join([event for event in events(whole) if self._passes(event)])

    def finished(self) -> bytes:
        """The last event, if only its blank line was missing; half an event is dropped. Sets `error` when what came was no stream."""
        held = self._frames.rest()
        if self.error is not None:
            return b""
        passes = bool(held) and _is_whole(held) and self._passes(held)
        if not self._failed() and not (self.content or self.finish or self.served_model or self.usage):
            self.error = errors.inside(held) or ProviderFailure("malformed", "the upstream's answer is no event stream")
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
        if self.content and not _notable(event) and is_json(data):
            self._pass(event)
            return True
        try:
            self._read(event, _seen.decode(data), data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self.error = errors.inside(data) or ProviderFailure("malformed", "the upstream sent an event that is no Gemini response")
        return self.error is None

    def _pass(self, whole: bytes) -> None:
        """Takes note of events with content only."""
        self._count(whole)
        if b'"usageMetadata"' in whole:
            self._uncounted = whole

    def _read(self, event: bytes, seen: SeenAnswer, data: bytes) -> None:
        if told(seen.error):
            self.error = errors.inside(data) or ProviderFailure("server", "the upstream sent an error inside the stream")
            return
        self.served_model = seen.model_version or self.served_model
        if (counted := usage(seen.usage_metadata)) is not None:
            self._usage, self._uncounted = counted, b""
        if blocked(seen.prompt_feedback) and not seen.candidates:
            self.finish, self.done = "content_filter", True
        for candidate in seen.candidates or ():
            self._candidate(candidate)
        self._count(event)

    def _candidate(self, candidate: SeenCandidate) -> None:
        parts = (candidate.content.parts or []) if candidate.content is not None else []
        self.content = self.content or any(spoken(part) for part in parts)
        self._called = self._called or any(told(part.function_call) for part in parts)
        if candidate.finish_reason and (not candidate.index or not self.finish):
            finish = finish_of(candidate.finish_reason, self._called)
            self.finish, self.done = ROUTED.get(finish, finish), True

    def _count(self, event: bytes) -> None:
        for words in _WORDS.findall(event):
            self.output_chars += len(words)
        if b'"functionCall"' in event:
            self._called = True
            for arguments in _ARGUMENTS.findall(event):
                self.output_chars += len(arguments)


def _is_whole(event: bytes) -> bool:
    """Whether the data of an event that nothing closed is complete."""
    try:
        msgspec.json.decode(data_of(event), type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _notable(data: bytes) -> bool:
    """Whether a stop reason, a refused prompt or an error may stand in it; words that only look so are parsed and found out."""
    return _NOTABLE.search(data) is not None
