"""The neutral conversation → a body of this dialect, and the names of what it cannot carry."""

from __future__ import annotations

from typing import Any

import msgspec

from tierline.dialects.held_state import refuse_held_state
from tierline.dialects.openai_chat import families, finer
from tierline.dialects.openai_chat.finer import NAME
from tierline.dialects.openai_chat.parts import Wire
from tierline.dialects.openai_chat.render_messages import Messages
from tierline.types.catalog import Model
from tierline.types.conversation import Conversation, Rendered, Sampling, ToolSpec

BUDGETS = ((0, "none"), (4096, "low"), (16384, "medium"))
"""Thinking budgets in tokens up to which an effort stands in; above them `high`."""
DEFAULT_FORMAT_NAME = "answer"
MOST_STOPS = 4
"""How many stop sequences OpenAI takes."""

_encode = msgspec.json.Encoder().encode
_DRAWN = ("temperature", "top_p", "frequency_penalty", "presence_penalty", "top_logprobs")


def body(conversation: Conversation, model: Model) -> Rendered:
    """The body for `model`; a stream is always asked for its usage. Raises BadRequest where another upstream holds a part of the
    conversation."""
    refuse_held_state(conversation, NAME)
    own, openai = conversation.by == NAME, families.is_openai(model)
    dropped: list[str] = []
    messages = Messages(by=conversation.by, openai=openai, dropped=dropped)
    messages.turns(conversation.turns)
    fields: Wire = {"model": model.upstream, "messages": messages.rendered}
    _tools(conversation, fields, dropped)
    _shape(conversation, fields)
    effort = _reasoning(conversation, model, fields, dropped)
    if openai and conversation.reasoning.show and not own:
        dropped.append("thinking.show")
    _sampling(conversation.sampling, fields, dropped, own)
    if not own and families.refuses_sampling(model, effort):
        _calm(fields, dropped)
    if openai and "max_tokens" in fields:
        fields["max_completion_tokens"] = fields.pop("max_tokens")
    if conversation.user:
        fields["user"] = conversation.user
    if own:
        fields.update({name: msgspec.Raw(raw) for name, raw in conversation.extra.items()})
    dropped.extend(() if own else conversation.extra)
    if conversation.metadata:
        _metadata(conversation, fields, dropped)
    if conversation.stream:
        options = finer.object_.decode(conversation.extra["stream_options"]) if own and "stream_options" in conversation.extra else None
        fields.update(stream=True, stream_options={**(options or {}), "include_usage": True})
    return Rendered(_encode(fields), tuple(dict.fromkeys(dropped)))


def _tools(conversation: Conversation, fields: Wire, dropped: list[str]) -> None:
    tools: list[Any] = [_tool(tool, dropped) for tool in conversation.tools]
    for foreign in conversation.foreign_tools:
        if foreign.by == NAME:
            tools.append(msgspec.Raw(foreign.raw))
        else:
            dropped.append(f"foreign:{foreign.kind}")
    if tools:
        fields["tools"] = tools
    elif conversation.by != NAME:
        return
    choice = conversation.tool_choice
    if choice.mode == "one":
        named = next((tool for tool in conversation.tools if tool.name == choice.name), None)
        kind = "custom" if named is not None and "type" in finer.unpacked(named) else "function"
        fields["tool_choice"] = {"type": kind, kind: {"name": choice.name}}
    elif choice.mode != "auto":
        fields["tool_choice"] = choice.mode
    if choice.parallel is not None:
        fields["parallel_tool_calls"] = choice.parallel


def _tool(tool: ToolSpec, dropped: list[str]) -> Wire:
    more: Wire = {**finer.unpacked(tool)}
    if tool.cache and tool.by != NAME:
        dropped.append("cache")
    described: Wire = {"name": tool.name} | ({"description": tool.description} if tool.description else {})
    if more.pop("type", None) is not None:
        return {"type": "custom", "custom": {**described, **_inner(more, "custom")}, **more}
    strict = {} if tool.strict is None else {"strict": tool.strict}
    function = {**described, "parameters": msgspec.Raw(tool.parameters), **strict, **_inner(more, "function")}
    return {"type": "function", "function": function, **more}


def _inner(more: Wire, kind: str) -> Wire:
    held = more.pop(kind, None)
    return {} if held is None else {**(finer.object_.decode(held) or {})}


def _shape(conversation: Conversation, fields: Wire) -> None:
    output = conversation.output
    if output.kind == "json_object":
        fields["response_format"] = {"type": "json_object"}
    elif output.kind == "json_schema":
        shape: Wire = {"name": output.name or DEFAULT_FORMAT_NAME, "schema": msgspec.Raw(output.schema)}
        if output.description:
            shape["description"] = output.description
        if output.strict is not None:
            shape["strict"] = output.strict
        fields["response_format"] = {"type": "json_schema", "json_schema": shape}


def _reasoning(conversation: Conversation, model: Model, fields: Wire, dropped: list[str]) -> str:
    """Writes how much to think, and returns the effort."""
    wanted = conversation.reasoning
    effort: str = wanted.effort
    own = finer.unpacked(wanted)
    if own:
        fields["reasoning"] = own
        asked = "effort" in own or "enabled" in own
        if effort and not asked:
            fields["reasoning_effort"] = effort
        return effort
    if wanted.budget is not None:
        dropped.append("thinking.budget")
        effort = effort or next((word for limit, word in BUDGETS if wanted.budget <= limit), "high")
    taken = effort if conversation.by == NAME else families.effort_for(model, effort)
    if taken:
        fields["reasoning_effort"] = taken
    if taken != effort and effort != "none":
        dropped.append("reasoning_effort")
    return taken


def _sampling(sampling: Sampling, fields: Wire, dropped: list[str], own: bool) -> None:
    given = {
        "max_tokens": sampling.max_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "seed": sampling.seed,
        "frequency_penalty": sampling.frequency_penalty,
        "presence_penalty": sampling.presence_penalty,
        "top_logprobs": sampling.top_logprobs,
    }
    fields.update({name: value for name, value in given.items() if value is not None})
    if sampling.n != 1:
        fields["n"] = sampling.n
    if sampling.logprobs:
        fields["logprobs"] = True
    if sampling.stop:
        fields["stop"] = sampling.stop if own else sampling.stop[:MOST_STOPS]
        if not own and len(sampling.stop) > MOST_STOPS:
            dropped.append("stop")
    if sampling.top_k is not None:
        if own:
            fields["top_k"] = sampling.top_k
        else:
            dropped.append("top_k")


def _calm(fields: Wire, dropped: list[str]) -> None:
    """Takes out what a reasoning model refuses, and names it unless it says no more than the default."""
    for name in (*_DRAWN, "logprobs", "stop"):
        if name in fields:
            default = 1 if name in ("temperature", "top_p") else 0
            if fields.pop(name) != default:
                dropped.append(name)


def _metadata(conversation: Conversation, fields: Wire, dropped: list[str]) -> None:
    """OpenAI takes metadata only of answers that it stores, and nothing of another dialect is to be stored."""
    if conversation.by == NAME:
        fields["metadata"] = conversation.metadata
    else:
        dropped.append("metadata")
