"""An upstream's stream → neutral events, one by one."""

from __future__ import annotations

from typing import Any

import msgspec

from tierline.dialects import custom_tools, lenient
from tierline.dialects.decoding import EventDecoder
from tierline.dialects.openai_chat import call_ids, errors, finer
from tierline.dialects.openai_chat.answer import usage
from tierline.dialects.openai_chat.citations import citation_of
from tierline.dialects.openai_chat.completion import Call, Message, media_of, neutral_finish, words_of
from tierline.dialects.openai_chat.finer import NAME
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
    Started,
)
from tierline.types.conversation import Foreign, Refusal, Text, Thinking, ToolCall
from tierline.types.errors import ProviderFailure
from tierline.types.outcome import Usage

Raw = msgspec.Raw


class _Choice(msgspec.Struct):
    """One choice of a chunk."""

    index: int = 0
    delta: Message | None = None
    finish_reason: str | None = None
    logprobs: Raw = Raw(b"null")
    stop_reason: Any = None


class _Chunk(msgspec.Struct):
    """One chunk."""

    id: str | None = None
    model: str | None = None
    created: float | None = None
    choices: list[_Choice] | None = None
    usage: Raw = Raw(b"null")
    error: Raw = Raw(b"null")


_chunk = msgspec.json.Decoder(_Chunk)
_NULL = (b"", b"null")


