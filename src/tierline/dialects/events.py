"""A whole answer as the events of a stream, and the events of a stream as a whole answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

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


def events_of(completion: Completion, piece: int = PIECE) -> list[Event]:
    """The stream by which that answer would have come: its words in pieces of so many characters, its choices one after the other."""
    events: list[Event] = [Started(completion.id, completion.model, completion.created)]
    for at, choice in enumerate(completion.choices):
        for index, part in enumerate(choice.parts):
            events += _told(index, part, at, piece)
        events.append(Finished(choice.finish, choice.stop_sequence, at))
    return [*events, *([Counted(completion.usage)] if completion.usage != NO_USAGE else []), Ended()]


def joined(events: Iterable[Event], by: str) -> Completion:
    """The answer that a stream's events make when they are put together; a call without arguments has an empty object."""
    joining = Joining(by)
    for event in events:
        joining.take(event)
    return joining.completion()


class Joining:
    """An answer on its way, event by event, in time that grows with its length. `by` is the dialect it is read from."""

    __slots__ = ("_by", "_gathered", "_started", "_usage")

    def __init__(self, by: str) -> None:
        self._by = by
        self._gathered: dict[int, _Gathered] = {}
        self._started = Started()
        self._usage = NO_USAGE

    def take(self, event: Event) -> None:
        """One more event."""
        match event:
            case Started():
                self._started = event
            case Counted():
                self._usage = event.usage
            case PartStarted() | PartDelta() | Signed() | Cited() | Finished():
                self._gathered.setdefault(event.choice, _Gathered()).take(event)

    def completion(self) -> Completion:
        """The answer as far as it has come."""
        choices = tuple([self._gathered[at].choice() for at in sorted(self._gathered)])
        started = self._started
        return Completion(self._by, started.id, started.model, choices, self._usage, started.created)


def _told(index: int, part: AnswerPart, choice: int, piece: int) -> Iterator[Event]:
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
    for at in range(0, len(words), piece):
        yield PartDelta(index, words[at : at + piece], choice)
    for citation in part.citations if isinstance(part, Text) else ():
        yield Cited(index, citation, choice)
    if isinstance(part, Thinking | ToolCall) and part.signature:
        yield Signed(index, part.signature, choice)
    yield PartEnded(index, choice)


class _Gathered:
    """What has come of one choice."""

    __slots__ = ("_finished", "_logprobs", "_parts", "_words")

    def __init__(self) -> None:
        self._parts: dict[int, AnswerPart] = {}
        self._words: dict[int, list[str]] = {}
        self._logprobs: dict[str, list[msgspec.Raw]] = {}
        self._finished = Finished("stop")

    def take(self, event: PartStarted | PartDelta | Signed | Cited | Finished) -> None:
        match event:
            case PartStarted(index, part):
                self._parts[index] = part
                self._words[index] = []
            case PartDelta(index, text):
                self._words[index].append(text)
                self._add(event.logprobs)
            case Signed(index, signature):
                self._parts[index] = msgspec.structs.replace(self._parts[index], signature=signature)
            case Cited(index, citation):
                part = self._parts[index]
                if isinstance(part, Text):
                    self._parts[index] = msgspec.structs.replace(part, citations=(*part.citations, citation))
            case Finished():
                self._finished = event

    def choice(self) -> CompletionChoice:
        parts = [_whole(self._parts[index], "".join(self._words[index])) for index in sorted(self._parts)]
        logprobs = msgspec.json.encode(self._logprobs) if self._logprobs else b""
        return CompletionChoice(tuple(parts), self._finished.finish, self._finished.stop_sequence, logprobs)

    def _add(self, logprobs: bytes) -> None:
        told = msgspec.json.decode(logprobs, type=dict[str, list[msgspec.Raw] | None]) if logprobs else {}
        for field, entries in told.items():
            self._logprobs.setdefault(field, []).extend(entries or ())


def _whole(part: AnswerPart, words: str) -> AnswerPart:
    """A part with the words that came after it began."""
    if isinstance(part, ToolCall):
        return msgspec.structs.replace(part, arguments=part.arguments + words or "{}")
    if isinstance(part, Media | Foreign) or not words:
        return part
    return msgspec.structs.replace(part, text=part.text + words)


def counted(events: Iterable[Event]) -> Usage | None:
    """The usage that a stream told; None where it told none."""
    return next((event.usage for event in events if isinstance(event, Counted)), None)
