"""Neutral events → the stream that a client of this dialect gets."""

from __future__ import annotations

from typing import Any

import msgspec

from tierline.dialects.anthropic_messages import answer, errors
from tierline.dialects.anthropic_messages.blocks import Wire
from tierline.dialects.anthropic_messages.carried import Carried, packed
from tierline.dialects.anthropic_messages.completion import call_carrier, client_blocks, client_citation, foreign_thinking, stopped, with_id
from tierline.dialects.anthropic_messages.wire import NAME
from tierline.types.completion import (
    AnswerPart,
    Broken,
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
from tierline.types.conversation import Foreign, Media, Refusal, Text, Thinking, ToolCall
from tierline.types.outcome import NO_USAGE, Usage
from tierline.types.request import Request

_PING = b'event: ping\ndata: {"type":"ping"}\n\n'
_STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'


class MessagesEncoder:
    """Writes the first choice as message events. The stop reason waits for the count that comes after it, and nothing else waits.

    `_at` counts the blocks the client has got: a part that has no form here leaves no gap, and a carried signature is a block more."""

    __slots__ = ("_at", "_broken", "_called", "_finish", "_open", "_request", "_signature", "_usage")

    def __init__(self, request: Request) -> None:
        self._request = request
        self._at = -1
        self._open: AnswerPart | None = None
        self._signature = ""
        self._called = False
        self._broken = False
        self._finish: Finished | None = None
        self._usage: Usage = NO_USAGE

    def encode(self, event: Event) -> bytes:
        """The bytes of one event, possibly none; none at all after Broken."""
        if self._broken:
            return b""
        match event:
            case Started():
                return self._begin(event)
            case Counted():
                self._usage = event.usage
                return self._close()
            case Ping():
                return _PING
            case Ended():
                return self._close() + _STOP
            case Broken():
                self._broken = True
                return b"event: error\ndata: " + errors.broken(event.kind, event.message) + b"\n\n"
        return b"" if event.choice else self._of_choice(event)

    def _of_choice(self, event: PartStarted | PartDelta | Signed | Cited | PartEnded | Finished) -> bytes:
        match event:
            case PartDelta():
                return self._delta(event.text)
            case PartStarted():
                return self._start(event.part)
            case PartEnded():
                return self._end()
            case Signed():
                return self._sign(event.signature)
            case Cited():
                told = client_citation(event.citation) if isinstance(self._open, Text) else None
                return b"" if told is None else self._block_delta({"type": "citations_delta", "citation": told})
        self._finish = event
        return b""

    def _begin(self, event: Started) -> bytes:
        self._usage = event.usage or NO_USAGE
        message: Wire = {
            "id": event.id or f"msg_{self._request.id}",
            "type": "message",
            "role": "assistant",
            "model": self._request.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": answer.render_usage(self._usage),
        }
        return _sent("message_start", {"message": message})

    def _start(self, part: AnswerPart) -> bytes:
        """The start of a block, and what the part holds already."""
        if isinstance(part, Media) or (isinstance(part, Foreign) and part.by != NAME):
            return b""
        self._at += 1
        self._signature = ""
        block, first = self._opening(part)
        said = _sent("content_block_start", {"index": self._at, "content_block": block})
        return said + (self._delta(first) if first else b"")

    def _opening(self, part: AnswerPart) -> tuple[Wire, str]:
        """The block as it starts, and its first words."""
        match part:
            case Refusal():
                self._open = Text("")
                return {"type": "text", "text": ""}, part.text
            case Text():
                self._open = part
                return {**client_blocks(msgspec.structs.replace(part, text=""), "")[0]}, part.text
            case ToolCall():
                self._called = True
                self._open = call = with_id(part, f"{self._request.id}_{self._at}")
                self._signature = part.signature
                empty = msgspec.structs.replace(call, arguments="{}", signature="")
                return client_blocks(empty, "")[0], "" if part.arguments == "{}" else part.arguments
            case Thinking() if part.sealed and not part.text:
                self._open = Text("")
                return (foreign_thinking(part) if part.by != NAME else client_blocks(part, "")[0]), ""
            case Thinking():
                self._open = part
                self._signature = part.signature
                return {"type": "thinking", "thinking": "", "signature": ""}, part.text
        self._open = part
        return client_blocks(part, "")[0], ""

    def _delta(self, text: str) -> bytes:
        match self._open:
            case Text():
                return self._block_delta({"type": "text_delta", "text": text})
            case ToolCall():
                return self._block_delta({"type": "input_json_delta", "partial_json": text})
            case Thinking():
                return self._block_delta({"type": "thinking_delta", "thinking": text})
            case Foreign():
                return self._block_delta(msgspec.Raw(text.encode()))
        return b""

    def _sign(self, signature: str) -> bytes:
        """Anthropic's own signature goes out at once; another dialect's is carried when the part ends."""
        if isinstance(self._open, Thinking) and self._open.by == NAME:
            return self._block_delta({"type": "signature_delta", "signature": signature})
        self._signature = signature
        return b""

    def _end(self) -> bytes:
        part, self._open = self._open, None
        if part is None:
            return b""
        said = b""
        if isinstance(part, Thinking) and part.by != NAME:
            self._open = part
            carrier = packed(Carried(part.by, part.id, self._signature, part.sealed))
            said, self._open = self._block_delta({"type": "signature_delta", "signature": carrier}), None
        elif isinstance(part, Thinking) and self._signature:
            said = self._block_delta({"type": "signature_delta", "signature": self._signature})
        said += _sent("content_block_stop", {"index": self._at})
        if isinstance(part, ToolCall):
            carrier_block = call_carrier(msgspec.structs.replace(part, signature=self._signature))
            if carrier_block is not None:
                self._at += 1
                said += _sent("content_block_start", {"index": self._at, "content_block": carrier_block})
                said += _sent("content_block_stop", {"index": self._at})
        return said

    def _block_delta(self, delta: Any) -> bytes:
        return _sent("content_block_delta", {"index": self._at, "delta": delta})

    def _close(self) -> bytes:
        """The stop reason and the count, once."""
        finish, self._finish = self._finish, None
        if finish is None:
            return b""
        delta = stopped(finish.finish, finish.stop_sequence, self._called)
        return _sent("message_delta", {"delta": delta, "usage": answer.render_usage(self._usage)})


def _sent(kind: str, fields: Wire) -> bytes:
    return b"event: " + kind.encode() + b"\ndata: " + msgspec.json.encode({"type": kind, **fields}) + b"\n\n"
