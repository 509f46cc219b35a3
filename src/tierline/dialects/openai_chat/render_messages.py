"""Turns → messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from tierline.dialects import custom_tools
from tierline.dialects.openai_chat import call_ids, finer
from tierline.dialects.openai_chat.citations import annotation_of
from tierline.dialects.openai_chat.finer import FIELD, NAME
from tierline.dialects.openai_chat.parts import Wire, media_part, text_part
from tierline.types.conversation import Foreign, Media, Part, Refusal, Text, Thinking, ToolCall, ToolResult, Turn

NOT_SHOWN = "(The tool gave back {kind} that cannot be shown here.)"
"""What stands for an image, a sound or a document in a tool's result."""
_KINDS = {"image": "an image", "audio": "a sound", "video": "a film", "document": "a document"}
_OPENAI_FILES = (NAME, "openai_responses")


class Messages:
    """Gathers messages. `own`: the conversation was made in this dialect; `by`: by which it was; `openai`: the model is one of OpenAI's.
    What cannot be carried is added to `dropped`."""

    __slots__ = ("_by", "_dropped", "_openai", "_own", "rendered")

    def __init__(self, *, by: str, openai: bool, dropped: list[str]) -> None:
        self._by = by
        self._own = by == NAME
        self._openai = openai
        self._dropped = dropped
        self.rendered: list[Wire] = []

    def turns(self, turns: Sequence[Turn]) -> None:
        """Adds every turn; calls without an id get one."""
        for turn in turns if self._own else _with_ids(turns):
            results = [part for part in turn.parts if isinstance(part, ToolResult)]
            self.rendered += [self._result(part) for part in results]
            others: list[Part] = [part for part in turn.parts if not isinstance(part, ToolResult)]
            if others or not results:
                self._message(turn, others)

    def _message(self, turn: Turn, parts: list[Part]) -> None:
        role: str = "user" if turn.role == "tool" else turn.role
        if role == "developer" and not (self._own or self._openai):
            role = "system"
        content = [wire for part in parts if (wire := self._content(role, part)) is not None]
        fields = self._assistant(parts) if role == "assistant" else {}
        fields.update(self._left(parts))
        if not (content or fields or self._own):
            return
        named = {"name": turn.name} if turn.name else {}
        self.rendered.append({"role": role, "content": _plain(content, beside=bool(fields) and role == "assistant"), **named, **fields})

    def _content(self, role: str, part: Part) -> Wire | msgspec.Raw | None:
        """A part of the content; None for what stands elsewhere in the message or nowhere."""
        match part:
            case Refusal() if role == "assistant":
                return None
            case Text() | Refusal():
                return self._text(part)
            case Media():
                return self._media(part, role == "user" or self._own)
            case Foreign(by, kind, raw) if by == NAME and kind != "tool_call" and not kind.startswith(FIELD):
                return msgspec.Raw(raw)
            case Foreign() if part.by != NAME:
                self._dropped.append(f"foreign:{part.kind}")
            case ToolCall() if role != "assistant":
                self._dropped.append("tool_call")
            case Thinking():
                self._thinking(part)
        return None

    def _text(self, part: Text | Refusal) -> Wire:
        if isinstance(part, Text):
            self._cached(part.cache, part.by)
            if any(citation.by != NAME for citation in part.citations):
                self._dropped.append("citations")
        return text_part(part)

    def _media(self, part: Media, allowed: bool) -> Wire | None:
        self._cached(part.cache, part.by)
        if part.cite:
            self._dropped.append("citations")
        if part.file_id and not (self._own or part.by in _OPENAI_FILES or (not part.by and self._by in _OPENAI_FILES)):
            self._dropped.append("file_id")
            return None
        wire = media_part(part, self._own) if allowed else None
        if wire is None:
            self._dropped.append("file_id" if part.file_id else part.kind)
        return wire

    def _thinking(self, part: Thinking) -> None:
        """Names the reasoning that another dialect's model made, and its signatures."""
        if part.text and not self._keeps(part):
            self._dropped.append("thinking")
        if part.signature or part.sealed:
            self._dropped.append("thinking.signature")

    def _keeps(self, part: Thinking) -> bool:
        return part.by == NAME and not (self._openai and not self._own)

    def _assistant(self, parts: list[Part]) -> Wire:
        """What an assistant's message holds beside its content."""
        fields: Wire = {}
        thought = "".join([part.text for part in parts if isinstance(part, Thinking) and self._keeps(part)])
        if thought:
            fields["reasoning_content"] = thought
        if refusals := [part.text for part in parts if isinstance(part, Refusal)]:
            fields["refusal"] = "".join(refusals)
        cited = [citation for part in parts if isinstance(part, Text) for citation in part.citations if citation.by == NAME]
        if cited:
            fields["annotations"] = [annotation_of(citation, 0, -1) for citation in cited]
        calls: list[Any] = [self._call(part) for part in parts if isinstance(part, ToolCall)]
        calls += [msgspec.Raw(part.raw) for part in parts if isinstance(part, Foreign) and (part.by, part.kind) == (NAME, "tool_call")]
        if calls:
            fields["tool_calls"] = calls
        return fields

    def _left(self, parts: list[Part]) -> Wire:
        """The fields of the message that only this dialect knows."""
        held = [part for part in parts if isinstance(part, Foreign) and part.by == NAME and part.kind.startswith(FIELD)]
        return {part.kind.removeprefix(FIELD): msgspec.Raw(part.raw) for part in held}

    def _call(self, call: ToolCall) -> Wire:
        if call.signature:
            self._dropped.append("thinking.signature")
        self._cached(call.cache, call.by)
        return written_call(call, call.id if self._own else call_ids.fitted(call.id))

    def _result(self, result: ToolResult) -> Wire:
        if result.failed:
            self._dropped.append("tool_result.failed")
        self._cached(result.cache, result.by)
        content = [wire for part in result.parts if (wire := self._given_back(part)) is not None]
        id = result.id if self._own else call_ids.fitted(result.id)
        return {"role": "tool", "tool_call_id": id, "content": _plain(content), **finer.unpacked(result)}

    def _given_back(self, part: Text | Media) -> Wire | None:
        """A part of a tool's result: words only, but for servers whose own client sent more."""
        if isinstance(part, Text):
            return self._text(part)
        if part.text and not part.data:
            return self._media(part, True)
        return self._media(part, self._own) or {"type": "text", "text": NOT_SHOWN.format(kind=_KINDS[part.kind])}

    def _cached(self, cache: str, by: str) -> None:
        if cache and by != NAME:
            self._dropped.append("cache")


