"""An upstream's responses → neutral events, one by one; a whole answer is read as a stream of one."""

from __future__ import annotations

from datetime import datetime

import msgspec

from tierline.dialects.decoding import EventDecoder
from tierline.dialects.gemini import citations, errors, logprobs
from tierline.dialects.gemini.answer import blocked, finish_of, usage
from tierline.dialects.gemini.array import Frames
from tierline.dialects.gemini.calls import compact, made_for
from tierline.dialects.gemini.expand import many_raw
from tierline.dialects.gemini.media import kind_of
from tierline.dialects.gemini.wire import NAME, AnswerBody, Blob, Candidate, FunctionCall, WirePart, told
from tierline.dialects.json_body import Fields
from tierline.dialects.sse import data_of
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
from tierline.types.conversation import Citation, Foreign, Media, Text, Thinking, ToolCall
from tierline.types.errors import ProviderFailure
from tierline.types.outcome import Usage

_answer = msgspec.json.Decoder(AnswerBody)
_part = msgspec.json.Decoder(WirePart)
_fields = msgspec.json.Decoder(Fields)


class Choice:
    """One candidate as it comes. Words are kept to find the spans of citations, which Google tells at the end and in bytes."""

    __slots__ = ("_answer", "_at", "_calls", "_cited", "_index", "_open", "_words", "finished")

    def __init__(self, answer: str, index: int) -> None:
        self._answer = answer
        self._index = index
        self._at = -1
        self._open: AnswerPart | None = None
        self._calls = 0
        self._words: list[str] = []
        self._cited: set[Citation] = set()
        self.finished = False

    def read(self, wire: Candidate) -> list[Event]:
        """The events of one piece; none behind the end. Raises msgspec.DecodeError for parts of another shape."""
        if self.finished:
            return []
        found: list[Event] = []
        for raw in many_raw(wire.content.parts) if wire.content is not None else ():
            found.extend(self._part(bytes(raw)))
        if wire.logprobs_result is not None and (told_logprobs := logprobs.read(wire.logprobs_result)):
            found.extend(self._weighed(found, told_logprobs))
        found.extend(self._sources(wire))
        if wire.finish_reason:
            found.extend(self.finish(wire.finish_reason))
        return found

    def finish(self, reason: str | None) -> list[Event]:
        """The end of the choice."""
        self.finished = True
        return [*self._close(), Finished(finish_of(reason, self._calls > 0), choice=self._index)]

    def _part(self, raw: bytes) -> list[Event]:
        wire = _part.decode(raw)
        signature = wire.thought_signature or ""
        if wire.function_call is not None:
            return self._call(wire.function_call, signature)
        if wire.text is not None and wire.thought:
            return self._thought(wire.text, signature)
        found: list[Event] = []
        if wire.text is not None:
            found.extend(self._said(wire.text))
        elif wire.inline_data is not None or wire.file_data is not None:
            found.extend(self._closed(_medium(wire)))
        elif not signature or not {"thoughtSignature"} >= _fields.decode(raw).keys():
            return self._closed(_foreign(raw))
        return [*found, *self._signed(signature)] if signature else found

    def _said(self, text: str) -> list[Event]:
        if not text:
            return []
        self._words.append(text)
        found = [] if isinstance(self._open, Text) else self._begin(Text(""))
        return [*found, PartDelta(self._at, text, self._index)]

    def _thought(self, text: str, signature: str) -> list[Event]:
        found = [] if isinstance(self._open, Thinking) else self._begin(Thinking(by=NAME))
        if text:
            found.append(PartDelta(self._at, text, self._index))
        if signature:
            found.extend([Signed(self._at, signature, self._index), *self._close()])
        return found

    def _signed(self, signature: str) -> list[Event]:
        """A signature on something else than a thought: a thinking part of its own."""
        return [*self._begin(Thinking(by=NAME)), Signed(self._at, signature, self._index), *self._close()]

    def _call(self, wire: FunctionCall, signature: str) -> list[Event]:
        arguments = compact(wire.args)
        known = wire.id or made_for(self._answer, self._index, self._calls, wire.name, arguments)
        self._calls += 1
        found = self._begin(ToolCall(known, wire.name, "", by=NAME if signature else ""))
        found.append(PartDelta(self._at, arguments, self._index))
        if signature:
            found.append(Signed(self._at, signature, self._index))
        return [*found, *self._close()]

    def _weighed(self, found: list[Event], weights: bytes) -> list[Event]:
        """Gives log probabilities to the last words just found, or to the open text."""
        for at in range(len(found) - 1, -1, -1):
            event = found[at]
            if isinstance(event, PartDelta) and isinstance(self._open, Text) and event.index == self._at:
                found[at] = msgspec.structs.replace(event, logprobs=weights)
                return []
        return [PartDelta(self._at, "", self._index, weights)] if isinstance(self._open, Text) else []

    def _sources(self, wire: Candidate) -> list[Event]:
        """What the words lean on, each source once: it belongs to the last text, or to an empty one behind other parts."""
        if wire.grounding_metadata is None and wire.citation_metadata is None:
            return []
        fresh = [citation for citation in dict.fromkeys(citations.read(wire, "".join(self._words))) if citation not in self._cited]
        if not fresh:
            return []
        self._cited.update(fresh)
        found = [] if isinstance(self._open, Text) else self._begin(Text(""))
        return [*found, *[Cited(self._at, citation, self._index) for citation in fresh]]

    def _begin(self, part: AnswerPart) -> list[Event]:
        found = self._close()
        self._at += 1
        self._open = part
        return [*found, PartStarted(self._at, part, self._index)]

    def _close(self) -> list[Event]:
        if self._open is None:
            return []
        self._open = None
        return [PartEnded(self._at, self._index)]

    def _closed(self, part: AnswerPart) -> list[Event]:
        return [*self._begin(part), *self._close()]


