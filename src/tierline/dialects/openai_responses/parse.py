"""A client's body → the neutral request."""

from __future__ import annotations

from typing import Literal

import msgspec

from tierline.dialects.json_body import fields_and_view, typed, wrong_type
from tierline.dialects.openai_responses import tool_names
from tierline.dialects.openai_responses.wire import Content, Item, NamedTool, Raw, ResponsesBody, ToolEntry
from tierline.types.errors import BadRequest
from tierline.types.request import Media, MediaKind, Message, Params, Part, Refusal, Request, Role, Sealed, Text, Tool, ToolCall, ToolResult

_body = msgspec.json.Decoder(ResponsesBody)
_content = msgspec.json.Decoder(str | list[Content] | None)
_text = msgspec.json.Decoder(str)
_entries = msgspec.json.Decoder(list[Raw])
_entry = msgspec.json.Decoder(ToolEntry)
_ROLES: dict[str, Role] = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
_SHAPES: dict[str, Literal["json_object", "json_schema"]] = {"json_object": "json_object", "json_schema": "json_schema"}
_LOGPROBS = "message.output_text.logprobs"


def responses(body: bytes) -> Request:
    """A request to make a response; raises BadRequest."""
    raw, view = fields_and_view(body)
    wire = typed(_body, view)
    if not wire.model:
        said = "is empty" if "model" in raw else "is missing"
        raise BadRequest(f'model: {said}; write "auto" to let Tierline choose', param="model")
    messages = _messages(wire)
    if not messages and not (wire.input or wire.previous_response_id or _given(wire.prompt) or _given(wire.conversation)):
        raise BadRequest("input: send a text or a list of items", param="input")
    return Request(
        id="",
        dialect="openai_responses",
        model=wire.model,
        messages=messages,
        tools=tuple([tool for index, entry in enumerate(wire.tools or ()) for tool in _tools(index, entry)]),
        params=_params(wire),
        stream=wire.stream is True,
        raw=raw,
    )


def role_of(index: int, role: str | None) -> str:
    """A message's role; raises BadRequest for one that does not exist."""
    if role in _ROLES:
        return role
    where = f"input[{index}].role"
    said = f"{role[:20]!r} is no role" if role else "is missing"
    raise BadRequest(f"{where}: {said}; use user, assistant, system or developer", param=where)


def content_of(index: int, raw: Raw, field: str = "content") -> str | list[Content]:
    """The content of a message or the output of a tool; raises BadRequest naming its place."""
    if not _given(raw):
        return ""
    try:
        return _content.decode(raw) or ""
    except msgspec.ValidationError as fault:
        inner = wrong_type(fault)
        rest = f".{inner.param}" if inner.param and not inner.param.startswith("[") else inner.param or ""
        where = f"input[{index}].{field}{rest}"
        raise BadRequest(f"{where}: {inner.message.removeprefix(f'{inner.param}: ')}", param=where) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadRequest(f"input[{index}].{field}: not valid JSON", param=f"input[{index}].{field}") from None


def text_of(raw: Raw) -> str:
    """A string; whatever else stands there as its JSON text; nothing as the empty text."""
    if not _given(raw):
        return ""
    try:
        return _text.decode(raw)
    except msgspec.DecodeError:
        return bytes(raw).decode("utf-8", "replace")


def data_url(address: str) -> tuple[str, str]:
    """MIME type and Base64 of a `data:` address; two empty texts for any other."""
    if not address.startswith("data:"):
        return "", ""
    head, _, data = address.partition(",")
    return head[5:].partition(";")[0], data


def kind_of(item: Item) -> str:
    """The type of an item: one without a type is a message where it has a role, else a reference."""
    return item.type or ("message" if item.role is not None or _given(item.content) else "item_reference")


def _given(raw: Raw) -> bool:
    return bytes(raw) not in (b"", b"null")


