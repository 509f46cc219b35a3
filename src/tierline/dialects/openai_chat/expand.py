"""A request of this dialect → the neutral conversation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import msgspec

from tierline.dialects import custom_tools, lenient
from tierline.dialects.json_body import wrong_type
from tierline.dialects.openai_chat import finer
from tierline.dialects.openai_chat.expand_messages import turns
from tierline.dialects.openai_chat.finer import NAME, Object, read
from tierline.dialects.openai_chat.parts import cache_of
from tierline.dialects.openai_chat.upstream import OWN_METADATA
from tierline.types.conversation import Conversation, Effort, Foreign, Output, Reasoning, Sampling, ToolChoice, ToolSpec
from tierline.types.errors import BadRequest
from tierline.types.request import Request

Raw = msgspec.Raw


class _Settings(msgspec.Struct):
    """The top-level fields that have a neutral meaning, `messages` aside."""

    tools: list[Object] | None = None
    functions: list[Object] | None = None
    tool_choice: Raw = Raw(b"null")
    function_call: Raw = Raw(b"null")
    parallel_tool_calls: bool | None = None
    response_format: Object | None = None
    reasoning_effort: str | None = None
    reasoning: Object | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: str | list[str] | None = None
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    n: int | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    user: str | None = None
    safety_identifier: str | None = None
    metadata: Object | None = None
    stream_options: Object | None = None


class _Format(msgspec.Struct):
    """`json_schema` of a response format."""

    name: str | None = None
    description: str | None = None
    schema: Raw = Raw(b"{}")
    strict: bool | None = None


_settings = msgspec.json.Decoder(_Settings)
_format = msgspec.json.Decoder(_Format | None)
_choice = msgspec.json.Decoder(str | Object | None)
_flag = msgspec.json.Decoder(bool | None)
_count = msgspec.json.Decoder(int | None)
_encode = msgspec.json.encode
_ELSEWHERE = frozenset({"model", "messages", "stream"})
_EFFORTS = frozenset(get_args(Effort))
_FUNCTION = frozenset({"name", "description", "parameters", "strict"})
_CUSTOM = frozenset({"name", "description", "format"})
_CHOICES = {"any": "required"}


def conversation(request: Request) -> Conversation:
    """The request, whole; fields with no neutral meaning stand in `extra`. The older `functions` become tools, called one at a time.
    Raises BadRequest."""
    raw: Mapping[str, Raw] = request.raw
    if "messages" not in raw:
        raise BadRequest("messages: send at least one message", param="messages")
    known = {name: value for name, value in raw.items() if name in _Settings.__struct_fields__}
    settings = _read(known)
    extra = {name: bytes(value) for name, value in raw.items() if name not in known and name not in _ELSEWHERE and finer.said(value)}
    tools, foreign = _tools(settings)
    return Conversation(
        by=NAME,
        turns=turns(raw["messages"]),
        tools=tools,
        foreign_tools=foreign,
        tool_choice=_tool_choice(settings, extra),
        output=_output(settings.response_format or {}, extra),
        reasoning=_reasoning(settings, extra),
        sampling=_sampling(settings),
        stream=request.stream,
        user=_user(settings, extra),
        metadata=_metadata(settings.metadata or {}),
        extra=_options(settings, extra),
    )


def _read(known: dict[str, Raw]) -> _Settings:
    try:
        return lenient.decode(_settings, _encode(known))
    except msgspec.ValidationError as fault:
        raise wrong_type(fault) from None


def _tools(settings: _Settings) -> tuple[tuple[ToolSpec, ...], tuple[Foreign, ...]]:
    """The tools to call, and those of types that only this dialect's servers know."""
    tools: list[ToolSpec] = []
    foreign: list[Foreign] = []
    for at, tool in enumerate(settings.tools or ()):
        where = f"tools[{at}]"
        kind = read(finer.word, tool.get("type"), f"{where}.type") or "function"
        if kind in ("function", "custom") and finer.said(tool.get(kind)):
            inside = read(finer.object_, tool[kind], f"{where}.{kind}") or {}
            more = finer.left(tool, frozenset({"type", kind}))
            spec = (_custom if kind == "custom" else _function)(inside, more, f"{where}.{kind}")
            tools.append(msgspec.structs.replace(spec, cache=cache_of(tool, where)))
        else:
            foreign.append(Foreign(NAME, kind, _encode(tool)))
    tools += [_function(function, {}, f"functions[{at}]") for at, function in enumerate(settings.functions or ())]
    return tuple(tools), tuple(foreign)


def _function(given: Object, more: dict[str, Any], where: str) -> ToolSpec:
    if inner := finer.left(given, _FUNCTION):
        more = {**more, "function": inner}
    spec = ToolSpec(
        read(finer.word, given.get("name"), f"{where}.name") or "",
        read(finer.word, given.get("description"), f"{where}.description") or "",
        strict=read(_flag, given.get("strict"), f"{where}.strict"),
        **finer.packed(more),
    )
    return msgspec.structs.replace(spec, parameters=bytes(given["parameters"])) if finer.said(given.get("parameters")) else spec


