"""The messages of a request → turns: one a message, but results of tools that follow one another stand together."""

from __future__ import annotations

from typing import Any

import msgspec

from tierline.dialects import custom_tools
from tierline.dialects.openai_chat import carried, citations, finer
from tierline.dialects.openai_chat.finer import NAME, Object, read
from tierline.dialects.openai_chat.parts import cache_of, part_of
from tierline.types.conversation import Foreign, Media, Part, Refusal, Role, Text, ToolCall, ToolResult, Turn
from tierline.types.errors import BadRequest

_messages: msgspec.json.Decoder[list[Object]] = msgspec.json.Decoder(list[Object])
_content: msgspec.json.Decoder[str | list[Object] | None] = msgspec.json.Decoder(str | list[Object] | None)
_objects = msgspec.json.Decoder(list[Object] | None)
_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "developer",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}
_SPOKEN = frozenset({"role", "content", "name"})
_ASSISTANT = _SPOKEN | {"refusal", "tool_calls", "function_call", "reasoning_content", "reasoning", "annotations", carried.FIELD}
_RESULT = frozenset({"role", "content", "name", "tool_call_id"})


def turns(raw: msgspec.Raw) -> tuple[Turn, ...]:
    """The conversation; raises BadRequest."""
    names = _Calls()
    found: list[Turn] = []
    messages: list[Object] = read(_messages, raw, "messages")
    for index, message in enumerate(messages):
        where = f"messages[{index}]"
        role = _ROLES.get(read(finer.word, message.get("role"), f"{where}.role") or "")
        if role is None:
            raise BadRequest(f"{where}.role: is none of system, developer, user, assistant and tool", param=f"{where}.role")
        if role == "tool":
            result = names.answered(_result(message, where))
            if found and found[-1].role == "tool":
                found[-1] = Turn("tool", (*found[-1].parts, result))
            else:
                found.append(Turn("tool", (result,)))
            continue
        parts = _assistant(message, index, where) if role == "assistant" else _spoken(message, where, _SPOKEN)
        names.note(parts)
        found.append(Turn(role, tuple(parts), read(finer.word, message.get("name"), f"{where}.name") or ""))
    return tuple(found)


class _Calls:
    """The calls that have no result yet: results without an id belong to the oldest call of their name."""

    __slots__ = ("_names", "_waiting")

    def __init__(self) -> None:
        self._waiting: list[ToolCall] = []
        self._names: dict[str, str] = {}

    def note(self, parts: list[Part]) -> None:
        calls = [part for part in parts if isinstance(part, ToolCall)]
        self._waiting += calls
        self._names.update({call.id: call.name for call in calls})

    def answered(self, result: ToolResult) -> ToolResult:
        """The result with the name of its tool, and an id where it had none."""
        call = next((call for call in self._waiting if (call.id == result.id if result.id else call.name == result.name)), None)
        if call is not None:
            self._waiting.remove(call)
        id = result.id or (call.id if call is not None else f"call_{result.name}")
        return msgspec.structs.replace(result, id=id, name=result.name or self._names.get(id, ""))


def _content_of(message: Object, where: str) -> str | list[Object] | None:
    return read(_content, message.get("content"), f"{where}.content")


def _spoken(message: Object, where: str, known: frozenset[str]) -> list[Part]:
    content = _content_of(message, where)
    more = finer.left(message, known)
    parts: list[Part]
    if isinstance(content, str):
        parts = [Text(content)] if content else []
    else:
        parts = [part_of(entry, f"{where}.content[{at}]") for at, entry in enumerate(content or ())]
    return [*parts, *[finer.field(name, value) for name, value in more.items()]]


def _assistant(message: Object, index: int, where: str) -> list[Part]:
    """Reasoning, then words, then calls: the order in which they were made."""
    words = _spoken(message, where, _ASSISTANT)
    thought = read(finer.word, message.get("reasoning_content"), f"{where}.reasoning_content") or (
        read(finer.word, message.get("reasoning"), f"{where}.reasoning") if _is_text(message.get("reasoning")) else None
    )
    found, others = carried.parted(read(_objects, message.get(carried.FIELD), f"{where}.{carried.FIELD}") or [])
    parts: list[Part] = [*carried.thoughts(thought or "", found)]
    if others:
        parts.append(finer.field(carried.FIELD, msgspec.Raw(msgspec.json.encode(others))))
    parts += citations.cited(words, read(_objects, message.get("annotations"), f"{where}.annotations") or [])
    refusal = read(finer.word, message.get("refusal"), f"{where}.refusal")
    if refusal:
        parts.append(Refusal(refusal))
    for at, call in enumerate(read(_objects, message.get("tool_calls"), f"{where}.tool_calls") or ()):
        called = call_of(call, f"call_{index}_{at}", f"{where}.tool_calls[{at}]")
        parts.append(carried.signed_call(called, found) if isinstance(called, ToolCall) else called)
    legacy = read(finer.object_, message.get("function_call"), f"{where}.function_call")
    if legacy is not None:
        parts.append(_function(legacy, f"call_{index}", f"{where}.function_call", {}))
    return parts


def _is_text(raw: msgspec.Raw | None) -> bool:
    return raw is not None and bytes(raw).lstrip().startswith(b'"')


def call_of(call: Object, default_id: str, where: str) -> Part:
    """An entry of `tool_calls`; what is neither a function nor a custom tool becomes Foreign."""
    id = read(finer.word, call.get("id"), f"{where}.id") or default_id
    more: dict[str, Any] = {**finer.left(call, frozenset({"id", "type", "function", "custom", "index"}))}
    custom = read(finer.object_, call.get("custom"), f"{where}.custom")
    if custom is not None:
        name, text = (read(finer.word, custom.get(field), f"{where}.custom.{field}") or "" for field in ("name", "input"))
        return ToolCall(id, name, custom_tools.as_arguments(text), **finer.packed({**more, "type": finer.CUSTOM}))
    function = read(finer.object_, call.get("function"), f"{where}.function")
    if function is not None:
        return _function(function, id, f"{where}.function", more)
    return Foreign(NAME, "tool_call", msgspec.json.encode(call))


def _function(function: Object, id: str, where: str, more: dict[str, Any]) -> ToolCall:
    name, arguments = (read(finer.word, function.get(field), f"{where}.{field}") or "" for field in ("name", "arguments"))
    return ToolCall(id, name, arguments or "{}", **finer.packed(more))


def _result(message: Object, where: str) -> ToolResult:
    """What a tool gave back. Content that holds other parts than words and media is kept whole beside them."""
    content = _content_of(message, where)
    more: dict[str, Any] = finer.left(message, _RESULT)
    if isinstance(content, str) or content is None:
        parts: list[Any] = [Text(content)] if content else []
    else:
        found = [part_of(entry, f"{where}.content[{at}]") for at, entry in enumerate(content)]
        parts = [part for part in found if isinstance(part, Text | Media)]
        if len(parts) < len(found):
            more["content"] = message["content"]
    name = read(finer.word, message.get("name"), f"{where}.name") or ""
    id = read(finer.word, message.get("tool_call_id"), f"{where}.tool_call_id") or ""
    if name and id:
        more["name"] = message["name"]
    return ToolResult(id, tuple(parts), name, cache=cache_of(message, where), **finer.packed(more))
