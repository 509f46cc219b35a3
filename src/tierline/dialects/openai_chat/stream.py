"""One upstream stream as it passes: its bytes go on untouched, and as little as possible is parsed."""

from __future__ import annotations

import re

import msgspec

from tierline.dialects.openai_chat import errors
from tierline.dialects.openai_chat.answer import FINISH, usage
from tierline.dialects.openai_chat.wire import Chunk, Delta
from tierline.dialects.sse import Framer, data_of, events, is_json, sound
from tierline.types.errors import ProviderFailure
from tierline.types.outcome import Usage

_chunk = msgspec.json.Decoder(Chunk)
_USAGE = re.compile(rb'"usage"\s*:\s*\{')
_FINISH = re.compile(rb'"finish_reason"\s*:\s*"')
_WORDS = re.compile(rb'"(?:content|arguments|refusal|reasoning_content|reasoning)"\s*:\s*"([^"\\]*(?:\\.[^"\\]*)*)"')
_NULL = (b"", b"null")


class ChatReader:
    """Reads a stream of chat completion chunks. Until the first content every event is parsed; later only those that carry
    usage, an error, a stop reason or the end. `keep_usage`: the client asked for the usage chunk; else it is filtered out.

    Bytes of an event that has not ended are held back (at most `sse.MAX_EVENT`)."""

    __slots__ = ("_framer", "_keep_usage", "content", "done", "error", "finish", "output_chars", "served_model", "usage")

    def __init__(self, *, keep_usage: bool) -> None:
        self._framer = Framer()
        self._keep_usage = keep_usage
        self.content = False
        self.usage: Usage | None = None
        self.finish = ""
        self.done = False
        self.error: ProviderFailure | None = None
        self.served_model = ""
        self.output_chars = 0

    def feed(self, chunk: bytes) -> bytes:
        """Takes a piece of the upstream's bytes and returns the bytes to send on; nothing after an error."""
        if self._failed():
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
        """The last event, if only its blank line was missing; half an event is dropped, as the standard says. Sets `error` when what
        came was no event stream at all."""
        held, self._framer.held = self._framer.held, b""
        if self._failed():
            return b""
        passes = bool(held) and _is_whole(held) and self._passes(held)
        if not (self._failed() or self.done or self.content or self.finish or self.served_model):
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
        if data == b"[DONE]":
            self.done = True
            return True
        if self.content:
            self._count(event)
            if not _notable(event) and is_json(data):
                return True
        return self._read(event, data)

    def _read(self, event: bytes, data: bytes) -> bool:
        try:
            chunk = _chunk.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self.error = errors.inside(data) or ProviderFailure("malformed", "the upstream sent an event that is no chat completion chunk")
            return False
        if bytes(chunk.error) not in _NULL:
            self.error = errors.inside(data) or ProviderFailure("server", "the upstream sent an error inside the stream")
            return False
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

    def _count(self, event: bytes) -> None:
        for words in _WORDS.findall(event):
            self.output_chars += len(words)


def _is_whole(event: bytes) -> bool:
    """Whether the data of an event that nothing closed is complete."""
    data = data_of(event)
    if data == b"[DONE]":
        return True
    try:
        msgspec.json.decode(data, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _notable(data: bytes) -> bool:
    """Whether usage, an error, a stop reason or the end stands in it: four plain searches are quicker than one alternation."""
    return b'"error"' in data or b"[DONE]" in data or _USAGE.search(data) is not None or _FINISH.search(data) is not None


def _has_content(delta: Delta) -> bool:
    spoken = delta.content or delta.refusal or delta.reasoning_content or delta.reasoning
    return bool(spoken) or any(bytes(raw) not in (b"", b"null", b"[]") for raw in (delta.tool_calls, delta.function_call, delta.audio))
