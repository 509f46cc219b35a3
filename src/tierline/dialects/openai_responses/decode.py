"""An upstream's stream → neutral events.

    response.created                      Started
    output_item / content_part .added     PartStarted   a message has a part for each content, a reasoning item one for each summary part
    *.delta                               PartDelta
    output_text.annotation.added          Cited
    *.done                                PartEnded     or when the next part starts, for some upstreams tell of all ends at the end
    response.completed, .incomplete       Finished, Counted, Ended
    error, response.failed                Broken

What a `done` event brings and no delta has brought (some upstreams send no deltas) is told as one piece.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from tierline.dialects import custom_tools, lenient
from tierline.dialects.decoding import EventDecoder
from tierline.dialects.openai_responses import answer, errors
from tierline.dialects.openai_responses.completion import parts_of_item
from tierline.dialects.openai_responses.expand_items import call_of, citation_of, citations_of
from tierline.dialects.openai_responses.finer import NAME
from tierline.dialects.openai_responses.parse import kind_of, text_of
from tierline.dialects.openai_responses.wire import Item, Raw, WireEvent, WireResponse
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
from tierline.types.conversation import Refusal, Text, Thinking, ToolCall
from tierline.types.errors import ProviderFailure

_event = msgspec.json.Decoder(WireEvent)
_item = msgspec.json.Decoder(Item)
_NOTHING = (b"", b"null", b"[]")
Key = tuple[int | str, str, int]
"""Which part an event is about: its item, the kind of part, and its place among those."""


class ResponsesDecoder(EventDecoder):
    """Reads one stream of response events."""

    __slots__ = ("_begun", "_called", "_cited", "_custom", "_index", "_items", "_key", "_refused", "_seen", "_wordless")

    def __init__(self) -> None:
        super().__init__()
        self._begun = False
        self._index = -1
        self._key: Key | None = None
        self._seen: set[Key] = set()
        self._items: set[int | str] = set()
        self._wordless = True
        self._custom = False
        self._cited = 0
        self._called = False
        self._refused = False

    def finished(self) -> list[Event]:
        """Called once at the end of file; a stream without its own end is Broken."""
        if self._over:
            return []
        held = self._framer.rest()
        found: list[Event] = []
        try:
            found = self._read(held) if held else []
        except ProviderFailure as failure:
            if not self._begun:
                return self._broken(failure)
        if any(isinstance(event, Ended) for event in found):
            return found
        return found + self._broken(ProviderFailure("cut", "the upstream closed the stream before its end"))

    def _read(self, event: bytes) -> list[Event]:
        data = data_of(event)
        if not data:
            return [Ping()] if event.startswith(b":") or b"\n:" in event else []
        if data == b"[DONE]":
            return []
        try:
            wire = lenient.decode(_event, data)
            if wire.type == "error":
                raise errors.failure(data)
            handle = _HANDLERS.get(wire.type)
            if handle is not None:
                return handle(self, wire)
        except (msgspec.DecodeError, RecursionError) as fault:
            raise errors.inside(data) or ProviderFailure(
                "malformed", f"the upstream sent an event that is none of a response: {fault}"
            ) from None
        if not wire.type:
            raise errors.inside(data) or ProviderFailure("malformed", "the upstream sent an event without a type")
        return []

    def _start(self, event: WireEvent) -> list[Event]:
        if self._begun or event.response is None:
            return []
        self._begun = True
        response = event.response
        return [Started(response.id or "", response.model or "", int(response.created_at or 0))]

    def _ping(self, event: WireEvent) -> list[Event]:  # noqa: ARG002  # handlers are called alike
        return [Ping()]

    def _item_added(self, event: WireEvent) -> list[Event]:
        """A call begins at once; other items begin with their first part."""
        item = lenient.decode(_item, event.item)
        if item.type not in ("function_call", "custom_tool_call"):
            return []
        call = msgspec.structs.replace(call_of(item), arguments="")
        custom = item.type == "custom_tool_call"
        said = text_of(item.input if custom else item.arguments)
        return self._open(self._place(event, "call"), call, custom) + self._words(said)

    def _part_added(self, event: WireEvent) -> list[Event]:
        part = event.part
        match part.type if part is not None else "":
            case "output_text":
                return self._open(self._place(event, "content", event.content_index), Text(""))
            case "refusal":
                return self._open(self._place(event, "content", event.content_index), Refusal(""))
            case "reasoning_text":
                return self._thought(event, "reasoning")
            case _:
                return []

    def _text(self, event: WireEvent) -> list[Event]:
        chat = b'{"content":' + bytes(event.logprobs) + b"}" if bytes(event.logprobs) not in _NOTHING else b""
        return self._open(self._place(event, "content", event.content_index), Text("")) + self._words(text_of(event.delta), chat)

    def _refusal(self, event: WireEvent) -> list[Event]:
        return self._open(self._place(event, "content", event.content_index), Refusal("")) + self._words(text_of(event.delta))

    def _annotated(self, event: WireEvent) -> list[Event]:
        opened = self._open(self._place(event, "content", event.content_index), Text(""))
        citation = citation_of(event.annotation)
        if citation is None:
            return opened
        self._cited += 1
        return [*opened, Cited(self._index, citation)]

    def _text_done(self, event: WireEvent) -> list[Event]:
        part = Text("") if event.type == "response.output_text.done" else Refusal("")
        return self._done(self._place(event, "content", event.content_index), part, event.text or event.refusal or "")

    def _part_done(self, event: WireEvent) -> list[Event]:
        """The end of a message's content or of a reasoning text, with what nothing has told of before."""
        part = event.part
        kind = "reasoning" if part is not None and part.type == "reasoning_text" else "content"
        if part is None or self._place(event, kind, event.content_index) != self._key:
            return []
        found = self._words(part.text or part.refusal or "") if self._wordless else []
        missed = citations_of(part.annotations)[self._cited :]
        return [*found, *[Cited(self._index, citation) for citation in missed], *self._close()]

    def _call_delta(self, event: WireEvent) -> list[Event]:
        """More of a call. One that was not announced has no name, and cannot be told of."""
        if self._place(event, "call") != self._key:
            raise ProviderFailure("malformed", "the upstream sent the arguments of a call that is not the current one")
        return self._words(text_of(event.delta))

    def _call_done(self, event: WireEvent) -> list[Event]:
        if self._place(event, "call") != self._key or not self._wordless:
            return []
        return self._words(text_of(event.input if self._custom else event.arguments))

    def _thinking(self, event: WireEvent) -> list[Event]:
        kind = "summary" if event.type == "response.reasoning_summary_text.delta" else "reasoning"
        return self._thought(event, kind) + self._words(text_of(event.delta))

    def _thinking_done(self, event: WireEvent) -> list[Event]:
        summary = event.type == "response.reasoning_summary_text.done"
        kind, place = ("summary", event.summary_index) if summary else ("reasoning", event.content_index)
        return self._done(self._place(event, kind, place), Thinking(id=event.item_id or "", by=NAME, summary=summary), event.text or "")

    def _summary_added(self, event: WireEvent) -> list[Event]:
        return self._thought(event, "summary")

    def _summary_done(self, event: WireEvent) -> list[Event]:
        return self._close() if self._key == self._place(event, "summary", event.summary_index) else []

    def _item_done(self, event: WireEvent) -> list[Event]:
        """The end of an item: its last part ends, what is encrypted is told, and an item of which nothing was told is told whole."""
        item = lenient.decode(_item, event.item)
        key = self._item_key(event.output_index, event.item_id or item.id)
        if key not in self._items:
            return self._whole(key, event.item)
        found = self._close() if self._key is not None and self._key[0] == key else []
        if kind_of(item) == "reasoning" and item.encrypted_content:
            found += self._whole_part((key, "sealed", 0), Thinking(sealed=item.encrypted_content, id=item.id or "", by=NAME))
        return found

    def _finish(self, event: WireEvent) -> list[Event]:
        response = event.response or WireResponse()
        if bytes(response.error) not in (b"", b"null"):
            raise errors.failure(response.error)
        found: list[Event] = [] if self._begun else self._start(event)
        if not self._items:
            for index, raw in enumerate(response.output or []):
                found += self._whole(index, raw)
        status = "incomplete" if event.type == "response.incomplete" else "completed"
        told = msgspec.structs.replace(response, status=status)
        found += [*self._close(), Finished(answer.finish_of(told, called=self._called, refused=self._refused))]
        usage = answer.usage(response.usage)
        self._over = True
        return [*found, *([] if usage is None else [Counted(usage)]), Ended()]

    def _fail(self, event: WireEvent) -> list[Event]:
        raise errors.failure(b"" if event.response is None else event.response.error)

    def _place(self, event: WireEvent, kind: str, index: int | None = None) -> Key:
        return (self._item_key(event.output_index, event.item_id), kind, index or 0)

    @staticmethod
    def _item_key(index: int | None, id: str | None) -> int | str:
        """An item by its place, which no upstream changes on the way as some do with ids."""
        return index if index is not None else id or ""

    def _thought(self, event: WireEvent, kind: str) -> list[Event]:
        index = event.summary_index if kind == "summary" else event.content_index
        return self._open(self._place(event, kind, index), Thinking(id=event.item_id or "", by=NAME, summary=kind == "summary"))

    def _open(self, key: Key, part: AnswerPart, custom: bool = False) -> list[Event]:
        if key == self._key:
            return []
        if key in self._seen:
            raise ProviderFailure("malformed", "the upstream went on with a part that had ended")
        ended = self._close()
        self._seen.add(key)
        self._items.add(key[0])
        self._key, self._index = key, self._index + 1
        self._wordless, self._cited = True, 0
        self._custom = custom
        self._called = self._called or isinstance(part, ToolCall)
        self._refused = self._refused or isinstance(part, Refusal)
        opening: list[Event] = [PartDelta(self._index, custom_tools.OPENING)] if self._custom else []
        return [*ended, PartStarted(self._index, part), *opening]

    def _words(self, text: str, logprobs: bytes = b"") -> list[Event]:
        if not text:
            return []
        self._wordless = False
        return [PartDelta(self._index, custom_tools.escaped(text) if self._custom else text, logprobs=logprobs)]

    def _done(self, key: Key, part: AnswerPart, text: str) -> list[Event]:
        """The whole words of a part, told where no delta brought any."""
        if key in self._seen:
            return self._words(text) if key == self._key and self._wordless else []
        return self._open(key, part) + self._words(text)

    def _close(self) -> list[Event]:
        if self._key is None:
            return []
        self._key = None
        closing: list[Event] = [PartDelta(self._index, custom_tools.CLOSING)] if self._custom else []
        self._custom = False
        return [*closing, PartEnded(self._index)]

    def _whole(self, key: int | str, raw: Raw) -> list[Event]:
        """An item that came all at once."""
        logprobs: list[Raw] = []
        found: list[Event] = []
        for index, part in enumerate(parts_of_item(raw, logprobs)):
            told = msgspec.json.encode({"content": logprobs}) if logprobs and isinstance(part, Text) else b""
            found += self._whole_part((key, "whole", index), part, told)
            logprobs = [] if told else logprobs
        self._items.add(key)
        return found

    def _whole_part(self, key: Key, part: AnswerPart, logprobs: bytes = b"") -> list[Event]:
        match part:
            case Text(text=text, citations=citations):
                cited = [Cited(self._index + 1, citation) for citation in citations]
                return [*self._open(key, Text("")), *self._words(text, logprobs), *cited, *self._close()]
            case Refusal(text=text) | Thinking(text=text):
                return [*self._open(key, msgspec.structs.replace(part, text="")), *self._words(text), *self._close()]
            case ToolCall():
                return [*self._open(key, msgspec.structs.replace(part, arguments="")), *self._words(part.arguments), *self._close()]
            case _:
                return [*self._open(key, part), *self._close()]


