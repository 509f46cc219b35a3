"""A whole answer as the events of a stream, and the events of a stream as a whole answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from tierline.types.completion import (
    AnswerPart,
    Cited,
    Completion,
    CompletionChoice,
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
from tierline.types.conversation import Foreign, Media, Refusal, Text, Thinking, ToolCall
from tierline.types.outcome import NO_USAGE, Usage

PIECE = 5
"""How many characters of words go into one event."""


def events_of(completion: Completion) -> list[Event]:
    """The stream by which that answer would have come: its words in pieces, its choices one after the other."""
    events: list[Event] = [Started(completion.id, completion.model, completion.created)]
    for at, choice in enumerate(completion.choices):
        for index, part in enumerate(choice.parts):
            events += _told(index, part, at)
        events.append(Finished(choice.finish, choice.stop_sequence, at))
    return [*events, *([Counted(completion.usage)] if completion.usage != NO_USAGE else []), Ended()]


def joined(events: Iterable[Event], by: str) -> Completion:
    """The answer that a stream's events make when they are put together; a call without arguments has an empty object."""
    gathered: dict[int, _Gathered] = {}
    started, usage = Started(), NO_USAGE
    for event in events:
        match event:
            case Started():
                started = event
            case Counted():
                usage = event.usage
            case PartStarted() | PartDelta() | Signed() | Cited() | Finished():
                gathered.setdefault(event.choice, _Gathered()).take(event)
    choices = tuple([gathered[at].choice() for at in sorted(gathered)])
    return Completion(by, started.id, started.model, choices, usage, started.created)


def _told(index: int, part: AnswerPart, choice: int) -> Iterator[Event]:
    words = ""
    match part:
        case ToolCall():
            yield PartStarted(index, msgspec.structs.replace(part, arguments="", signature=""), choice)
            words = part.arguments
        case Thinking():
            yield PartStarted(index, msgspec.structs.replace(part, text="", signature=""), choice)
            words = part.text
        case Text():
            yield PartStarted(index, Text(""), choice)
            words = part.text
        case Refusal():
            yield PartStarted(index, Refusal(""), choice)
            words = part.text
        case Media() | Foreign():
            yield PartStarted(index, part, choice)
    for at in range(0, len(words), PIECE):
        yield PartDelta(index, words[at : at + PIECE], choice)
    for citation in part.citations if isinstance(part, Text) else ():
        yield Cited(index, citation, choice)
    if isinstance(part, Thinking | ToolCall) and part.signature:
        yield Signed(index, part.signature, choice)
    yield PartEnded(index, choice)


class _Gathered:
    """What has come of one choice."""

    def __init__(self) -> None:
        self._parts: dict[int, Any] = {}
        self._logprobs: dict[str, list[msgspec.Raw]] = {}
        self._finished = Finished("stop")

    def take(self, event: PartStarted | PartDelta | Signed | Cited | Finished) -> None:
        match event:
            case PartStarted(index, part):
                self._parts[index] = part
            case PartDelta(index, text):
                part = self._parts[index]
                field = "arguments" if isinstance(part, ToolCall) else "text"
                self._parts[index] = msgspec.structs.replace(part, **{field: getattr(part, field) + text})
                self._add(event.logprobs)
            case Signed(index, signature):
                self._parts[index] = msgspec.structs.replace(self._parts[index], signature=signature)
            case Cited(index, citation):
                part = self._parts[index]
                self._parts[index] = msgspec.structs.replace(part, citations=(*part.citations, citation))
            case Finished():
                self._finished = event

    def choice(self) -> CompletionChoice:
        parts = [self._parts[index] for index in sorted(self._parts)]
        whole = [msgspec.structs.replace(p, arguments=p.arguments or "{}") if isinstance(p, ToolCall) else p for p in parts]
        logprobs = msgspec.json.encode(self._logprobs) if self._logprobs else b""
        return CompletionChoice(tuple(whole), self._finished.finish, self._finished.stop_sequence, logprobs)

    def _add(self, logprobs: bytes) -> None:
        told = msgspec.json.decode(logprobs, type=dict[str, list[msgspec.Raw] | None]) if logprobs else {}
        for field, entries in told.items():
            self._logprobs.setdefault(field, []).extend(entries or ())


def counted(events: Iterable[Event]) -> Usage | None:
    """The usage that a stream told; None where it told none."""
    return next((event.usage for event in events if isinstance(event, Counted)), None)
