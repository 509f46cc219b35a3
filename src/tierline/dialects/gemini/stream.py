"""A stream of Gemini responses as it passes to a client of this dialect."""

from __future__ import annotations

import re
from contextlib import suppress

import msgspec

from tierline.dialects.gemini import errors
from tierline.dialects.gemini.answer import ROUTED, blocked, finish_of, spoken, usage
from tierline.dialects.gemini.array import Frames
from tierline.dialects.gemini.wire import SeenAnswer, SeenCandidate, SeenUsage, told
from tierline.dialects.passing import PassingReader
from tierline.dialects.sse import data_of, events
from tierline.types.outcome import Usage

_seen = msgspec.json.Decoder(SeenAnswer)
_counted = msgspec.json.Decoder(SeenUsage)
_WORDS = re.compile(rb'"text"\s*:\s*"([^"\\]*(?:\\.[^"\\]*)*)"')
_NOTABLE = re.compile(rb'"(?:finishReason|error|blockReason)"')
_ARGUMENTS = re.compile(rb'"args"\s*:\s*\{([^}]*)\}')


class GeminiReader(PassingReader):
    """Reads a stream of GenerateContentResponses. Google counts in every event: the last count is read when somebody asks for it.

    There is no end marker: the stream is `done` when a stop reason has come. An array of responses is passed on as events."""

    __slots__ = ("_called", "_uncounted", "_usage")

    def __init__(self) -> None:
        super().__init__("a Gemini response", errors.inside, Frames())
        self._called = False
        self._uncounted = b""
        self._usage: Usage | None = None

    @property
    def usage(self) -> Usage | None:
        """The upstream's own count, as far as it has come."""
        if self._uncounted:
            last = next(event for event in reversed(events(self._uncounted)) if b'"usageMetadata"' in event)
            self._uncounted = b""
            with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                self._usage = usage(_counted.decode(data_of(last)).usage_metadata) or self._usage
        return self._usage

    def _begun(self) -> bool:
        return super()._begun() or self.usage is not None

    def _notable(self, data: bytes) -> bool:
        return _NOTABLE.search(data) is not None

    def _read(self, event: bytes, data: bytes) -> bool:
        seen = _seen.decode(data)
        if told(seen.error):
            return self._fails(data)
        self.served_model = seen.model_version or self.served_model
        if (counted := usage(seen.usage_metadata)) is not None:
            self._usage, self._uncounted = counted, b""
        if blocked(seen.prompt_feedback) and not seen.candidates:
            self.finish, self.done = "content_filter", True
        for candidate in seen.candidates or ():
            self._candidate(candidate)
        self._heard(event)
        return True

    def _count(self, data: bytes) -> None:
        self._heard(data)
        if b'"usageMetadata"' in data:
            self._uncounted = data

    def _candidate(self, candidate: SeenCandidate) -> None:
        parts = (candidate.content.parts or []) if candidate.content is not None else []
        self.content = self.content or any(spoken(part) for part in parts)
        self._called = self._called or any(told(part.function_call) for part in parts)
        if candidate.finish_reason and (not candidate.index or not self.finish):
            finish = finish_of(candidate.finish_reason, self._called)
            self.finish, self.done = ROUTED.get(finish, finish), True

    def _heard(self, event: bytes) -> None:
        for words in _WORDS.findall(event):
            self.output_chars += len(words)
        if b'"functionCall"' in event:
            self._called = True
            for arguments in _ARGUMENTS.findall(event):
                self.output_chars += len(arguments)
