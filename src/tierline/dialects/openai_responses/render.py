"""The neutral conversation → a body of this dialect.

A system prompt of one text at the head becomes `instructions`; all other turns stand in `input` in their order.
"""

from __future__ import annotations

from typing import Any

import msgspec

from tierline.dialects.held_state import refuse_held_state
from tierline.dialects.openai_responses import finer, tool_names
from tierline.dialects.openai_responses.expand import LOGPROBS
from tierline.dialects.openai_responses.finer import NAME
from tierline.dialects.openai_responses.render_items import Items
from tierline.dialects.openai_responses.upstream import without_own
from tierline.types.catalog import Model
from tierline.types.conversation import Conversation, Rendered, Sampling, Text, ToolSpec

LEAST_TOKENS = 16
"""The API takes no smaller limit on output tokens; smaller ones of other dialects are raised to it, and named as dropped."""
BUDGETS = ((0, "none"), (4096, "low"), (16384, "medium"))
"""Thinking budgets in tokens up to which an effort stands in; above them `high`."""
DEFAULT_FORMAT_NAME = "answer"

_encode = msgspec.json.Encoder().encode
_UNKNOWN = ("top_k", "seed", "stop", "frequency_penalty", "presence_penalty")


def body(conversation: Conversation, model: Model) -> Rendered:
    """The body for `model`. From other dialects: nothing is stored upstream (`store` false), and functions are not strict unless
    they say so, for both are otherwise here than there. Raises BadRequest for what only another upstream holds."""
    refuse_held_state(conversation, NAME)
    own = conversation.by == NAME
    dropped: list[str] = []
    turns, instructions = conversation.turns, ""
    if turns and turns[0].role == "system" and not turns[0].name:
        match turns[0].parts:
            case (Text(text=text, cache="") as part,) if text and (not own or "instructions" in finer.unpacked(part)):
                turns, instructions = turns[1:], text
    items = Items(own=own, files=own or conversation.by == "openai_chat", dropped=dropped)
    for turn in turns:
        items.turn(turn)
    fields: dict[str, Any] = {"model": model.upstream, "input": items.rendered}
    if instructions:
        fields["instructions"] = instructions
    if conversation.previous:
        fields["previous_response_id"] = conversation.previous
    _tools(conversation, fields, dropped, own)
    _shape(conversation, fields, dropped)
    _sampling(conversation.sampling, fields, dropped, own)
    if conversation.stream:
        fields["stream"] = True
    if conversation.user:
        fields["user"] = conversation.user
    if metadata := without_own(conversation.metadata):
        fields["metadata"] = metadata
    if own:
        _put_back(conversation, fields)
    else:
        fields["store"] = False
        dropped.extend(conversation.extra)
    return Rendered(_encode(fields), tuple(dict.fromkeys(dropped)))


def _tools(conversation: Conversation, fields: dict[str, Any], dropped: list[str], own: bool) -> None:
    tools = _specs(conversation.tools, own)
    dropped.extend("cache" for tool in conversation.tools if tool.cache)
    for foreign in conversation.foreign_tools:
        if foreign.by == NAME:
            tools.append(msgspec.Raw(foreign.raw))
        else:
            dropped.append(f"foreign:{foreign.kind}")
    if tools:
        fields["tools"] = tools
    choice = conversation.tool_choice
    if choice.mode == "one":
        kind = next((finer.unpacked(tool).get("type") for tool in conversation.tools if tool.name == choice.name), None)
        fields["tool_choice"] = {"type": kind or "function", "name": choice.name}
    elif choice.mode != "auto":
        fields["tool_choice"] = choice.mode
    if choice.parallel is not None:
        fields["parallel_tool_calls"] = choice.parallel


def _specs(given: tuple[ToolSpec, ...], own: bool) -> list[Any]:
    """The tools, those of one namespace together in its place."""
    tools: list[Any] = []
    spaces: dict[str, list[Any]] = {}
    for tool in given:
        more = finer.unpacked(tool)
        space = more.pop("namespace", None)
        written = {**_spec(tool, own, custom=more.get("type") == "custom"), **more}
        if space is None:
            tools.append(written)
            continue
        if space["name"] not in spaces:
            spaces[space["name"]] = []
            tools.append({"type": "namespace", **space, "tools": spaces[space["name"]]})
        written["name"] = tool_names.short(space["name"], tool.name)
        spaces[space["name"]].append(written)
    return tools


def _spec(tool: ToolSpec, own: bool, custom: bool) -> dict[str, Any]:
    described: dict[str, Any] = {"name": tool.name} | ({"description": tool.description} if tool.description else {})
    if custom:
        return described
    strict = {} if own and tool.strict is None else {"strict": bool(tool.strict)}
    return {"type": "function", **described, "parameters": msgspec.Raw(tool.parameters), **strict}


def _shape(conversation: Conversation, fields: dict[str, Any], dropped: list[str]) -> None:
    """`text.format` and `reasoning`."""
    output, reasoning = conversation.output, conversation.reasoning
    if output.kind == "json_object":
        fields["text"] = {"format": {"type": "json_object"}}
    elif output.kind == "json_schema":
        shape: dict[str, Any] = {"type": "json_schema", "name": output.name or DEFAULT_FORMAT_NAME, "schema": msgspec.Raw(output.schema)}
        if output.description:
            shape["description"] = output.description
        if output.strict is not None:
            shape["strict"] = output.strict
        fields["text"] = {"format": shape}
    effort: str = reasoning.effort
    if reasoning.budget is not None:
        dropped.append("thinking.budget")
        effort = effort or next((word for limit, word in BUDGETS if reasoning.budget <= limit), "high")
    thinking = ({"effort": effort} if effort else {}) | ({"summary": "auto"} if reasoning.show else {})
    if thinking:
        fields["reasoning"] = thinking


def _sampling(sampling: Sampling, fields: dict[str, Any], dropped: list[str], own: bool) -> None:
    limit = sampling.max_tokens
    if limit is not None and limit < LEAST_TOKENS and not own:
        limit = LEAST_TOKENS
        dropped.append("max_tokens")
    given = {
        "max_output_tokens": limit,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_logprobs": sampling.top_logprobs,
    }
    fields.update({name: value for name, value in given.items() if value is not None})
    if sampling.logprobs:
        fields["include"] = [LOGPROBS]
    dropped.extend(name for name in _UNKNOWN if getattr(sampling, name) not in (None, ()))
    if sampling.n != 1:
        dropped.append("n")


def _put_back(conversation: Conversation, fields: dict[str, Any]) -> None:
    """The fields without a neutral meaning, each where it stood."""
    for name, raw in conversation.extra.items():
        outer, _, inner = name.partition(".")
        if name == "include":
            fields["include"] = [*msgspec.json.decode(raw), *fields.get("include", ())]
        elif inner and outer in ("text", "reasoning"):
            fields[outer] = {**fields.get(outer, {}), inner: msgspec.Raw(raw)}
        else:
            fields[name] = msgspec.Raw(raw)
