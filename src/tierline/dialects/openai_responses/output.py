"""Neutral parts, as they come, → the items of a response's `output`, and the events that tell of them.

    Output      opens and closes items, and knows those that are complete
    ├── _Message    words and refusals that follow one another, each a part of its content
    ├── _Thought    reasoning: a summary, or for this API's own also the reasoning itself
    ├── _Call       a function call, or the call of a custom tool
    └── _Whole      an item that comes all at once

Whole answers and streams are written by the same hand; for the former nobody listens to the events.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec

from tierline.dialects import custom_tools
from tierline.dialects.openai_responses import seal
from tierline.dialects.openai_responses.finer import NAME
from tierline.dialects.openai_responses.tool_names import Named
from tierline.types.completion import AnswerPart
from tierline.types.conversation import Citation, Foreign, Media, Refusal, Text, Thinking, ToolCall

Emit = Callable[[str, dict[str, Any]], None]
"""Takes an event's type and its fields."""


class _ChatLogprobs(msgspec.Struct):
    """Log probabilities in the form of chat completions."""

    content: list[msgspec.Raw] | None = None


_logprobs = msgspec.json.Decoder(_ChatLogprobs)


class _Writer(Protocol):
    """Writes one item."""

    def begin(self, part: AnswerPart) -> None:
        """A part of the item begins."""

    def delta(self, text: str, logprobs: bytes) -> None:
        """More of it."""

    def end(self) -> None:
        """It is complete."""

    def close(self, status: str) -> dict[str, Any] | msgspec.Raw:
        """The item is complete: `completed` or `incomplete`."""


class Output:
    """Writes the items of one response. `suffix` goes into their ids; `tools`: what names mean to the client."""

    def __init__(self, emit: Emit, suffix: str, tools: Mapping[str, Named]) -> None:
        self.items: list[Any] = []
        self.refused = False
        self._emit = emit
        self._suffix = suffix
        self._tools = tools
        self._writer: _Writer | None = None
        self._part: AnswerPart | None = None
        self._seal: seal.Seal | None = None

    def begin(self, part: AnswerPart, logprobs: bytes = b"") -> None:
        """A part begins; the words it already has count as its first piece."""
        self._part = part
        match part:
            case Text() | Refusal():
                self.refused = self.refused or isinstance(part, Refusal)
                self._take(lambda: _Message(self._told(), f"msg_{self._suffix}_{len(self.items)}"), isinstance(self._writer, _Message))
                said = part.text
            case Thinking():
                goes_on = isinstance(self._writer, _Thought) and self._writer.takes(part)
                self._take(lambda: _Thought(self._told(), self._thought_id(part)), goes_on)
                said = part.text
            case ToolCall():
                tool = self._tools.get(part.name) or Named(part.name)
                kind = _Custom if tool.custom else _Call
                call_id = part.id or f"call_{self._suffix}_{len(self.items)}"
                self._take(lambda: kind(self._told(), f"{kind.prefix}_{self._suffix}_{len(self.items)}", call_id, tool))
                self._seal = seal.Seal(part.by, part.signature, call=call_id) if part.signature else None
                said = part.arguments
            case _:
                self._take(lambda: _Whole(self._told(), f"ig_{self._suffix}_{len(self.items)}"))
                said = ""
        if self._writer is not None:
            self._writer.begin(part)
        if said:
            self.delta(said, logprobs)
        for citation in part.citations if isinstance(part, Text) else ():
            self.cite(citation)

    def delta(self, text: str, logprobs: bytes = b"") -> None:
        """More of the part."""
        if self._writer is not None and text:
            self._writer.delta(text, logprobs)

    def sign(self, signature: str) -> None:
        """The signature of a thinking part, or of a tool call."""
        if isinstance(self._writer, _Thought):
            self._writer.sign(signature)
        elif isinstance(self._writer, _Call) and isinstance(self._part, ToolCall):
            self._seal = seal.Seal(self._part.by, signature, call=self._writer.call_id)

    def cite(self, citation: Citation) -> None:
        """A citation within a text."""
        if isinstance(self._writer, _Message):
            self._writer.cite(citation)

    def end(self) -> None:
        """The part is complete; calls and items that came whole are closed at once, for nothing can follow in them."""
        if self._writer is not None:
            self._writer.end()
        if isinstance(self._writer, _Call | _Whole):
            self.close()
        if self._seal is not None:
            held, self._seal = self._seal, None
            self._take(lambda: _Thought(self._told(), f"rs_{self._suffix}_{len(self.items)}"))
            assert isinstance(self._writer, _Thought)
            self._writer.sealed = seal.close(held)
            self.close()

    def close(self, status: str = "completed") -> None:
        """Closes the open item."""
        if self._writer is not None:
            writer, self._writer = self._writer, None
            item = writer.close(status)
            if item:
                self.items.append(item)

    def _take(self, make: Callable[[], _Writer], goes_on: bool = False) -> None:
        if not goes_on:
            self.close()
            self._writer = make()

    def _thought_id(self, part: Thinking) -> str:
        return part.id if part.id and part.by == NAME else f"rs_{self._suffix}_{len(self.items)}"

    def _told(self) -> Emit:
        """`emit` for one item: every event names its place in the output."""
        index, emit = len(self.items), self._emit
        return lambda kind, fields: emit(kind, {"output_index": index, **fields})


