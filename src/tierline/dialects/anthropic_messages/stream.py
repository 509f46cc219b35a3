"""One upstream stream as it passes: its bytes go on untouched, and as little as possible is parsed."""

from __future__ import annotations

import re

import msgspec

from tierline.dialects.anthropic_messages import errors
from tierline.dialects.anthropic_messages.answer import FINISH, ROUTED, usage
from tierline.dialects.anthropic_messages.wire import Block, StreamDelta, StreamEvent
from tierline.dialects.sse import Framer, data_of, events, is_json, sound
from tierline.types.errors import ProviderFailure
from tierline.types.outcome import Usage

_event = msgspec.json.Decoder(StreamEvent)
_delta = msgspec.json.Decoder(StreamDelta)
_block = msgspec.json.Decoder(Block)
_WORDS = re.compile(rb'"(?:text|thinking|partial_json)"\s*:\s*"([^"\\]*(?:\\.[^"\\]*)*)"')
_EMPTY_AT_FIRST = ("text", "thinking")
_CHARS_PER_TOKEN = 4


class MessagesReader:
    """Reads a stream of message events. Until the first content every event is parsed; later only the message's last ones and errors.

    Until the last count has come, `usage` holds the input tokens that the first event told, with an output estimated from what
    has passed: what a stream that is cut did cost. Bytes of an event that has not ended are held back (at most `sse.MAX_EVENT`)."""

    __slots__ = ("_framer", "_opening", "content", "done", "error", "finish", "output_chars", "served_model", "usage")

    def __init__(self) -> None:
        self._framer = Framer()
        self._opening: Usage | None = None
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
        if self.error is not None:
            return b""
        if held and not self._passes(held):
            return b""
        if not (self.done or self.content or self.finish or self.served_model):
            self.error = errors.inside(held) or ProviderFailure("malformed", "the upstream's answer is no event stream")
            return b""
        return held

    def _passes(self, event: bytes) -> bool:
        """Takes note of one event; whether it is to be sent on."""
        if self.error is not None:
            return False
        data = data_of(event)
        if not data:
            return True
        if self.content and not _notable(event) and is_json(data):
            self._count(event)
            return True
        try:
            self._read(event, _event.decode(data))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self.error = errors.inside(data) or ProviderFailure("malformed", "the upstream sent an event that is none of a message")
        return self.error is None

    def _read(self, event: bytes, read: StreamEvent) -> None:
        if read.type == "error" or bytes(read.error) not in (b"", b"null"):
            self.error = errors.inside(data_of(event)) or ProviderFailure("server", "the upstream sent an error inside the stream")
        elif read.type == "message_start" and read.message is not None:
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

    def _closing(self, read: StreamEvent) -> None:
        stop = _delta.decode(read.delta).stop_reason if bytes(read.delta) else None
        if stop:
            finish = FINISH.get(stop, "stop")
            self.finish = ROUTED.get(finish, finish)
        told = usage(read.usage, self._opening)
        if told is not None:
            self.usage, self._opening = told, told

    def _count(self, event: bytes) -> None:
        for words in _WORDS.findall(event):
            self.output_chars += len(words)
        if self._opening is not None and not self.finish:
            output = -(-self.output_chars // _CHARS_PER_TOKEN)
            self.usage = msgspec.structs.replace(self._opening, output=output, estimated=True)


def _notable(data: bytes) -> bool:
    """Whether the message's end, its count or an error may stand in it: plain searches are quick, and words that only look so are
    parsed and found out."""
    return b"message_delta" in data or b"message_stop" in data or b'"error"' in data
