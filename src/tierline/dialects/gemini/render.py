"""A conversation → the body of this dialect for one model, and the names of what it could not carry."""

from __future__ import annotations

from typing import Any

import msgspec

from tierline.dialects.gemini import config, turns
from tierline.dialects.gemini.expand import CONFIG, written_choice
from tierline.dialects.gemini.generation import generation
from tierline.dialects.gemini.parts import Dropped, Wire
from tierline.dialects.gemini.wire import NAME
from tierline.dialects.json_body import Fields
from tierline.types.catalog import Model
from tierline.types.conversation import Conversation, Rendered, ToolChoice, ToolSpec

_encode = msgspec.json.Encoder().encode
_fields = msgspec.json.Decoder(Fields)
_NO_PARAMETERS = ToolSpec("").parameters


def body(conversation: Conversation, model: Model) -> Rendered:
    """The body for `model`, which stands in the path and not in it."""
    dropped: Dropped = {}
    own = conversation.by == NAME
    version = generation(model.upstream)
    system, contents = turns.placed(conversation, version, dropped)
    fields: Wire = {"contents": contents}
    if system:
        fields["systemInstruction"] = {"parts": system}
    fields.update(_tools(conversation, own, dropped))
    extra: Fields = {key: msgspec.Raw(value) for key, value in conversation.extra.items()} if own else {}
    kept = {key.removeprefix(CONFIG): extra.pop(key) for key in conversation.extra if own and key.startswith(CONFIG)}
    if settings := config.written(conversation, version, dropped, kept):
        fields["generationConfig"] = settings
    if own and conversation.metadata:
        fields["labels"] = conversation.metadata
    lost = {
        "user": conversation.user,
        "metadata": conversation.metadata and not own,
        "previous": conversation.previous,
        "strict": any(tool.strict for tool in conversation.tools),
        "cache": any(tool.cache for tool in conversation.tools),
        "parallel_tool_calls": conversation.tool_choice.parallel is not None,
    }
    dropped.update(dict.fromkeys([name for name, asked in lost.items() if asked]))
    if not own:
        dropped.update(dict.fromkeys(conversation.extra))
    return Rendered(_encode({**fields, **extra}), tuple(dropped))


def _tools(conversation: Conversation, own: bool, dropped: Dropped) -> Wire:
    tools: list[Any] = []
    if conversation.tools:
        tools.append({"functionDeclarations": [_tool(spec) for spec in conversation.tools]})
    for tool in conversation.foreign_tools:
        if tool.by == NAME:
            tools.append(msgspec.Raw(tool.raw))
        else:
            dropped[f"foreign:{tool.kind}"] = None
    choice = conversation.tool_choice
    told = choice.mode != ToolChoice().mode and bool(conversation.tools or own) and "toolConfig" not in (conversation.extra if own else {})
    return {**({"tools": tools} if tools else {}), **({"toolConfig": written_choice(choice)} if told else {})}


def _tool(spec: ToolSpec) -> Wire:
    own = _fields.decode(spec.extra) if spec.extra and spec.by == NAME else {}
    wire: Wire = {"name": spec.name}
    if spec.description:
        wire["description"] = spec.description
    if "parameters" not in own and spec.parameters != _NO_PARAMETERS:
        wire["parametersJsonSchema"] = msgspec.Raw(spec.parameters)
    return {**wire, **own}