class _Message:
    """A message of the assistant."""

    def __init__(self, emit: Emit, id: str) -> None:
        self._emit = emit
        self._id = id
        self._content: list[dict[str, Any]] = []
        self._words: list[str] = []
        self._annotations: list[Any] = []
        self._logprobs: list[msgspec.Raw] = []
        self._refusal = False
        emit("response.output_item.added", {"item": self._item("in_progress")})

    def begin(self, part: AnswerPart) -> None:
        self._refusal = isinstance(part, Refusal)
        self._words, self._annotations, self._logprobs = [], [], []
        self._tell("response.content_part.added", part=self._said())

    def delta(self, text: str, logprobs: bytes) -> None:
        self._words.append(text)
        if self._refusal:
            self._tell("response.refusal.delta", delta=text)
            return
        told = (_logprobs.decode(logprobs).content or []) if logprobs else []
        self._logprobs += told
        self._tell("response.output_text.delta", delta=text, logprobs=told)

    def cite(self, citation: Citation) -> None:
        """A citation as an annotation: this API's own as it came, an address, or else a document by its place and name."""
        if citation.by == NAME and citation.raw:
            annotation: Any = msgspec.Raw(citation.raw)
        elif citation.url:
            start, end = max(citation.start, 0), citation.end if citation.end >= 0 else sum(map(len, self._words))
            place = {"start_index": start, "end_index": end}
            annotation = {"type": "url_citation", "url": citation.url, "title": citation.title, **place}
        else:
            document = max(citation.document, 0)
            annotation = {"type": "file_citation", "file_id": f"document-{document}", "filename": citation.title, "index": document}
        self._tell("response.output_text.annotation.added", annotation_index=len(self._annotations), annotation=annotation)
        self._annotations.append(annotation)

    def end(self) -> None:
        said = self._said()
        if self._refusal:
            self._tell("response.refusal.done", refusal=said["refusal"])
        else:
            self._tell("response.output_text.done", text=said["text"], logprobs=self._logprobs)
        self._tell("response.content_part.done", part=said)
        self._content.append(said)

    def close(self, status: str) -> dict[str, Any]:
        item = self._item(status)
        self._emit("response.output_item.done", {"item": item})
        return item

    def _item(self, status: str) -> dict[str, Any]:
        return {"id": self._id, "type": "message", "status": status, "role": "assistant", "content": self._content}

    def _said(self) -> dict[str, Any]:
        words = "".join(self._words)
        if self._refusal:
            return {"type": "refusal", "refusal": words}
        return {"type": "output_text", "text": words, "annotations": self._annotations, "logprobs": self._logprobs}

    def _tell(self, kind: str, **fields: Any) -> None:
        self._emit(kind, {"item_id": self._id, "content_index": len(self._content), **fields})


