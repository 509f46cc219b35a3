"""A client's body → the neutral request."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from tierline.dialects.gemini.media import kind_of
from tierline.dialects.gemini.spelling import camel
from tierline.dialects.gemini.wire import (
    NAME,
    Blob,
    ChatBody,
    Content,
    Declaration,
    EmbedBody,
    EmbedRequest,
    FileData,
    GenerationConfig,
    ToolConfig,
    WirePart,
    many,
    told,
)
from tierline.dialects.json_body import fields_and_view, typed
from tierline.types.errors import BadRequest
from tierline.types.request import Media, MediaKind, Message, Params, Part, Request, Role, Sealed, Text, Tool, ToolCall, ToolResult

_chat = msgspec.json.Decoder(ChatBody)
_embed = msgspec.json.Decoder(EmbedBody)
ROLES: dict[str, Role] = {"user": "user", "model": "assistant", "function": "tool", "tool": "tool"}
"""Google's roles → the neutral ones; a turn without a role is the user's."""
CHOICES = {"AUTO": "auto", "ANY": "required", "NONE": "none", "VALIDATED": "auto", "MODE_UNSPECIFIED": "auto"}
"""Google's modes of calling functions → the neutral ones."""
_FAILED = re.compile(rb'\s*\{\s*"error"\s*:')
"""Google's own wrapping of what went wrong."""
_PLAIN = Params()


def chat(body: bytes) -> Request:
    """A generateContent request; `model` is empty unless the body names one, and `stream` false: both stand in the path.

    Raises BadRequest."""
    raw, view = fields_and_view(body)
    wire = typed(_chat, camel(view))
    contents = many(wire.contents)
    if not contents:
        raise BadRequest("contents: send at least one content", param="contents")
    messages = [] if wire.system_instruction is None else [Message("system", _parts(wire.system_instruction))]
    messages.extend([_message(index, content) for index, content in enumerate(contents)])
    return Request(
        id="",
        dialect=NAME,
        model=bare(wire.model),
        messages=tuple(messages),
        tools=tuple([_tool(spec) for tool in many(wire.tools) for spec in many(tool.function_declarations)]),
        params=_params(wire.generation_config or GenerationConfig(), wire.tool_config),
        raw=raw,
    )


def embeddings(body: bytes) -> Request:
    """An embedContent or batchEmbedContents request; raises BadRequest."""
    raw, view = fields_and_view(body)
    wire = typed(_embed, camel(view))
    requests: list[EmbedRequest] = [wire] if wire.requests is None else wire.requests
    where = "content" if wire.requests is None else "requests"
    if not requests or any(request.content is None for request in requests):
        raise BadRequest(f"{where}: send a content to embed", param=where)
    named = next((request.model for request in requests if request.model), None)
    inputs = tuple([_words(request.content) for request in requests if request.content is not None])
    return Request(id="", dialect=NAME, model=bare(wire.model or named), kind="embeddings", inputs=inputs, raw=raw)


def role_of(given: str | None, where: str) -> Role:
    """The neutral role of a content; raises BadRequest naming `where` for a word that is none."""
    role = ROLES.get(given or "user")
    if role is None:
        raise BadRequest(f"{where}: {(given or '')[:20]!r} is no role; use user or model", param=where)
    return role


def bare(model: str | None) -> str:
    """A model's name without `models/` before it."""
    return (model or "").removeprefix("models/")


def _message(index: int, content: Content) -> Message:
    parts = _parts(content)
    role = role_of(content.role, f"contents[{index}].role")
    if role == "user" and any(isinstance(part, ToolResult) for part in parts):
        role = "tool"
    return Message(role, parts)


def _parts(content: Content) -> tuple[Part, ...]:
    pieces = many(content.parts)
    parts = tuple([part for piece in pieces if (part := _part(piece)) is not None])
    return (*parts, _SEALED) if any(piece.thought_signature for piece in pieces) else parts


_SEALED = Sealed()


def _part(piece: WirePart) -> Part | None:
    if piece.text is not None:
        return Text(piece.text)
    if piece.function_call is not None:
        call = piece.function_call
        return ToolCall(call.id or call.name, call.name, bytes(call.args).decode() if told(call.args) else "{}")
    if piece.function_response is not None:
        answer = piece.function_response
        response = bytes(answer.response)
        return ToolResult(answer.id or answer.name, response.decode(), failed=_FAILED.match(response) is not None)
    if piece.inline_data is not None:
        return _inline(piece.inline_data)
    return _filed(piece.file_data) if piece.file_data is not None else None


def _inline(blob: Blob) -> Media:
    return Media(_shown(blob.mime_type or ""), data=blob.data or "", mime=blob.mime_type or "")


def _filed(file: FileData) -> Media:
    return Media(_shown(file.mime_type or ""), url=file.file_uri or "", mime=file.mime_type or "")


def _shown(mime: str) -> MediaKind:
    """Routing knows no films: to it they are documents."""
    kind = kind_of(mime)
    return "document" if kind == "video" else kind


def _words(content: Content) -> str:
    return "".join([part.text or "" for part in many(content.parts)])


def _tool(spec: Declaration) -> Tool:
    schema = spec.parameters_json_schema if told(spec.parameters_json_schema) else spec.parameters
    return Tool(spec.name, spec.description or "", bytes(schema) if told(schema) else b"{}")


def _params(config: GenerationConfig, tool_config: ToolConfig | None) -> Params:
    params = Params(
        max_tokens=config.max_output_tokens if config.max_output_tokens and config.max_output_tokens > 0 else None,
        response_format=shape_of(config),
        reasoning=thinks(config),
        tool_choice=_choice(tool_config),
        n=max(config.candidate_count or 1, 1),
        logprobs=config.response_logprobs is True,
    )
    return _PLAIN if params == _PLAIN else params


def shape_of(config: GenerationConfig) -> Literal["text", "json_object", "json_schema"]:
    """The shape that an answer must have."""
    if told(config.response_schema) or told(config.response_json_schema):
        return "json_schema"
    return "json_object" if config.response_mime_type == "application/json" else "text"


def thinks(config: GenerationConfig) -> bool:
    """Whether the request asks the model to think."""
    wanted = config.thinking_config
    if wanted is None or wanted.thinking_budget == 0:
        return False
    return bool(wanted.thinking_budget or wanted.thinking_level or wanted.include_thoughts)


def _choice(given: ToolConfig | None) -> str:
    """`auto`, `none`, `required`, or the name of the one function that must be called."""
    wanted = given.function_calling_config if given is not None else None
    if wanted is None:
        return "auto"
    allowed = many(wanted.allowed_function_names)
    mode = CHOICES.get((wanted.mode or "AUTO").upper())
    if mode is None:
        where = "toolConfig.functionCallingConfig.mode"
        raise BadRequest(f"{where}: {(wanted.mode or '')[:20]!r} is none of AUTO, ANY, NONE, VALIDATED", param=where)
    return allowed[0] if mode == "required" and len(allowed) == 1 else mode