def _messages(wire: ResponsesBody) -> tuple[Message, ...]:
    messages = [Message("system", (Text(wire.instructions),))] if wire.instructions else []
    if isinstance(wire.input, str):
        if wire.input:
            messages.append(Message("user", (Text(wire.input),)))
        return tuple(messages)
    for index, item in enumerate(wire.input or ()):
        message = _message(index, item)
        if message is not None:
            messages.append(message)
    return tuple(messages)


def _message(index: int, item: Item) -> Message | None:
    """What routing reads of an item; None for those whose words it does not know."""
    match kind_of(item):
        case "message":
            role = _ROLES[role_of(index, item.role)]
            return Message(role, tuple(_parts(content_of(index, item.content))))
        case "function_call":
            return Message("assistant", (ToolCall(item.call_id or "", item.name or "", text_of(item.arguments)),))
        case "custom_tool_call":
            return Message("assistant", (ToolCall(item.call_id or "", item.name or "", text_of(item.input)),))
        case "function_call_output" | "custom_tool_call_output":
            content = content_of(index, item.output, "output")
            text = content if isinstance(content, str) else "".join([part.text or "" for part in content])
            return Message("tool", (ToolResult(item.call_id or "", text),))
        case "reasoning" if item.encrypted_content:
            return _SEALED
        case _:
            return None


_SEALED = Message("assistant", (Sealed(),))


def _parts(content: str | list[Content]) -> list[Part]:
    if isinstance(content, str):
        return [Text(content)]
    return [part for piece in content if (part := _part(piece)) is not None]


def _part(piece: Content) -> Part | None:
    if piece.text is not None:
        return Text(piece.text)
    if piece.refusal is not None:
        return Refusal(piece.refusal)
    if piece.type == "input_image":
        return _media("image", piece.image_url or piece.file_id or "")
    if piece.type == "input_file":
        mime, data = data_url(piece.file_data or "")
        return Media("document", url=piece.file_url or piece.file_id or "", data=data or piece.file_data or "", mime=mime)
    if piece.input_audio is not None:
        return Media("audio", data=piece.input_audio.data, mime=f"audio/{piece.input_audio.format}" if piece.input_audio.format else "")
    return None


def _media(kind: MediaKind, address: str) -> Media:
    mime, data = data_url(address)
    return Media(kind, data=data, mime=mime) if data else Media(kind, url=address)


def entries_of(space: ToolEntry) -> list[Raw]:
    """The tools of a namespace; raises BadRequest."""
    try:
        entries = _entries.decode(space.tools) if _given(space.tools) else []
        for entry in entries:
            _entry.decode(entry)
        return entries
    except msgspec.ValidationError as fault:
        raise wrong_type(fault) from None


def _tools(index: int, tool: ToolEntry) -> list[Tool]:
    if tool.type == "namespace":
        return [_tool(index, _entry.decode(inner), tool.name or "") for inner in entries_of(tool)]
    return [_tool(index, tool)]


def _tool(index: int, tool: ToolEntry, space: str = "") -> Tool:
    if tool.type in ("function", "custom") and not tool.name:
        raise BadRequest(f"tools[{index}].name: is missing", param=f"tools[{index}].name")
    name = tool_names.full(space, tool.name or tool.type)
    return Tool(name, tool.description or "", bytes(tool.parameters) if _given(tool.parameters) else b"{}")


def _params(wire: ResponsesBody) -> Params:
    limit = wire.max_output_tokens
    shape = wire.text.format if wire.text is not None else None
    return Params(
        max_tokens=limit if limit and limit > 0 else None,
        response_format=_SHAPES.get(shape.type, "text") if shape is not None else "text",
        reasoning=wire.reasoning is not None and wire.reasoning.effort not in (None, "none"),
        tool_choice=_choice(wire.tool_choice),
        logprobs=bool(wire.top_logprobs) or _LOGPROBS in (wire.include or ()),
    )


def _choice(given: str | NamedTool | None) -> str:
    """`auto`, `none`, `required`, or the name of the one tool that must be called."""
    if given is None or isinstance(given, str):
        return given or "auto"
    if given.type == "allowed_tools":
        return given.mode or "auto"
    return given.name or given.type or "auto"
