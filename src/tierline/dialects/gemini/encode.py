"""Neutral events → the stream that a client of this dialect gets, as server-sent events."""

from __future__ import annotations

from typing import Any

import msgspec

from tierline.dialects.gemini import answer, citations, errors, logprobs
from tierline.dialects.gemini.completion import STOP_REASONS, client_parts
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
    Signed,
    Started,
)
from tierline.types.conversation import Citation, Foreign, Media, Refusal, Text, Thinking, ToolCall
from tierline.types.outcome import NO_USAGE, Usage
from tierline.types.request import Request

Wire = dict[str, Any]


class _Choice:
    """What is known of one candidate: its open part, the arguments of an open call, its words and their sources."""

    __slots__ = ("arguments", "cited", "finish", "part", "said", "signature", "words")

    def __init__(self) -> None:
        self.part: AnswerPart | None = None
        self.arguments: list[str] = []
        self.signature = ""
        self.said = False
        self.words: list[str] = []
        self.cited: list[Citation] = []
        self.finish = ""


class GeminiEncoder:
    """Writes every piece of words as a response at once. A call's arguments wait until they are whole, for Gemini has no pieces of them;
    the stop reason and the sources wait for the count, with which they end the stream. Words are kept to tell the sources' spans.

    There is no sign of life in this format: Google's own client takes a comment for an error. A Ping gives no bytes."""

    __slots__ = ("_choices", "_id", "_request", "_usage")

    def __init__(self, request: Request) -> None:
        self._request = request
        self._id = request.id
        self._usage: Usage = NO_USAGE
        self._choices: dict[int, _Choice] = {}

    def encode(self, event: Event) -> bytes:
        """The bytes of one event, possibly none."""
        match event:
            case Started():
                self._id = event.id or self._id
                self._usage = event.usage or self._usage
            case Counted():
                self._usage = event.usage
                return self._close()
            case Ended():
                return self._close()
            case Broken():
                return b"data: " + errors.broken(event.kind, event.message) + b"\r\n\r\n"
            case PartStarted() | PartDelta() | Signed() | Cited() | PartEnded() | Finished():
                return self._of_choice(event, self._choices.setdefault(event.choice, _Choice()))
        return b""

    def _of_choice(self, event: PartStarted | PartDelta | Signed | Cited | PartEnded | Finished, choice: _Choice) -> bytes:
        match event:
            case PartDelta():
                return self._delta(event, choice)
            case PartStarted():
                return self._start(event, choice)
            case PartEnded():
                return self._end(event, choice)
            case Signed():
                choice.signature = event.signature
            case Cited():
                choice.cited.append(event.citation)
            case Finished():
                choice.finish = STOP_REASONS[event.finish]
        return b""

    def _start(self, event: PartStarted, choice: _Choice) -> bytes:
        choice.part, choice.arguments, choice.signature, choice.said = event.part, [], "", False
        match event.part:
            case Text() | Refusal() | Thinking() if event.part.text:
                return self._delta(PartDelta(event.index, event.part.text, event.choice), choice)
            case ToolCall() if event.part.arguments not in ("", "{}"):
                choice.arguments.append(event.part.arguments)
            case Media() | Foreign():
                return self._sent(event.choice, client_parts(event.part))
        return b""

    def _delta(self, event: PartDelta, choice: _Choice) -> bytes:
        match choice.part:
            case ToolCall():
                choice.arguments.append(event.text)
            case Thinking() if event.text:
                choice.said = True
                return self._sent(event.choice, [{"text": event.text, "thought": True}])
            case Text() | Refusal() if event.text or event.logprobs:
                choice.words.append(event.text)
                return self._sent(event.choice, [{"text": event.text}], event.logprobs)
        return b""

    def _end(self, event: PartEnded, choice: _Choice) -> bytes:
        part, choice.part = choice.part, None
        if isinstance(part, ToolCall):
            whole = msgspec.structs.replace(part, arguments="".join(choice.arguments), signature=choice.signature or part.signature)
            return self._sent(event.choice, client_parts(whole))
        if isinstance(part, Thinking) and (choice.signature or part.signature or part.sealed):
            rest = msgspec.structs.replace(part, text="", signature=choice.signature or part.signature)
            wires = client_parts(rest)
            if choice.said:
                wires[0]["thought"] = True
            return self._sent(event.choice, wires)
        return b""

    def _close(self) -> bytes:
        """The stop reasons, the sources and the count, once."""
        ending = [(index, choice) for index, choice in self._choices.items() if choice.finish]
        self._choices = {}
        if not ending:
            return b""
        candidates = [
            {"content": {"parts": [{"text": ""}], "role": "model"}, "finishReason": choice.finish, "index": index, **_sources(choice)}
            for index, choice in ending
        ]
        return self._response({"candidates": candidates, "usageMetadata": answer.render_usage(self._usage)})

    def _sent(self, index: int, parts: list[Wire], weights: bytes = b"") -> bytes:
        if not parts:
            return b""
        candidate: Wire = {"content": {"parts": parts, "role": "model"}, "index": index}
        if weights and (told := logprobs.written(weights)):
            candidate["logprobsResult"] = told
        return self._response({"candidates": [candidate]})

    def _response(self, wire: Wire) -> bytes:
        named = {"modelVersion": self._request.model, "responseId": self._id}
        return b"data: " + msgspec.json.encode({**wire, **named}) + b"\r\n\r\n"


def _sources(choice: _Choice) -> Wire:
    return {"groundingMetadata": citations.written(choice.cited, "".join(choice.words))} if choice.cited else {}
