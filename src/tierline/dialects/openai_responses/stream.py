"""A stream of response events as it passes to a client of this dialect."""

from __future__ import annotations

import re

import msgspec

from tierline.dialects.openai_responses import answer, errors
from tierline.dialects.openai_responses.wire import WireResponse
from tierline.dialects.passing import PassingReader
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


class ResponsesReader(PassingReader):
    """Reads a stream of response events."""

    __slots__ = ("usage",)

    def __init__(self) -> None:
        super().__init__("one of a response", errors.inside)
        self.usage: Usage | None = None

    def _notable(self, data: bytes) -> bool:
        """Whether the end or an error stands in it: plain searches are quicker than one alternation."""
        return (
            b"response.completed" in data
            or b"response.incomplete" in data
            or b"response.failed" in data
            or (b"error" in data and _ERROR.search(data) is not None)
        )

    def _read(self, event: bytes, data: bytes) -> bool:
        if data == b"[DONE]":
            return True
        if self.content:
            self._count(event)
        passing = _passing.decode(data)
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

    def _count(self, data: bytes) -> None:
        for words in _WORDS.findall(data):
            self.output_chars += len(words)