class _Thought:
    """A reasoning item. What another dialect thought is told as a summary, and sealed for the way back."""

    def __init__(self, emit: Emit, id: str) -> None:
        self.sealed = ""
        self._emit = emit
        self._id = id
        self._part = Thinking()
        self._words: list[str] = []
        self._summary: list[Any] = []
        self._content: list[Any] = []
        emit("response.output_item.added", {"item": self._item()})

    def takes(self, part: Thinking) -> bool:
        """Whether a part belongs to this item: only this API's own come in several, all of them with the item's id."""
        return part.by == NAME and bool(part.id) and part.id == self._id and not self.sealed

    def begin(self, part: AnswerPart) -> None:
        if isinstance(part, Thinking):
            self._part = msgspec.structs.replace(part, text="")
            self._words = []

    def sign(self, signature: str) -> None:
        """Takes the signature of the part."""
        self._part = msgspec.structs.replace(self._part, signature=signature)

    def delta(self, text: str, logprobs: bytes) -> None:  # noqa: ARG002  # reasoning has none
        if not self._words:
            self._tell("part.added", {"text": ""})
        self._words.append(text)
        self._tell("text.delta", delta=text)

    def end(self) -> None:
        part, text = self._part, "".join(self._words)
        if text:
            self._tell("text.done", text=text)
            self._tell("part.done", {"text": text})
            held, kind = (self._content, "reasoning_text") if self._is_content() else (self._summary, "summary_text")
            held.append({"type": kind, "text": text})
        if part.by == NAME:
            self.sealed = part.sealed or self.sealed
        else:
            self.sealed = seal.close(seal.Seal(part.by, part.signature, part.sealed))

    def close(self, status: str) -> dict[str, Any]:  # noqa: ARG002  # reasoning items need no state
        item = self._item()
        self._emit("response.output_item.done", {"item": item})
        return item

    def _is_content(self) -> bool:
        return self._part.by == NAME and not self._part.summary

    def _item(self) -> dict[str, Any]:
        item: dict[str, Any] = {"id": self._id, "type": "reasoning", "summary": self._summary}
        if self._content:
            item["content"] = self._content
        if self.sealed:
            item["encrypted_content"] = self.sealed
        return item

    def _tell(self, kind: str, part: dict[str, Any] | None = None, **fields: Any) -> None:
        """An event of the summary, or of the reasoning itself; the two have names of their own."""
        if self._is_content():
            name = f"response.content_{kind}" if part is not None else f"response.reasoning_{kind}"
            place: dict[str, Any] = {"item_id": self._id, "content_index": len(self._content)}
            told = {} if part is None else {"part": {"type": "reasoning_text", **part}}
        else:
            name = f"response.reasoning_summary_{kind}"
            place = {"item_id": self._id, "summary_index": len(self._summary)}
            told = {} if part is None else {"part": {"type": "summary_text", **part}}
        self._emit(name, {**place, **told, **fields})


class _Call:
    """A function call."""

    prefix = "fc"
    kind = "function_call"
    words = "arguments"
    events = "response.function_call_arguments"

    def __init__(self, emit: Emit, id: str, call_id: str, tool: Named) -> None:
        self.call_id = call_id
        self._emit = emit
        self._id = id
        self._tool = tool
        self._written: list[str] = []
        emit("response.output_item.added", {"item": self._item("in_progress")})

    def begin(self, part: AnswerPart) -> None:
        """Nothing: the item itself has told all there is."""

    def delta(self, text: str, logprobs: bytes) -> None:  # noqa: ARG002  # calls have none
        self._written.append(text)
        self._emit(f"{self.events}.delta", {"item_id": self._id, "delta": text})

    def end(self) -> None:
        self._emit(f"{self.events}.done", {"item_id": self._id, "name": self._tool.name, self.words: "".join(self._written)})

    def close(self, status: str) -> dict[str, Any]:
        item = self._item(status)
        self._emit("response.output_item.done", {"item": item})
        return item

    def _item(self, status: str) -> dict[str, Any]:
        said = {"call_id": self.call_id, "name": self._tool.name, self.words: "".join(self._written)}
        if self._tool.namespace:
            said["namespace"] = self._tool.namespace
        return {"id": self._id, "type": self.kind, "status": status, **said}


class _Custom(_Call):
    """The call of a custom tool: the text inside the JSON arguments goes to the client as it comes."""

    prefix = "ctc"
    kind = "custom_tool_call"
    words = "input"
    events = "response.custom_tool_call_input"

    def __init__(self, emit: Emit, id: str, call_id: str, tool: Named) -> None:
        self._text = custom_tools.TextOfArguments()
        super().__init__(emit, id, call_id, tool)

    def delta(self, text: str, logprobs: bytes) -> None:
        if said := self._text.feed(text):
            super().delta(said, logprobs)

    def end(self) -> None:
        if said := self._text.rest():
            super().delta(said, b"")
        super().end()


class _Whole:
    """An item that comes all at once: one of this API's own, or an image. Anything else cannot be told, and is left out."""

    def __init__(self, emit: Emit, id: str) -> None:
        self._emit = emit
        self._id = id
        self._item: dict[str, Any] | msgspec.Raw | None = None

    def begin(self, part: AnswerPart) -> None:
        if isinstance(part, Foreign) and part.by == NAME:
            self._item = msgspec.Raw(part.raw)
        elif isinstance(part, Media) and part.kind == "image" and part.data:
            format = part.mime.removeprefix("image/") or "png"
            self._item = {
                "id": self._id,
                "type": "image_generation_call",
                "status": "completed",
                "output_format": format,
                "result": part.data,
            }
        if self._item is not None:
            self._emit("response.output_item.added", {"item": self._item})

    def delta(self, text: str, logprobs: bytes) -> None:
        """Nothing: it has no words."""

    def end(self) -> None:
        if self._item is not None:
            self._emit("response.output_item.done", {"item": self._item})

    def close(self, status: str) -> dict[str, Any] | msgspec.Raw:  # noqa: ARG002  # it came complete
        return {} if self._item is None else self._item
