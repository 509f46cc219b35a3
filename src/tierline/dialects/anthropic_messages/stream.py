"""A stream of messages as it passes to a client of this dialect."""

from __future__ import annotations

import re

import msgspec

from tierline.dialects.anthropic_messages import errors
from tierline.dialects.anthropic_messages.answer import FINISH, ROUTED, usage
from tierline.dialects.anthropic_messages.wire import Block, StreamDelta, StreamEvent
from tierline.dialects.passing import PassingReader
from tierline.types.outcome import Usage

_event = msgspec.json.Decoder(StreamEvent)
_delta = msgspec.json.Decoder(StreamDelta)
_block = msgspec.json.Decoder(Block)
_WORDS = re.compile(rb'"(?:text|thinking|partial_json)"\s*:\s*"([^"\\]*(?:\\.[^"\\]*)*)"')
_EMPTY_AT_FIRST = ("text", "thinking")
_CHARS_PER_TOKEN = 4


class MessagesReader(PassingReader):
    """Reads a stream of message events.

    Until the last count has come, `usage` holds the input tokens that the first event told, with an output estimated from what
    has passed: what a stream that is cut did cost."""

    __slots__ = ("_opening", "usage")

    def __init__(self) -> None:
        super().__init__("one of a message", errors.inside)
        self._opening: Usage | None = None
        self.usage: Usage | None = None

    def _notable(self, data: bytes) -> bool:
        """Plain searches for the message's end, its count and errors are quick."""
        return b"message_delta" in data or b"message_stop" in data or b'"error"' in data

    def _read(self, event: bytes, data: bytes) -> bool:
        read = _event.decode(data)
        if read.type == "error" or bytes(read.error) not in (b"", b"null"):
            return self._fails(data)
        if read.type == "message_start" and read.message is not None:
            self.served_model = read.message.model or ""
            self._opening = usage(read.message.usage)
        elif read.type == "content_block_start":
            self.content = self.content or _block.decode(read.content_block).type not in _EMPTY_AT_FIRST
        elif read.type == "content_block_delta":
            delta = _delta.decode(read.delta)
            self.content = self.content or bool(delta.text or delta.thinking or delta.partial_json)
            self._count(event)
        elif read.type == "message_delta":
            self._closing(read)
        elif read.type == "message_stop":
            self.done = True
        return True

    def _closing(self, read: StreamEvent) -> None:
        stop = _delta.decode(read.delta).stop_reason if bytes(read.delta) else None
        if stop:
            finish = FINISH.get(stop, "stop")
            self.finish = ROUTED.get(finish, finish)
        told = usage(read.usage, self._opening)
        if told is not None:
            self.usage, self._opening = told, told

    def _count(self, data: bytes) -> None:
        for words in _WORDS.findall(data):
            self.output_chars += len(words)
        if self._opening is not None and not self.finish:
            output = -(-self.output_chars // _CHARS_PER_TOKEN)
            self.usage = msgspec.structs.replace(self._opening, output=output, estimated=True)
