"""Neutral events → the stream that a client of this dialect gets."""

from __future__ import annotations

from typing import Any

import msgspec

from tierline.dialects.custom_tools import TextOfArguments
from tierline.dialects.openai_chat import errors
from tierline.dialects.openai_chat.carried import FIELD, Carrier
from tierline.dialects.openai_chat.citations import annotation_of
from tierline.dialects.openai_chat.client import Client
from tierline.dialects.openai_chat.completion import image_of, usage_of, wire_finish
from tierline.dialects.openai_chat.finer import NAME
from tierline.dialects.openai_chat.parts import Wire
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
from tierline.types.errors import UpstreamFailed
from tierline.types.request import Request

_encode = msgspec.json.Encoder().encode
_PING = b": ping\n\n"
_DONE = b"data: [DONE]\n\n"


class ChatEncoder:
    """Writes one stream: the role first, every piece as it comes, the stop reason, the usage where the client asked for it, `[DONE]`."""

    __slots__ = ("_choices", "_client", "_head", "_over", "_request", "_tail")

    def __init__(self, request: Request) -> None:
        self._request = request
        self._client = Client(request)
        self._tail = b',"usage":null}\n\n' if self._client.wants_usage else b"}\n\n"
        self._choices: dict[int, _Choice] = {}
        self._over = False
        self._begin(Started())

    def encode(self, event: Event) -> bytes:
        """The bytes of one event, possibly none."""
        if self._over:
            return b""
        match event:
            case PartDelta() | PartStarted() | PartEnded() | Finished() | Cited() | Signed():
                return self._of_choice(event)
            case Started():
                self._begin(event)
                return self._opened(0)
            case Counted():
                return self._head + b"[]" + b',"usage":' + _encode(usage_of(event.usage)) + b"}\n\n" if self._client.wants_usage else b""
            case Ping():
                return _PING
            case Ended():
                self._over = True
                return _DONE
            case Broken():
                self._over = True
                return b"data: " + errors.render(UpstreamFailed(event.message, code=event.kind or "upstream_failed")) + b"\n\n"

    def _begin(self, event: Started) -> None:
        head = {
            "id": event.id or f"chatcmpl-{self._request.id}",
            "object": "chat.completion.chunk",
            "created": event.created,
            "model": self._request.model,
        }
        self._head = b"data: " + _encode(head)[:-1] + b',"choices":'

    def _of_choice(self, event: PartDelta | PartStarted | PartEnded | Finished | Cited | Signed) -> bytes:
        opened = b"" if event.choice in self._choices else self._opened(event.choice)
        choice = self._choices[event.choice]
        match event:
            case PartDelta():
                return opened + self._said(event.choice, choice.more(event.text), event.logprobs)
            case PartStarted():
                return opened + self._said(event.choice, choice.begin(event.part))
            case PartEnded():
                signed = choice.signed()
                return opened + self._said(event.choice, choice.end()) + self._said(event.choice, signed)
            case Signed():
                choice.signature = event.signature
                return opened
            case Cited():
                return opened + self._said(event.choice, choice.cite(event))
        stopped = {"stop_reason": event.stop_sequence} if event.stop_sequence else {}
        reason = wire_finish(event.finish, refused=choice.refused, legacy=self._client.legacy)
        return opened + self._chunk({"index": event.choice, "delta": {}, "logprobs": None, "finish_reason": reason, **stopped})

    def _opened(self, index: int) -> bytes:
        self._choices[index] = _Choice(self._client, index)
        return self._said(index, {"role": "assistant", "content": "", "refusal": None})

    def _said(self, index: int, delta: Wire | None, logprobs: bytes = b"") -> bytes:
        if delta is None and not logprobs:
            return b""
        told = msgspec.Raw(logprobs) if logprobs else None
        return self._chunk({"index": index, "delta": delta or {}, "logprobs": told, "finish_reason": None})

    def _chunk(self, choice: Wire) -> bytes:
        data = _encode([choice])
        if b"\n" in data or b"\r" in data:  # only between the tokens of JSON that was written elsewhere
            data = data.replace(b"\n", b" ").replace(b"\r", b" ")
        return self._head + data + self._tail