_HANDLERS: dict[str, Callable[[ResponsesDecoder, WireEvent], list[Event]]] = {
    "response.created": ResponsesDecoder._start,
    "response.queued": ResponsesDecoder._start,
    "response.in_progress": ResponsesDecoder._start,
    "response.output_item.added": ResponsesDecoder._item_added,
    "response.content_part.added": ResponsesDecoder._part_added,
    "response.output_text.delta": ResponsesDecoder._text,
    "response.refusal.delta": ResponsesDecoder._refusal,
    "response.output_text.annotation.added": ResponsesDecoder._annotated,
    "response.output_text.done": ResponsesDecoder._text_done,
    "response.refusal.done": ResponsesDecoder._text_done,
    "response.content_part.done": ResponsesDecoder._part_done,
    "response.function_call_arguments.delta": ResponsesDecoder._call_delta,
    "response.custom_tool_call_input.delta": ResponsesDecoder._call_delta,
    "response.function_call_arguments.done": ResponsesDecoder._call_done,
    "response.custom_tool_call_input.done": ResponsesDecoder._call_done,
    "response.reasoning_summary_part.added": ResponsesDecoder._summary_added,
    "response.reasoning_summary_text.delta": ResponsesDecoder._thinking,
    "response.reasoning_text.delta": ResponsesDecoder._thinking,
    "response.reasoning_summary_text.done": ResponsesDecoder._thinking_done,
    "response.reasoning_text.done": ResponsesDecoder._thinking_done,
    "response.reasoning_summary_part.done": ResponsesDecoder._summary_done,
    "response.output_item.done": ResponsesDecoder._item_done,
    "response.completed": ResponsesDecoder._finish,
    "response.incomplete": ResponsesDecoder._finish,
    "response.failed": ResponsesDecoder._fail,
    "keepalive": ResponsesDecoder._ping,
    "ping": ResponsesDecoder._ping,
}