def _custom(given: Object, more: dict[str, Any], where: str) -> ToolSpec:
    """A tool that takes plain text; its format stays beside the schema that tells other dialects of it."""
    format = bytes(given["format"]) if finer.said(given.get("format")) else custom_tools.ANY_TEXT
    outer = read(finer.object_, format, f"{where}.format") or {}
    grammar = read(finer.object_, outer.get("grammar"), f"{where}.format.grammar") or {}
    inner = {name: value for name, value in given.items() if name not in ("name", "description") and finer.said(value)}
    return ToolSpec(
        read(finer.word, given.get("name"), f"{where}.name") or "",
        read(finer.word, given.get("description"), f"{where}.description") or "",
        custom_tools.parameters(_encode({**outer, **grammar})),
        **finer.packed({**more, "type": finer.CUSTOM, **({"custom": inner} if inner else {})}),
    )


def _tool_choice(settings: _Settings, extra: dict[str, bytes]) -> ToolChoice:
    """What must be called. Choices among some tools have no neutral meaning: they stand in `extra`, beside the mode that comes closest."""
    field = "function_call" if settings.functions and not finer.said(settings.tool_choice) else "tool_choice"
    parallel = False if settings.functions and not settings.tools else settings.parallel_tool_calls
    raw = getattr(settings, field)
    given = read(_choice, raw, field)
    if given is None or given == "auto":
        return ToolChoice(parallel=parallel)
    if isinstance(given, str):
        mode = _CHOICES.get(given, given)
        if mode not in ("none", "required"):
            raise BadRequest(f"{field}: is none of auto, none and required, nor an object", param=field)
        return msgspec.convert({"mode": mode, "parallel": parallel}, ToolChoice)
    for kind in ("function", "custom"):
        named = read(finer.object_, given.get(kind), f"{field}.{kind}") or (given if field == "function_call" else {})
        if name := read(finer.word, named.get("name"), f"{field}.{kind}.name"):
            return ToolChoice("one", name, parallel)
    extra["tool_choice"] = bytes(raw)
    allowed = read(finer.object_, given.get("allowed_tools"), f"{field}.allowed_tools") or {}
    must = read(finer.word, allowed.get("mode"), f"{field}.allowed_tools.mode") == "required"
    return ToolChoice("required" if must else "auto", parallel=parallel)


def _output(given: Object, extra: dict[str, bytes]) -> Output:
    kind = read(finer.word, given.get("type"), "response_format.type") or "text"
    if finer.left(given, frozenset({"type", "json_schema"})):
        extra["response_format"] = _encode(given)
    if kind in ("text", "json_object"):
        return msgspec.convert({"kind": kind}, Output)
    if kind != "json_schema":
        raise BadRequest("response_format.type: is none of text, json_object, json_schema", param="response_format.type")
    wanted = read(_format, given.get("json_schema"), "response_format.json_schema") or _Format()
    schema = bytes(wanted.schema) if finer.said(wanted.schema) else b"{}"
    return Output("json_schema", schema, wanted.name or "", wanted.description or "", wanted.strict)


def _reasoning(settings: _Settings, extra: dict[str, bytes]) -> Reasoning:
    """Effort by OpenAI's own field, or effort and budget by the object that compatible servers take. An effort above all neutral ones
    counts as the highest of them."""
    given = {} if settings.reasoning_effort else settings.reasoning or {}
    if settings.reasoning_effort and settings.reasoning:
        extra["reasoning"] = _encode(settings.reasoning)
    budget = read(_count, given.get("max_tokens"), "reasoning.max_tokens")
    hidden = read(_flag, given.get("exclude"), "reasoning.exclude")
    effort = settings.reasoning_effort or read(finer.word, given.get("effort"), "reasoning.effort") or ""
    if settings.reasoning_effort and settings.reasoning_effort not in _EFFORTS:
        extra["reasoning_effort"] = _encode(effort)
    if effort not in _EFFORTS:
        effort = "xhigh" if effort == "max" else ""
    if read(_flag, given.get("enabled"), "reasoning.enabled") is False:
        effort = "none"
    show = None if hidden is None else not hidden
    return msgspec.convert({"effort": effort, "budget": budget, "show": show, **finer.packed(finer.left(given, frozenset()))}, Reasoning)


def _sampling(settings: _Settings) -> Sampling:
    limit = settings.max_completion_tokens or settings.max_tokens
    stop = [settings.stop] if isinstance(settings.stop, str) else settings.stop or []
    return Sampling(
        max_tokens=limit if limit and limit > 0 else None,
        temperature=settings.temperature,
        top_p=settings.top_p,
        top_k=settings.top_k,
        stop=tuple(stop),
        seed=settings.seed,
        frequency_penalty=settings.frequency_penalty,
        presence_penalty=settings.presence_penalty,
        n=settings.n or 1,
        logprobs=settings.logprobs is True,
        top_logprobs=settings.top_logprobs,
    )


def _user(settings: _Settings, extra: dict[str, bytes]) -> str:
    if settings.user and settings.safety_identifier:
        extra["safety_identifier"] = _encode(settings.safety_identifier)
    return settings.user or settings.safety_identifier or ""


def _metadata(given: Object) -> dict[str, str]:
    """Texts as they are, anything else as its JSON text; without what the client said to Tierline."""
    return {name: _said(value) for name, value in given.items() if not name.startswith(OWN_METADATA)}


def _said(value: Raw) -> str:
    try:
        return lenient.decode(finer.word, value) or ""
    except msgspec.DecodeError:
        return bytes(value).decode("utf-8", "replace")


def _options(settings: _Settings, extra: dict[str, bytes]) -> dict[str, bytes]:
    """`extra` with what `stream_options` says beyond usage."""
    if more := finer.left(settings.stream_options or {}, frozenset({"include_usage"})):
        extra["stream_options"] = _encode(more)
    return extra