class _Choice:
    """What of one choice has been told: the open part, the calls so far, and how many characters of text."""

    __slots__ = (
        *("_called", "_carrier", "_client", "_custom", "_index", "_length"),
        *("_open", "_said", "_start", "_thought", "refused", "signature"),
    )

    def __init__(self, client: Client, index: int) -> None:
        self._client = client
        self._index = index
        self._open: AnswerPart | None = None
        self._called = -1
        self._custom: TextOfArguments | None = None
        self._said = False
        self._start = 0
        self._length = 0
        self._thought = 0
        self._carrier = Carrier()
        self.refused = False
        self.signature = ""

    def begin(self, part: AnswerPart) -> Wire | None:
        """The delta of a part that begins, with the words it has already."""
        self._open, self._custom, self._said = part, None, False
        self._start, self._thought = self._length, 0
        self.signature = part.signature if isinstance(part, Thinking | ToolCall) else ""
        match part:
            case ToolCall():
                return self._call(part)
            case Refusal():
                self.refused = True
                return self.more(part.text)
            case Text() | Thinking():
                return self.more(part.text)
            case Media() if part.kind == "image":
                return {"images": [image_of(part)]}
            case Foreign() if part.by == NAME:
                return {part.kind: msgspec.Raw(part.raw)}
        return None

    def more(self, text: str) -> Wire | None:
        """The delta of more words; None where there are none to tell."""
        match self._open:
            case Text() if text:
                self._length += len(text)
                return {"content": text}
            case Thinking() if text:
                self._thought += len(text)
                return {"reasoning_content": text}
            case Refusal() if text:
                return {"refusal": text}
            case ToolCall() if text:
                return self._arguments(text)
        return None

    def cite(self, event: Cited) -> Wire | None:
        """The delta of a citation."""
        told = annotation_of(event.citation, self._start, self._length - self._start) if isinstance(self._open, Text) else None
        return None if told is None else {"annotations": [told]}

    def signed(self) -> Wire | None:
        """The delta of what another dialect has signed of the part."""
        entries: list[Wire] = []
        match self._open:
            case Thinking() as part:
                entries = self._carrier.thought(part, self._thought, self.signature)
            case ToolCall() as part:
                entries = self._carrier.call(part, self._client.id_of(part, self._index, self._called), self.signature)
        return {FIELD: entries} if entries else None

    def end(self) -> Wire | None:
        """What is still to be told of a call: arguments that are no more than an empty object, or text that came in no piece."""
        part, self._open = self._open, None
        if not isinstance(part, ToolCall):
            return None
        if self._custom is not None:
            rest = self._custom.rest()
            return self._piece({"input": rest}) if rest else None
        return None if self._said else self._piece({"arguments": "{}"})

    def _call(self, part: ToolCall) -> Wire | None:
        """A call begins. A client that speaks of functions can be told of one only."""
        self._called += 1
        given = "" if part.arguments == "{}" else part.arguments
        if self._client.legacy:
            self._said = bool(given)
            return {"function_call": {"name": part.name, "arguments": given}} if self._called == 0 else None
        id = self._client.id_of(part, self._index, self._called)
        if part.name in self._client.custom:
            self._custom = TextOfArguments()
            inside: Wire = {"name": part.name, "input": self._custom.feed(given)}
            return {"tool_calls": [{"index": self._called, "id": id, "type": "custom", "custom": inside}]}
        self._said = bool(given)
        inside = {"name": part.name, "arguments": given}
        return {"tool_calls": [{"index": self._called, "id": id, "type": "function", "function": inside}]}

    def _arguments(self, text: str) -> Wire | None:
        self._said = True
        if self._custom is None:
            return self._piece({"arguments": text})
        told = self._custom.feed(text)
        return self._piece({"input": told}) if told else None

    def _piece(self, inside: dict[str, Any]) -> Wire | None:
        if self._client.legacy:
            return {"function_call": inside} if self._called == 0 else None
        kind = "custom" if self._custom is not None else "function"
        return {"tool_calls": [{"index": self._called, kind: inside}]}