def written_call(call: ToolCall, id: str) -> Wire:
    """An entry of `tool_calls`."""
    more = finer.unpacked(call)
    if more.pop("type", None) is not None:
        return {"id": id, "type": "custom", "custom": {"name": call.name, "input": custom_tools.as_text(call.arguments)}, **more}
    return {"id": id, "type": "function", "function": {"name": call.name, "arguments": call.arguments or "{}"}, **more}


def _plain(content: list[Any], *, beside: bool = False) -> str | list[Any] | None:
    """One text and nothing else as a string, as most clients write it; nothing as null where calls, a refusal or
    the like stand `beside` it."""
    if not content:
        return None if beside else ""
    if len(content) == 1 and isinstance(content[0], dict) and content[0].keys() == {"type", "text"}:
        words: str = content[0]["text"]
        return words
    return content


def _with_ids(turns: Sequence[Turn]) -> list[Turn]:
    """The turns with an id for every call; results without one belong to the oldest call of their name still open."""
    waiting: list[ToolCall] = []
    return [
        msgspec.structs.replace(turn, parts=tuple([_with_id(part, at, waiting) for part in turn.parts])) for at, turn in enumerate(turns)
    ]


def _with_id(part: Part, at: int, waiting: list[ToolCall]) -> Part:
    if isinstance(part, ToolCall):
        call = part if part.id else msgspec.structs.replace(part, id=f"call_{at}_{len(waiting)}")
        waiting.append(call)
        return call
    if not isinstance(part, ToolResult):
        return part
    call_of = next((call for call in waiting if (call.id == part.id if part.id else part.name in ("", call.name))), None)
    if call_of is None:
        return part
    waiting.remove(call_of)
    return msgspec.structs.replace(part, id=call_of.id)
