"""A client's body → the neutral request."""

from __future__ import annotations

from typing import Literal

import msgspec

from tierline.dialects.json_body import Fields, fields_and_view, typed
from tierline.dialects.openai_chat.wire import (
    NOTHING,
    ChatBody,
    ContentPart,
    EmbeddingsBody,
    FunctionSpec,
    NamedTool,
    ResponseFormat,
    WireMessage,
)
from tierline.types.errors import BadRequest
from tierline.types.request import Media, MediaKind, Message, Params, Part, Refusal, Request, Role, Sealed, Text, Tool, ToolCall, ToolResult

_chat = msgspec.json.Decoder(ChatBody)
_embeddings = msgspec.json.Decoder(EmbeddingsBody)
_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}
Shape = Literal["text", "json_object", "json_schema"]
_SHAPES: dict[str, Shape] = {"text": "text", "json_object": "json_object", "json_schema": "json_schema"}
_PLACEHOLDER = "tok "
_SEALED = Sealed()
_SEAL = b'"reasoning.encrypted"'
"""The type of an entry of `reasoning_details` that holds a signature or sealed reasoning."""


def chat(body: bytes) -> Request:
    """A chat completion request; raises BadRequest."""
    raw, view = fields_and_view(body)
    wire = typed(_chat, view)
    if not wire.model:
        raise _no_model(raw)
    if not wire.messages:
        raise BadRequest("messages: send at least one message", param="messages")
    return Request(
        id="",
        dialect="openai_chat",
        model=wire.model,
        messages=tuple([_message(index, message) for index, message in enumerate(wire.messages)]),
        tools=_tools(wire) if wire.tools or wire.functions else (),
        params=_params(wire),
        stream=wire.stream is True,
        raw=raw,
    )


def embeddings(body: bytes) -> Request:
    """An embeddings request; raises BadRequest."""
    raw, view = fields_and_view(body)
    wire = typed(_embeddings, view)
    if not wire.model:
        raise _no_model(raw)
    if not wire.input:
        raise BadRequest("input: send a text, a list of texts, or token arrays", param="input")
    return Request(id="", dialect="openai_chat", model=wire.model, kind="embeddings", inputs=_inputs(wire.input), raw=raw)


def _no_model(raw: Fields) -> BadRequest:
    said = "is empty" if "model" in raw else "is missing"
    return BadRequest(f'model: {said}; write "auto" to let Tierline choose', param="model")


def _inputs(given: str | list[str | int | list[int]]) -> tuple[str, ...]:
    if isinstance(given, str):
        return (given,)
    if isinstance(given[0], int):
        if not all(isinstance(token, int) for token in given):
            raise BadRequest("input: a token array may hold integers only", param="input")
        return (_PLACEHOLDER * len(given),)
    texts = [item if isinstance(item, str) else _PLACEHOLDER * len(item) for item in given if not isinstance(item, int)]
    if len(texts) != len(given):
        raise BadRequest("input: mix no integers with texts or token arrays", param="input")
    return tuple(texts)


def _message(index: int, wire: WireMessage) -> Message:
    role = _ROLES.get(wire.role)
    if role is None:
        said = f"{wire.role[:20]!r} is no role" if wire.role else "is missing"
        where = f"messages[{index}].role"
        raise BadRequest(f"{where}: {said}; use system, developer, user, assistant or tool", param=where)
    content = wire.content
    if role == "tool":
        text = content if isinstance(content, str) else "".join([part.text or "" for part in content or ()])
        return Message(role, (ToolResult(wire.tool_call_id or wire.name or "", text),))
    if type(content) is str and not (wire.tool_calls or wire.refusal or wire.function_call or wire.reasoning_details is not NOTHING):
        return Message(role, (Text(content),))
    return Message(role, tuple(_parts(wire)))


def _parts(wire: WireMessage) -> list[Part]:
    parts: list[Part] = []
    if isinstance(wire.content, str):
        parts.append(Text(wire.content))
    elif wire.content:
        parts.extend([part for piece in wire.content if (part := _part(piece)) is not None])
    if wire.refusal:
        parts.append(Refusal(wire.refusal))
    for call in wire.tool_calls or ():
        called = call.function or call.custom
        if called is not None:
            parts.append(ToolCall(call.id or "", called.name, called.arguments or called.input or ""))
    if wire.function_call is not None:
        parts.append(ToolCall("", wire.function_call.name, wire.function_call.arguments or ""))
    if _SEAL in bytes(wire.reasoning_details):
        parts.append(_SEALED)
    return parts


def _part(piece: ContentPart) -> Part | None:
    if piece.text is not None:
        return Text(piece.text)
    if piece.image_url is not None:
        return _media("image", piece.image_url if isinstance(piece.image_url, str) else piece.image_url.url)
    if piece.input_audio is not None:
        return Media("audio", data=piece.input_audio.data, mime=f"audio/{piece.input_audio.format}" if piece.input_audio.format else "")
    if piece.file is not None:
        return _media("document", piece.file.file_data or piece.file.file_id)
    if piece.refusal is not None:
        return Refusal(piece.refusal)
    return None


def _media(kind: MediaKind, address: str) -> Media:
    if not address.startswith("data:"):
        return Media(kind, url=address)
    head, _, data = address.partition(",")
    return Media(kind, data=data, mime=head[5:].partition(";")[0])


def _tools(wire: ChatBody) -> tuple[Tool, ...]:
    named = [spec for tool in wire.tools or () if (spec := tool.function or tool.custom) is not None]
    return tuple([_tool(spec) for spec in (*named, *(wire.functions or ()))])


def _tool(spec: FunctionSpec) -> Tool:
    return Tool(spec.name, spec.description or "", bytes(spec.parameters) or b"{}")


def _params(wire: ChatBody) -> Params:
    limit = wire.max_completion_tokens or wire.max_tokens
    shape = _shape(wire.response_format) if wire.response_format is not None else "text"
    if shape == "text" and not (limit or wire.tool_choice or wire.function_call or wire.n or wire.logprobs or wire.reasoning_effort):
        return _PLAIN
    return Params(
        max_tokens=limit if limit and limit > 0 else None,
        response_format=shape,
        reasoning=wire.reasoning_effort not in (None, "none"),
        tool_choice=_choice(wire.tool_choice or wire.function_call),
        n=wire.n or 1,
        logprobs=wire.logprobs is True,
    )


_PLAIN = Params()


def _shape(given: ResponseFormat) -> Shape:
    shape = _SHAPES.get(given.type)
    if shape is None:
        where = "response_format.type"
        raise BadRequest(f"{where}: {given.type[:20]!r} is none of {', '.join(_SHAPES)}", param=where)
    return shape


def _choice(given: str | NamedTool | None) -> str:
    """`auto`, `none`, `required`, or the name of the one tool that must be called."""
    if given is None or isinstance(given, str):
        return given or "auto"
    named = given.function or given.custom
    return named.name if named is not None else given.name or given.type or "auto"