class ChatDecoder(EventDecoder):
    """Reads one stream of chat completion chunks. The count, which some servers send with every chunk, is told once, at the end."""

    __slots__ = ("_begun", "_choices", "_id", "_usage")

    def __init__(self) -> None:
        super().__init__()
        self._begun = False
        self._id = ""
        self._usage: Usage | None = None
        self._choices: dict[int, _Telling] = {}

    def finished(self) -> list[Event]:
        """What is still to be said at the end of file. Servers that leave out `[DONE]` have ended where every choice has; else Broken."""
        if self._over:
            return []
        held = self._framer.rest()
        found = self._read(held) if data_of(held) == b"[DONE]" else []
        if self._over:
            return found
        if self._choices and all(choice.over for choice in self._choices.values()):
            return self._ended()
        if not self._begun:
            return self._broken(errors.inside(held) or ProviderFailure("malformed", "the upstream's answer is no event stream"))
        return self._broken(ProviderFailure("cut", "the upstream closed the stream before its end"))

    def _read(self, event: bytes) -> list[Event]:
        data = data_of(event)
        if not data:
            return [Ping()] if event.startswith(b":") else []
        if data == b"[DONE]":
            return self._ended()
        try:
            return self._told(lenient.decode(_chunk, data), data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            said = "the upstream sent an event that is no chat completion chunk"
            raise errors.inside(data) or ProviderFailure("malformed", said) from None

    def _told(self, chunk: _Chunk, data: bytes) -> list[Event]:
        if bytes(chunk.error) not in _NULL:
            raise errors.inside(data) or ProviderFailure("server", "the upstream sent an error inside the stream")
        found: list[Event] = []
        if not self._begun and (chunk.id or chunk.model or chunk.choices):
            self._begun = True
            self._id = chunk.id or ""
            found.append(Started(chunk.id or "", chunk.model or "", int(chunk.created or 0)))
        for choice in chunk.choices or ():
            telling = self._choices.get(choice.index)
            if telling is None:
                telling = self._choices[choice.index] = _Telling(choice.index, self._id)
            found += telling.told(choice)
        self._usage = usage(chunk.usage) or self._usage
        return found

    def _ended(self) -> list[Event]:
        """The end; a choice that nothing has finished is finished by it."""
        if not self._begun:
            return self._broken(ProviderFailure("malformed", "the upstream's stream is empty"))
        self._over = True
        found = [event for choice in self._choices.values() for event in choice.told(_Choice(choice.index, finish_reason="stop"))]
        return [*found, *([Counted(self._usage)] if self._usage is not None else []), Ended()]


class _Telling:
    """Cuts the deltas of one choice into parts. `_open` is the part that is being told, `_call` the index and id of its call."""

    __slots__ = ("_at", "_call", "_calls", "_custom", "_id", "_open", "_refused", "index", "over")

    def __init__(self, index: int, id: str) -> None:
        self.index = index
        self._id = id
        self.over = False
        self._at = -1
        self._open: type[AnswerPart] | None = None
        self._call: tuple[int | None, str | None] = (None, None)
        self._calls = 0
        self._custom = False
        self._refused = False

    def told(self, choice: _Choice) -> list[Event]:
        """The events of one delta; nothing once the choice is over."""
        if self.over:
            return []
        found: list[Event] = []
        if choice.delta is not None:
            self._delta(choice.delta, b"" if bytes(choice.logprobs) in _NULL else bytes(choice.logprobs), found)
        if choice.finish_reason:
            self.over = True
            self._end(found)
            stopped = choice.stop_reason if isinstance(choice.stop_reason, str) else ""
            finish = neutral_finish(choice.finish_reason, refused=self._refused, sequence=stopped)
            found.append(Finished(finish, stopped if finish == "stop_sequence" else "", self.index))
        return found

    def _delta(self, delta: Message, logprobs: bytes, found: list[Event]) -> None:
        if thought := delta.reasoning_content or delta.reasoning:
            self._say(Thinking(by=NAME), thought, b"", found)
        if delta.content is not None or logprobs:
            self._words(delta.content, logprobs, found)
        if delta.refusal:
            self._refused = True
            self._say(Refusal(""), delta.refusal, b"", found)
        for entry in delta.annotations or ():
            if self._open is not Text:
                self._begin(Text(""), found)
            found.append(Cited(self._at, citation_of(entry), self.index))
        for image in delta.images or ():
            if (media := media_of(image)) is not None:
                self._begin(media, found)
        if bytes(delta.audio) not in _NULL:
            self._begin(Foreign(NAME, "audio", bytes(delta.audio)), found)
        for call in delta.tool_calls or ():
            self._called(call, found)
        if delta.function_call is not None:
            self._called(Call(0, function=delta.function_call), found)

    def _words(self, content: Any, logprobs: bytes, found: list[Event]) -> None:
        for part in words_of(content) or ([Text("")] if logprobs and self._open is Text else []):
            match part:
                case Text(text):
                    self._say(Text(""), text, logprobs, found)
                case Thinking(text):
                    self._say(Thinking(by=NAME), text, b"", found)
                case Refusal(text):
                    self._refused = True
                    self._say(Refusal(""), text, b"", found)

    def _say(self, part: AnswerPart, text: str, logprobs: bytes, found: list[Event]) -> None:
        """More words of a kind; a part begins where another was open."""
        if self._open is not type(part):
            self._begin(part, found)
        found.append(PartDelta(self._at, text, self.index, logprobs))

    def _called(self, call: Call, found: list[Event]) -> None:
        """A call, or a piece of its arguments. Some servers send no index, or the same one for every call: then the id tells them apart."""
        function = call.custom or call.function
        named = function is not None and bool(function.name)
        anonymous = call.index is None and not call.id and named
        same = call.index in (None, self._call[0]) and call.id in (None, "", self._call[1])
        goes_on = self._open is ToolCall and same and not anonymous
        if not goes_on:
            if not (call.id or named):
                raise ProviderFailure("malformed", "the upstream went back to a tool call after it had begun another part")
            id = call.id or call_ids.made(self._id, self.index, self._calls)
            self._calls += 1
            own = finer.packed({"type": finer.CUSTOM}) if call.custom is not None else {}
            self._begin(ToolCall(id, (function.name if function is not None else "") or "", "", **own), found)
            self._call, self._custom = (call.index, call.id), call.custom is not None
            if self._custom:
                found.append(PartDelta(self._at, custom_tools.OPENING, self.index))
        if function is not None and (text := custom_tools.escaped(function.input or "") if self._custom else function.arguments):
            found.append(PartDelta(self._at, text, self.index))

    def _begin(self, part: AnswerPart, found: list[Event]) -> None:
        self._end(found)
        self._at += 1
        self._open = type(part)
        found.append(PartStarted(self._at, part, self.index))

    def _end(self, found: list[Event]) -> None:
        if self._open is None:
            return
        if self._open is ToolCall and self._custom:
            found.append(PartDelta(self._at, custom_tools.CLOSING, self.index))
        self._open, self._custom = None, False
        found.append(PartEnded(self._at, self.index))
