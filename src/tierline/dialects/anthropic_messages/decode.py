"""An upstream's stream → neutral events, one by one."""

from __future__ import annotations

import msgspec

from tierline.dialects.anthropic_messages import answer, errors
from tierline.dialects.anthropic_messages.completion import answer_part
from tierline.dialects.anthropic_messages.parts import citation_of, part_of
from tierline.dialects.anthropic_messages.wire import NAME, StreamDelta, StreamEvent
from tierline.dialects.decoding import EventDecoder
from tierline.dialects.sse import data_of
from tierline.types.completion import (
    AnswerPart,
    Cited,
    Counted,
    Ended,
    Event,
    Finished,
    PartDelta,
    PartEnded,
    PartStarted,
    Ping,
    Signed,
    Started,
)
from tierline.types.conversation import Foreign, Thinking, ToolCall
from tierline.types.errors import ProviderFailure
from tierline.types.outcome import Usage

_event = msgspec.json.Decoder(StreamEvent)
_delta = msgspec.json.Decoder(StreamDelta)
_NULL = (b"", b"null")


class MessagesDecoder(EventDecoder):
    """Reads one stream of message events. Blocks that only Anthropic knows keep their deltas as Anthropic's own JSON."""

    __slots__ = ("_begun", "_foreign", "_usage")

    def __init__(self) -> None:
        super().__init__()
        self._begun = False
        self._usage: Usage | None = None
        self._foreign: int | None = None

    def finished(self) -> list[Event]:
        """What is still to be said at the end of file: Broken (`cut`) without the message's own end."""
        if self._over:
            return []
        held = self._framer.rest()
        if not self._begun:
            return self._broken(errors.inside(held) or ProviderFailure("malformed", "the upstream's answer is no event stream"))
        found = self._last(held)
        if not self._over:
            found.extend(self._broken(ProviderFailure("cut", "the upstream closed the stream before its end")))
        return found

    def _read(self, event: bytes) -> list[Event]:
        data = data_of(event)
        if not data:
            return []
        try:
            return self._events(_event.decode(data), data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise errors.inside(data) or ProviderFailure("malformed", "the upstream sent an event that is none of a message") from None

    def _events(self, wire: StreamEvent, data: bytes) -> list[Event]:
        if wire.type == "error" or bytes(wire.error) not in _NULL:
            raise errors.inside(data) or ProviderFailure("server", "the upstream sent an error inside the stream")
        self._begun = True
        match wire.type:
            case "content_block_delta":
                return self._delta(wire)
            case "content_block_start":
                return [PartStarted(wire.index, self._part(wire))]
            case "content_block_stop":
                self._foreign = None
                return [PartEnded(wire.index)]
            case "message_start" if wire.message is not None:
                self._usage = answer.usage(wire.message.usage)
                return [Started(wire.message.id, wire.message.model or "", usage=self._usage)]
            case "message_delta":
                return self._closing(wire)
            case "message_stop":
                self._over = True
                return [Ended()]
            case "ping":
                return [Ping()]
        return []

    def _part(self, wire: StreamEvent) -> AnswerPart:
        part = answer_part(part_of(bytes(wire.content_block)))
        if isinstance(part, Foreign):
            self._foreign = wire.index
        if isinstance(part, ToolCall) and msgspec.json.decode(part.arguments) == {}:
            return msgspec.structs.replace(part, arguments="")
        if isinstance(part, Thinking) and not (part.signature or part.sealed):
            return msgspec.structs.replace(part, by=NAME)
        return part

    def _delta(self, wire: StreamEvent) -> list[Event]:
        if self._foreign == wire.index:
            return [PartDelta(wire.index, bytes(wire.delta).decode())]
        delta = _delta.decode(wire.delta)
        match delta.type:
            case "text_delta":
                return [PartDelta(wire.index, delta.text or "")]
            case "input_json_delta":
                return [PartDelta(wire.index, delta.partial_json or "")]
            case "thinking_delta":
                return [PartDelta(wire.index, delta.thinking or "")]
            case "signature_delta":
                return [Signed(wire.index, delta.signature or "")]
            case "citations_delta":
                return [Cited(wire.index, citation_of(bytes(delta.citation)))]
        return []

    def _closing(self, wire: StreamEvent) -> list[Event]:
        told: list[Event] = []
        delta = _delta.decode(wire.delta) if bytes(wire.delta) not in _NULL else StreamDelta()
        if delta.stop_reason:
            told.append(Finished(answer.FINISH.get(delta.stop_reason, "stop"), delta.stop_sequence or ""))
        usage = answer.usage(wire.usage, self._usage)
        if usage is not None:
            self._usage = usage
            told.append(Counted(usage))
        return told