class Reading:
    """Reads GenerateContentResponses, however they are framed, in their order."""

    __slots__ = ("_answer", "_begun", "choices", "usage")

    def __init__(self) -> None:
        self._answer = ""
        self._begun = False
        self.choices: dict[int, Choice] = {}
        self.usage: Usage | None = None

    def read(self, wire: AnswerBody) -> list[Event]:
        """The events of one response. Raises msgspec.DecodeError for parts of another shape."""
        found: list[Event] = []
        counted = usage(wire.usage_metadata)
        self.usage = counted or self.usage
        if not self._begun:
            self._begun, self._answer = True, wire.response_id or ""
            found.append(Started(self._answer, wire.model_version or "", _seconds(wire.create_time), counted))
        for candidate in wire.candidates or ():
            found.extend(self._choice(candidate.index or 0).read(candidate))
        if blocked(wire.prompt_feedback) and not self.choices:
            found.extend(self._choice(0).finish("PROHIBITED_CONTENT"))
        return found

    @property
    def complete(self) -> bool:
        """Whether every choice has come to its end."""
        return bool(self.choices) and all(choice.finished for choice in self.choices.values())

    def counted(self) -> list[Event]:
        """The final count, where one was told."""
        return [] if self.usage is None else [Counted(self.usage)]

    def _choice(self, index: int) -> Choice:
        if index not in self.choices:
            self.choices[index] = Choice(self._answer, index)
        return self.choices[index]


class GeminiDecoder(EventDecoder):
    """Reads one stream, as events or as an array. Its end is a stop reason for every choice and then the end of file."""

    __slots__ = ("_reading",)

    def __init__(self) -> None:
        super().__init__(Frames())
        self._reading = Reading()

    def finished(self) -> list[Event]:
        """The count and the end at the end of file, or Broken (`cut`) where a stop reason is missing."""
        if self._over:
            return []
        held = self._framer.rest()
        found = self._last(held)
        if self._over:
            return found
        self._over = True
        if self._reading.complete:
            return [*found, *self._reading.counted(), Ended()]
        if self._reading.choices:
            return [*found, Broken("cut", "the upstream closed the stream before its end")]
        return self._broken(errors.inside(held) or ProviderFailure("malformed", "the upstream's answer is no event stream"))

    def _read(self, event: bytes) -> list[Event]:
        data = data_of(event)
        if not data:
            return [Ping()] if event.startswith(b":") else []
        try:
            wire = _answer.decode(data)
            if told(wire.error):
                raise errors.inside(data) or ProviderFailure("server", "the upstream sent an error inside the stream")
            return self._reading.read(wire)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise errors.inside(data) or ProviderFailure("malformed", "the upstream sent an event that is no Gemini response") from None


def _medium(wire: WirePart) -> Media:
    if wire.file_data is not None:
        file = wire.file_data
        uri, mime = file.file_uri or "", file.mime_type or ""
        return Media(kind_of(mime, uri), url=uri, mime=mime)
    blob = wire.inline_data or Blob()
    return Media(kind_of(blob.mime_type or ""), data=blob.data or "", mime=blob.mime_type or "")


def _foreign(raw: bytes) -> Foreign:
    kinds = [key for key in _fields.decode(raw) if key not in ("thought", "thoughtSignature")]
    return Foreign(NAME, kinds[0] if kinds else "part", raw)


def _seconds(told_time: str | None) -> int:
    """Unix seconds of an RFC 3339 time; 0 where there is none."""
    try:
        return int(datetime.fromisoformat((told_time or "")[:19] + "+00:00").timestamp())
    except ValueError:
        return 0
