"""A request of this dialect → the neutral conversation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import msgspec

from tierline.dialects import custom_tools, lenient
from tierline.dialects.json_body import wrong_type
from tierline.dialects.openai_responses import finer, tool_names
from tierline.dialects.openai_responses.expand_items import turns
from tierline.dialects.openai_responses.finer import NAME
from tierline.dialects.openai_responses.parse import entries_of
from tierline.dialects.openai_responses.upstream import without_own
from tierline.dialects.openai_responses.wire import NOTHING, NamedTool, Raw, TextFormat, ToolEntry
from tierline.types.conversation import Conversation, Effort, Foreign, Output, Reasoning, Sampling, ToolChoice, ToolSpec
from tierline.types.errors import BadRequest
from tierline.types.request import Request

LOGPROBS = "message.output_text.logprobs"
"""What a client asks to include when it wants log probabilities."""


class _Settings(msgspec.Struct):
    """The top-level fields that have a neutral meaning, `input` aside."""

    instructions: str | None = None
    previous_response_id: str | None = None
    tools: list[Raw] | None = None
    tool_choice: Raw = NOTHING
    parallel_tool_calls: bool | None = None
    text: dict[str, Raw] | None = None
    reasoning: dict[str, Raw] | None = None
    include: list[str] | None = None
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_logprobs: int | None = None
    user: str | None = None
    metadata: dict[str, Raw] | None = None


_settings = msgspec.json.Decoder(_Settings)
_input = msgspec.json.Decoder(str | list[Raw] | None)
_tool = msgspec.json.Decoder(ToolEntry)
_choice = msgspec.json.Decoder(str | NamedTool | None)
_format = msgspec.json.Decoder(TextFormat | None)
_word = msgspec.json.Decoder(str | None)
_encode = msgspec.json.Encoder().encode
_ELSEWHERE = frozenset({"model", "input", "stream"})
_FUNCTION = frozenset({"type", "name", "description", "parameters", "strict"})
_CUSTOM = frozenset({"name", "description"})
_NULL = (b"", b"null")
_EFFORTS = frozenset(get_args(Effort))


def conversation(request: Request) -> Conversation:
    """The request, whole. Fields with no neutral meaning stand in `extra` under their names, those inside an object as
    `reasoning.context`. Raises BadRequest."""
    raw: Mapping[str, Raw] = request.raw
    known = {name: value for name, value in raw.items() if name in _Settings.__struct_fields__}
    settings = _read(known)
    extra = {
        name: bytes(value) for name, value in raw.items() if name not in known and name not in _ELSEWHERE and bytes(value) not in _NULL
    }
    tools, foreign = _tools(settings.tools or [])
    return Conversation(
        by=NAME,
        turns=turns(settings.instructions or "", _items(raw.get("input"))),
        tools=tools,
        foreign_tools=foreign,
        tool_choice=_tool_choice(settings, extra),
        output=_output(settings.text or {}, extra),
        reasoning=_reasoning(settings.reasoning or {}, extra),
        sampling=_sampling(settings, extra),
        stream=request.stream,
        user=settings.user or "",
        metadata={name: _said(value) for name, value in without_own(settings.metadata or {}).items()},
        previous=settings.previous_response_id or "",
        extra=extra,
    )


def _read(known: dict[str, Raw]) -> _Settings:
    try:
        return lenient.decode(_settings, _encode(known))
    except msgspec.ValidationError as fault:
        raise wrong_type(fault) from None


def _items(raw: Raw | None) -> list[Raw]:
    given = None if raw is None else lenient.decode(_input, raw)
    if isinstance(given, str):
        return [Raw(_encode({"role": "user", "content": given}))] if given else []
    return given or []


def _tools(entries: list[Raw]) -> tuple[tuple[ToolSpec, ...], tuple[Foreign, ...]]:
    """The tools to call, those of namespaces among them, and those that the provider runs."""
    tools: list[ToolSpec] = []
    foreign: list[Foreign] = []
    for raw in entries:
        tool = lenient.decode(_tool, raw)
        if tool.type in ("function", "custom"):
            tools.append(_spec(tool, raw))
        elif tool.type == "namespace":
            space = {"name": tool.name or "", "description": tool.description or ""}
            tools += [_spec(lenient.decode(_tool, inner), inner, space) for inner in entries_of(tool)]
        else:
            foreign.append(Foreign(NAME, tool.type, bytes(raw)))
    return tuple(tools), tuple(foreign)


def _spec(tool: ToolEntry, raw: Raw, space: dict[str, str] | None = None) -> ToolSpec:
    name = tool_names.full(space["name"] if space else "", tool.name or "")
    more = {**finer.left(raw, _CUSTOM if tool.type == "custom" else _FUNCTION), **({"namespace": space} if space else {})}
    spec = ToolSpec(name, tool.description or "", strict=tool.strict, **finer.packed(more))
    if tool.type == "custom":
        return msgspec.structs.replace(spec, parameters=custom_tools.parameters(bytes(tool.format) or custom_tools.ANY_TEXT))
    given = bytes(tool.parameters)
    return spec if given in _NULL else msgspec.structs.replace(spec, parameters=given)


def _tool_choice(settings: _Settings, extra: dict[str, bytes]) -> ToolChoice:
    """What must be called. Choices among some tools, and of tools that the provider runs, have no neutral meaning: they stand in
    `extra`, beside the mode that comes closest."""
    parallel, raw = settings.parallel_tool_calls, bytes(settings.tool_choice)
    given = _choice.decode(raw) if raw else None
    match given:
        case None | "auto":
            return ToolChoice(parallel=parallel)
        case "none" | "required":
            return ToolChoice(given, parallel=parallel)
        case str():
            raise BadRequest("tool_choice: is none of auto, none and required, nor an object", param="tool_choice")
        case NamedTool(type="function" | "custom", name=str(name)):
            return ToolChoice("one", name, parallel)
        case NamedTool(type="allowed_tools", mode="required"):
            extra["tool_choice"] = raw
            return ToolChoice("required", parallel=parallel)
        case _:
            extra["tool_choice"] = raw
            return ToolChoice(parallel=parallel)


def _output(text: dict[str, Raw], extra: dict[str, bytes]) -> Output:
    extra.update({f"text.{name}": bytes(value) for name, value in text.items() if name != "format" and bytes(value) not in _NULL})
    try:
        wanted = _format.decode(text.get("format", b"null"))
    except msgspec.ValidationError as fault:
        raise BadRequest(f"text.format: {fault}", param="text.format") from None
    if wanted is None or wanted.type == "text":
        return Output()
    if wanted.type == "json_object":
        return Output("json_object")
    if wanted.type == "json_schema":
        return Output("json_schema", bytes(wanted.schema) or b"{}", wanted.name or "", wanted.description or "", wanted.strict)
    where = "text.format.type"
    raise BadRequest(f"{where}: {wanted.type[:20]!r} is none of text, json_object, json_schema", param=where)


def _reasoning(given: dict[str, Raw], extra: dict[str, bytes]) -> Reasoning:
    """Effort and whether to show a summary. An effort above all neutral ones counts as the highest of them."""
    rest = {name: bytes(value) for name, value in given.items() if bytes(value) not in _NULL}
    effort, summary = _said_word(rest.pop("effort", b"null")), _said_word(rest.pop("summary", b"null"))
    extra.update({f"reasoning.{name}": value for name, value in rest.items()})
    if summary not in ("", "auto"):
        extra["reasoning.summary"] = _encode(summary)
    if effort not in _EFFORTS:
        extra["reasoning.effort"] = _encode(effort)
        effort = "xhigh" if effort == "max" else ""
    return msgspec.convert({"effort": effort, "show": True if summary else None}, Reasoning)


def _sampling(settings: _Settings, extra: dict[str, bytes]) -> Sampling:
    others = [name for name in settings.include or () if name != LOGPROBS]
    if others:
        extra["include"] = _encode(others)
    return Sampling(
        max_tokens=settings.max_output_tokens,
        temperature=settings.temperature,
        top_p=settings.top_p,
        logprobs=LOGPROBS in (settings.include or ()),
        top_logprobs=settings.top_logprobs,
    )


def _said_word(raw: Raw | bytes) -> str:
    try:
        return _word.decode(raw) or ""
    except msgspec.DecodeError:
        raise BadRequest("reasoning: effort and summary must be words", param="reasoning") from None


def _said(value: Any) -> str:
    """A metadata value: a string as it is, anything else as its JSON text."""
    try:
        return _word.decode(value) or ""
    except msgspec.DecodeError:
        return bytes(value).decode("utf-8", "replace")
