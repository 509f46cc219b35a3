"""A client's body → the neutral request that routing reads."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from tierline.dialects.anthropic_messages.wire import NAME, Block, MessagesBody, Source, WireMessage, WireTool, WireToolChoice
from tierline.dialects.json_body import Fields, fields_and_view, typed, wrong_type
from tierline.types.errors import BadRequest
from tierline.types.request import Media, MediaKind, Message, Params, Part, Request, Role, Sealed, Text, Tool, ToolCall, ToolResult

_body = msgspec.json.Decoder(MessagesBody)
_blocks = msgspec.json.Decoder(str | list[Block] | None)
_source = msgspec.json.Decoder(Source)
_ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant", "system": "system"}
_CHOICES = {"auto": "auto", "any": "required", "none": "none"}
_KINDS: dict[str, MediaKind] = {"image": "image", "document": "document"}

_SEALED = Sealed()

T = TypeVar("T")


def chat(body: bytes) -> Request:
    """The body of POST /v1/messages; raises BadRequest."""
    raw, view = fields_and_view(body)
    wire = typed(_body, view)
    if wire.max_tokens is None:
        raise BadRequest("max_tokens: is missing; say how many tokens the answer may have", param="max_tokens")
    if wire.max_tokens < 0:
        raise BadRequest(f"max_tokens: {wire.max_tokens} is below 0", param="max_tokens")
    return _request(raw, wire)


def count(body: bytes) -> Request:
    """The body of POST /v1/messages/count_tokens: that of a message, without `max_tokens`; raises BadRequest."""
    raw, view = fields_and_view(body)
    return _request(raw, typed(_body, view))


def _request(raw: Fields, wire: MessagesBody) -> Request:
    if not wire.model:
        said = "is empty" if "model" in raw else "is missing"
        raise BadRequest(f'model: {said}; write "auto" to let Tierline choose', param="model")
    if not wire.messages:
        raise BadRequest("messages: send at least one message", param="messages")
    messages = [Message("system", parts)] if (parts := _parts(wire.system or "", "system")) else []
    for index, message in enumerate(wire.messages):
        messages.extend(_messages(index, message))
    return Request(
        id="",
        dialect=NAME,
        model=wire.model,
        messages=tuple(messages),
        tools=tuple([_tool(tool) for tool in wire.tools]) if wire.tools else (),
        params=_params(wire),
        stream=wire.stream is True,
        raw=raw,
    )


def _messages(index: int, wire: WireMessage) -> list[Message]:
    """One message; tool results and what else the user said become messages of their own, in the order they stand in."""
    role = _ROLES.get(wire.role)
    where = f"messages[{index}]"
    if role is None:
        said = f"{wire.role[:20]!r} is no role" if wire.role else "is missing"
        raise BadRequest(f"{where}.role: {said}; use user or assistant", param=f"{where}.role")
    if type(wire.content) is str:
        return [Message(role, (Text(wire.content),))]
    found: list[Message] = []
    run: list[Part] = []
    for part in _parts(wire.content, f"{where}.content"):
        if run and isinstance(part, ToolResult) != isinstance(run[-1], ToolResult):
            found.append(_run(role, run))
            run = []
        run.append(part)
    found.append(_run(role, run))
    return found


def _run(role: Role, parts: list[Part]) -> Message:
    return Message("tool" if parts and isinstance(parts[0], ToolResult) else role, tuple(parts))


def _parts(content: str | list[Block], where: str) -> tuple[Part, ...]:
    if isinstance(content, str):
        return (Text(content),) if content else ()
    return tuple([part for index, block in enumerate(content) if (part := _part(block, f"{where}[{index}]")) is not None])


def _part(block: Block, where: str) -> Part | None:
    """A block as routing sees it; None for unsigned thinking and for blocks that only Anthropic knows."""
    match block.type:
        case "text":
            return Text(block.text or "")
        case "tool_use":
            return ToolCall(block.id or "", block.name or "", bytes(block.input).decode(errors="replace"))
        case "tool_result":
            return ToolResult(block.tool_use_id or "", _words(block, where), failed=block.is_error is True)
        case "image" | "document":
            return _media(block, where)
        case "search_result":
            return Text(_words(block, where))
        case "thinking" | "redacted_thinking" if block.signature or block.data:
            return _SEALED
    return None


def _media(block: Block, where: str) -> Part:
    source = _nested(_source, block.source, f"{where}.source") or Source()
    if source.type == "text":
        return Text(source.data)
    if source.type == "content":
        inside = _nested(_blocks, source.content, f"{where}.source.content")
        return Text(_joined(inside))
    return Media(_KINDS[block.type], url=source.url or source.file_id, data=source.data, mime=source.media_type)


def _words(block: Block, where: str) -> str:
    """The text inside a tool result or a search result."""
    return _joined(_nested(_blocks, block.content, f"{where}.content"))


def _joined(content: str | list[Block] | None) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    return "\n".join([block.text for block in content if block.text])


def _nested(decoder: msgspec.json.Decoder[T], raw: msgspec.Raw, where: str) -> T | None:
    """What stands in a field whose type hangs on the block's; None where the field is absent."""
    if not bytes(raw):
        return None
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as fault:
        found = wrong_type(fault)
        at = f"{where}.{found.param}" if found.param else where
        said = found.message.removeprefix(f"{found.param}: ")
        raise BadRequest(f"{at}: {said}", param=at) from None
    except (msgspec.DecodeError, RecursionError):
        raise BadRequest(f"{where}: cannot be read", param=where) from None


def _tool(wire: WireTool) -> Tool:
    return Tool(wire.name or wire.type or "", wire.description or "", bytes(wire.input_schema) or b"{}")


def _params(wire: MessagesBody) -> Params:
    """Thinking that the model may leave out (`adaptive`) is no need of the request; a budget for it is."""
    shaped = wire.output_format is not None or (wire.output_config is not None and wire.output_config.format is not None)
    return Params(
        max_tokens=wire.max_tokens or None,
        response_format="json_schema" if shaped else "text",
        reasoning=wire.thinking is not None and wire.thinking.type == "enabled",
        tool_choice=_choice(wire.tool_choice),
    )


def _choice(given: WireToolChoice | None) -> str:
    """`auto`, `none`, `required`, or the name of the one tool that must be called."""
    if given is None:
        return "auto"
    return given.name or "required" if given.type == "tool" else _CHOICES.get(given.type, "auto")
