"""A stream of chat completion chunks as it passes to a client of this dialect."""

from __future__ import annotations

import re

import msgspec

from tierline.dialects.openai_chat import errors
from tierline.dialects.openai_chat.answer import FINISH, usage
from tierline.dialects.openai_chat.wire import Chunk, Delta
from tierline.dialects.passing import PassingReader
from tierline.types.outcome import Usage

_chunk = msgspec.json.Decoder(Chunk)
_USAGE = re.compile(rb'"usage"\s*:\s*\{')
_FINISH = re.compile(rb'"finish_reason"\s*:\s*"')
_WORDS = re.compile(rb'"(?:content|arguments|refusal|reasoning_content|reasoning)"\s*:\s*"([^"\\]*(?:\\.[^"\\]*)*)"')
_NULL = (b"", b"null")


class ChatReader(PassingReader):
    """Reads a stream of chat completion chunks. `keep_usage`: the client asked for the usage chunk; else it is filtered out."""

    __slots__ = ("_keep_usage", "usage")

    def __init__(self, *, keep_usage: bool) -> None:
        super().__init__("a chat completion chunk", errors.inside)
        self._keep_usage = keep_usage
        self.usage: Usage | None = None

    def _notable(self, data: bytes) -> bool:
        """Whether usage, an error, a stop reason or the end stands in it: four plain searches are quicker than one alternation."""
        return b'"error"' in data or b"[DONE]" in data or _USAGE.search(data) is not None or _FINISH.search(data) is not None

    def _read(self, event: bytes, data: bytes) -> bool:
        if data == b"[DONE]":
            self.done = True
            return True
        if self.content:
            self._count(event)
        chunk = _chunk.decode(data)
        if bytes(chunk.error) not in _NULL:
            return self._fails(data)
        if chunk.model:
            self.served_model = chunk.model
        told = usage(chunk.usage)
        if told is not None:
            self.usage = told
        for choice in chunk.choices or ():
            if choice.finish_reason and (choice.index == 0 or not self.finish):
                self.finish = FINISH.get(choice.finish_reason, "stop")
            if not self.content and choice.delta is not None and _has_content(choice.delta):
                self.content = True
                self._count(event)
        return bool(self._keep_usage or chunk.choices or told is None)

    def _count(self, data: bytes) -> None:
        for words in _WORDS.findall(data):
            self.output_chars += len(words)


def _has_content(delta: Delta) -> bool:
    spoken = delta.content or delta.refusal or delta.reasoning_content or delta.reasoning
    return bool(spoken) or any(bytes(raw) not in (b"", b"null", b"[]") for raw in (delta.tool_calls, delta.function_call, delta.audio))
