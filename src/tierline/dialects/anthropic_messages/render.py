"""A conversation → the body of this dialect for one model, and the names of what it could not carry."""

from __future__ import annotations

from typing import Any

import msgspec

from tierline.dialects.anthropic_messages import reasoning, schema, turns
from tierline.dialects.anthropic_messages.blocks import Dropped, Wire, mark_of, plain
from tierline.dialects.anthropic_messages.generation import Generation, generation, within_output
from tierline.dialects.anthropic_messages.wire import NAME
from tierline.types.catalog import Model
from tierline.types.conversation import Conversation, Rendered, ToolSpec

_encode = msgspec.json.Encoder().encode
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_CHOICES = {"auto": "auto", "required": "any", "none": "none", "one": "tool"}
_LEAST_TOP_P_WHEN_THINKING = 0.95


def body(conversation: Conversation, model: Model) -> Rendered:
    """The body for `model`. `max_tokens`, which Anthropic requires, is `generation.within_output`."""
    dropped: Dropped = {}
    own = conversation.by == NAME
    version = generation(model.upstream)
    max_tokens = within_output(conversation.sampling.max_tokens, model)
    system, messages = turns.placed(conversation, version, dropped)
    fields: Wire = {"model": model.upstream, "max_tokens": max_tokens}
    if system:
        fields["system"] = plain(system)
    fields["messages"] = turns.plainly(messages)
    fields.update(_tools(conversation, own, dropped))
    fields.update(_sampling(conversation, own, dropped))
    fields.update(_shaping(conversation, own, version, max_tokens, dropped))
    reasoning.fit(fields, version, max_tokens, lambda: _unsuited(fields), dropped)
    if not own:
        _calm(fields, max_tokens, dropped)
    fields.update(_rest(conversation, own, dropped))
    return Rendered(_encode(fields), tuple(dropped))


def _tools(conversation: Conversation, own: bool, dropped: Dropped) -> Wire:
    tools: list[Any] = [_tool(spec, own, dropped) for spec in conversation.tools]
    for tool in conversation.foreign_tools:
        if tool.by == NAME:
            tools.append(msgspec.Raw(tool.raw))
        else:
            dropped[f"foreign:{tool.kind}"] = None
    choice = conversation.tool_choice
    wire: Wire = {"type": _CHOICES[choice.mode]}
    if choice.mode == "one":
        wire["name"] = choice.name
    if choice.parallel is not None and choice.mode != "none":
        wire["disable_parallel_tool_use"] = not choice.parallel
    told = len(wire) > 1 or choice.mode != "auto"
    return {**({"tools": tools} if tools else {}), **({"tool_choice": wire} if told and (tools or own) else {})}


def _tool(spec: ToolSpec, own: bool, dropped: Dropped) -> Wire:
    wire: Wire = {"name": spec.name}
    if spec.description:
        wire["description"] = spec.description
    parameters = spec.parameters if own else _typed(spec.parameters)
    if spec.strict and not own:
        parameters, loosened = schema.closed(parameters)
        if loosened:
            dropped["json_schema.bounds"] = None
    wire["input_schema"] = msgspec.Raw(parameters)
    if spec.strict is not None and (own or spec.strict):
        wire["strict"] = spec.strict
    if spec.cache:
        wire["cache_control"] = mark_of(spec.cache)
    if spec.extra and spec.by == NAME:
        wire.update(_object.decode(spec.extra))
    return wire


def _typed(parameters: bytes) -> bytes:
    """A tool's schema must say that it is an object."""
    try:
        given = _object.decode(parameters)
    except (msgspec.DecodeError, RecursionError):
        return b'{"type":"object"}'
    return parameters if given.get("type") else _encode({"type": "object", **given})


def _sampling(conversation: Conversation, own: bool, dropped: Dropped) -> Wire:
    wanted = conversation.sampling
    fields: Wire = {}
    if wanted.temperature is not None:
        fields["temperature"] = wanted.temperature if own else min(wanted.temperature, 1.0)
        if fields["temperature"] != wanted.temperature:
            dropped["temperature"] = None
    if wanted.top_p is not None:
        fields["top_p"] = wanted.top_p
    if wanted.top_k is not None:
        fields["top_k"] = wanted.top_k
    stop = wanted.stop if own else tuple([text for text in wanted.stop if text.strip()])
    if len(stop) < len(wanted.stop):
        dropped["stop"] = None
    if stop:
        fields["stop_sequences"] = stop
    lost = {
        "seed": wanted.seed is not None,
        "frequency_penalty": wanted.frequency_penalty,
        "presence_penalty": wanted.presence_penalty,
        "n": wanted.n > 1,
        "logprobs": wanted.logprobs or wanted.top_logprobs,
    }
    dropped.update(dict.fromkeys([name for name, asked in lost.items() if asked]))
    return fields


def _shaping(conversation: Conversation, own: bool, version: Generation | None, max_tokens: int, dropped: Dropped) -> Wire:
    """`thinking` and `output_config`."""
    wanted = reasoning.written(conversation.reasoning, version, max_tokens)
    output: Wire = {"effort": wanted["effort"]} if "effort" in wanted else {}
    if conversation.output.kind == "json_object":
        dropped["json_object"] = None
    if conversation.output.kind == "json_schema":
        shape = conversation.output.schema
        if not own:
            shape, loosened = schema.closed(shape)
            if loosened:
                dropped["json_schema.bounds"] = None
        output["format"] = {"type": "json_schema", "schema": msgspec.Raw(shape)}
    if own and "output_config" in conversation.extra:
        output.update(_object.decode(conversation.extra["output_config"]))
    return {**({"thinking": wanted["thinking"]} if "thinking" in wanted else {}), **({"output_config": output} if output else {})}


def _unsuited(fields: Wire) -> bool:
    """Whether a budget for thinking is out of place: a tool must be called, or the last answer called one without having thought."""
    return fields.get("tool_choice", {}).get("type") in ("any", "tool") or turns.open_loop(fields["messages"])


def _calm(fields: Wire, max_tokens: int, dropped: Dropped) -> None:
    """Thinking goes with no other temperature than 1, with no top_k, and with hardly any top_p; with no forced tool; and a budget
    for it must fit."""
    kind = fields.get("thinking", {}).get("type", "disabled")
    if kind == "disabled":
        return
    forced = fields.get("tool_choice", {}).get("type") in ("any", "tool")
    if forced or (kind == "enabled" and (max_tokens <= reasoning.LEAST_BUDGET or _unsuited(fields))):
        del fields["thinking"]
        dropped["reasoning"] = None
        return
    refused = {
        "temperature": fields.get("temperature", 1) != 1,
        "top_p": fields.get("top_p", 1) < _LEAST_TOP_P_WHEN_THINKING,
        "top_k": "top_k" in fields,
    }
    for name in [name for name, asked in refused.items() if asked]:
        del fields[name]
        dropped[name] = None


def _rest(conversation: Conversation, own: bool, dropped: Dropped) -> Wire:
    """What is neither the talk nor its manner: whose it is, whether to stream, and what only this dialect knows."""
    fields: Wire = {}
    metadata: Wire = {**(conversation.metadata if own else {}), **({"user_id": conversation.user} if conversation.user else {})}
    if metadata:
        fields["metadata"] = metadata
    if conversation.metadata and not own:
        dropped["metadata"] = None
    if conversation.previous:
        dropped["previous"] = None
    if conversation.stream:
        fields["stream"] = True
    for key, value in conversation.extra.items():
        if not own:
            dropped[key] = None
        elif key != "output_config":
            fields[key] = msgspec.Raw(value)
    return fields
