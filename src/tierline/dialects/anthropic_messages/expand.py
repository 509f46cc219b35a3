"""A request of this dialect, whole, in the neutral form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from tierline.dialects.anthropic_messages import reasoning
from tierline.dialects.anthropic_messages.parts import cache_of, finer, part_of, signed
from tierline.dialects.anthropic_messages.wire import NAME, Format, WireSampling, WireTool, WireToolChoice
from tierline.dialects.json_body import Fields, field_of, wrong_field
from tierline.types.conversation import (
    Conversation,
    Foreign,
    Output,
    Part,
    Reasoning,
    Role,
    Sampling,
    Text,
    ToolChoice,
    ToolResult,
    ToolSpec,
    Turn,
)
from tierline.types.errors import BadRequest
from tierline.types.request import Request

_fields = msgspec.json.Decoder(Fields)
_content = msgspec.json.Decoder(str | list[msgspec.Raw])
_messages = msgspec.json.Decoder(list[Fields])
_list = msgspec.json.Decoder(list[msgspec.Raw] | None)
_tool = msgspec.json.Decoder(WireTool)
_choice = msgspec.json.Decoder(WireToolChoice | None)
_text = msgspec.json.Decoder(str)
_maybe_text = msgspec.json.Decoder(str | None)
_sampled = msgspec.json.Decoder(WireSampling)
_format = msgspec.json.Decoder(Format | None)
_ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant", "system": "system"}
_OWN_METADATA = ("x-tierline-", "tierline_")
_MODES = {"auto": "auto", "any": "required", "none": "none", "tool": "one"}
_TOOL = {"type", "name", "description", "input_schema", "strict", "cache_control"}
_HELD = {
    *("model", "messages", "system", "max_tokens", "temperature", "top_p", "top_k", "stop_sequences", "stream"),
    *("tools", "tool_choice", "thinking", "output_config", "output_format", "metadata"),
}


def conversation(request: Request) -> Conversation:
    """A request of this dialect, whole; raises BadRequest naming the field that has no meaning."""
    raw = request.raw
    output_config = _object(raw, "output_config")
    tools, foreign_tools = _tools(raw)
    user, metadata = _metadata(raw)
    extra = {key: bytes(value) for key, value in raw.items() if key not in _HELD and bytes(value) != b"null"}
    if rest := {key: value for key, value in output_config.items() if key not in ("effort", "format")}:
        extra["output_config"] = msgspec.json.encode(rest)
    return Conversation(
        by=NAME,
        turns=tuple(_turns(raw)),
        tools=tools,
        foreign_tools=foreign_tools,
        tool_choice=_tool_choice(raw),
        output=_output(bytes(output_config.get("format", b"")) or bytes(raw.get("output_format", b""))),
        reasoning=_reasoning(raw, output_config),
        sampling=_sampling(raw),
        stream=request.stream,
        user=user,
        metadata=metadata,
        extra=extra,
    )


def _turns(raw: Mapping[str, Any]) -> list[Turn]:
    turns: list[Turn] = []
    if "system" in raw and (parts := _parts(raw["system"], "system")):
        turns.append(Turn("system", parts))
    messages = field_of(_messages, raw["messages"], "messages")
    for index, message in enumerate(messages):
        where = f"messages[{index}]"
        role = _ROLES[field_of(_text, message["role"], f"{where}.role")]
        parts = _parts(message.get("content", msgspec.Raw(b'""')), f"{where}.content")
        turns.extend(_split(role, parts))
    return turns


def _split(role: Role, parts: tuple[Part, ...]) -> list[Turn]:
    """Tool results stand in turns of their own, in the order they came in."""
    if not any(isinstance(part, ToolResult) for part in parts):
        return [Turn(role, parts)]
    turns: list[Turn] = []
    run: list[Part] = []
    for part in parts:
        if run and isinstance(part, ToolResult) != isinstance(run[-1], ToolResult):
            turns.append(Turn("tool" if isinstance(run[-1], ToolResult) else role, tuple(run)))
            run = []
        run.append(part)
    turns.append(Turn("tool" if isinstance(run[-1], ToolResult) else role, tuple(run)))
    return turns


def _parts(raw: msgspec.Raw, where: str) -> tuple[Part, ...]:
    if bytes(raw) == b"null":
        return ()
    content = field_of(_content, raw, where)
    if isinstance(content, str):
        return (Text(content),) if content else ()
    parts: list[Part] = []
    for index, block in enumerate(content):
        try:
            parts.append(part_of(bytes(block)))
        except (msgspec.DecodeError, RecursionError) as fault:
            raise wrong_field(fault, f"{where}[{index}]") from None
    return signed(parts)


def _tools(raw: Mapping[str, Any]) -> tuple[tuple[ToolSpec, ...], tuple[Foreign, ...]]:
    specs: list[ToolSpec] = []
    foreign: list[Foreign] = []
    for index, entry in enumerate(field_of(_list, raw.get("tools", b"null"), "tools") or ()):
        wire = field_of(_tool, entry, f"tools[{index}]")
        if wire.type not in (None, "custom"):
            foreign.append(Foreign(NAME, wire.type or "", bytes(entry)))
            continue
        own = {key: value for key, value in _fields.decode(entry).items() if key not in _TOOL and bytes(value) != b"null"}
        try:
            cache = cache_of(wire.cache_control, own)
        except msgspec.DecodeError as fault:
            raise wrong_field(fault, f"tools[{index}].cache_control") from None
        parameters = bytes(wire.input_schema) or b"{}"
        specs.append(ToolSpec(wire.name, wire.description or "", parameters, wire.strict, cache, **finer(own)))
    return tuple(specs), tuple(foreign)


def _tool_choice(raw: Mapping[str, Any]) -> ToolChoice:
    wire = field_of(_choice, raw.get("tool_choice", b"null"), "tool_choice")
    if wire is None:
        return ToolChoice()
    mode = _MODES.get(wire.type)
    if mode is None:
        raise BadRequest(f"tool_choice.type: {wire.type[:20]!r} is none of {', '.join(_MODES)}", param="tool_choice.type")
    parallel = None if wire.disable_parallel_tool_use is None else not wire.disable_parallel_tool_use
    return ToolChoice(mode, wire.name, parallel)  # type: ignore[arg-type]  # _MODES holds the four words


def _output(raw: bytes) -> Output:
    wire = field_of(_format, raw or b"null", "output_config.format")
    if wire is None:
        return Output()
    if wire.type != "json_schema":
        raise BadRequest(f"output_config.format.type: {wire.type[:20]!r} is not json_schema", param="output_config.format.type")
    return Output("json_schema", bytes(wire.schema) or b"{}", strict=True)


def _reasoning(raw: Mapping[str, Any], output_config: Fields) -> Reasoning:
    effort = field_of(_maybe_text, output_config.get("effort", b"null"), "output_config.effort")
    given = bytes(raw.get("thinking", b""))
    try:
        return reasoning.read(b"" if given == b"null" else given, effort)
    except (msgspec.DecodeError, RecursionError) as fault:
        raise wrong_field(fault, "thinking") from None


def _sampling(raw: Mapping[str, Any]) -> Sampling:
    given = {key: raw[key] for key in WireSampling.__struct_fields__ if key in raw}
    wire = field_of(_sampled, msgspec.json.encode(given), "")
    return Sampling(wire.max_tokens, wire.temperature, wire.top_p, wire.top_k, tuple(wire.stop_sequences or ()))


def _metadata(raw: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """The user's id, and the rest without Tierline's own keys."""
    given = _object(raw, "metadata")
    user = field_of(_maybe_text, given.pop("user_id", msgspec.Raw(b"null")), "metadata.user_id") or ""
    kept = {key: value for key, value in given.items() if not key.startswith(_OWN_METADATA)}
    return user, {key: _as_text(value) for key, value in kept.items()}


def _as_text(raw: msgspec.Raw) -> str:
    value = bytes(raw)
    return _text.decode(value) if value.startswith(b'"') else value.decode()


def _object(raw: Mapping[str, Any], field: str) -> Fields:
    value = raw.get(field, b"")
    return {} if bytes(value) in (b"", b"null") else field_of(_fields, value, field)
