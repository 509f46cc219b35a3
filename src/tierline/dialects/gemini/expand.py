"""A request of this dialect, whole, in the neutral form."""

from __future__ import annotations

from typing import Any

import msgspec

from tierline.dialects.gemini import config
from tierline.dialects.gemini.calls import OpenCalls
from tierline.dialects.gemini.parse import CHOICES, role_of
from tierline.dialects.gemini.parts import parts_of
from tierline.dialects.gemini.schema import json_schema
from tierline.dialects.gemini.spelling import camel
from tierline.dialects.gemini.wire import NAME, Declaration, RawContent, ToolConfig, many, told
from tierline.dialects.json_body import Fields, field_of, fields_and_view, wrong_field
from tierline.types.conversation import (
    Conversation,
    Foreign,
    Output,
    Part,
    Reasoning,
    Role,
    Sampling,
    Text,
    Thinking,
    ToolChoice,
    ToolResult,
    ToolSpec,
    Turn,
)
from tierline.types.errors import BadRequest
from tierline.types.request import Request

_encode = msgspec.json.Encoder().encode
_fields = msgspec.json.Decoder(Fields)
_list = msgspec.json.Decoder(list[msgspec.Raw])
_content = msgspec.json.Decoder(RawContent)
_declaration = msgspec.json.Decoder(Declaration)
_tool_config = msgspec.json.Decoder(ToolConfig)
_labels = msgspec.json.Decoder(dict[str, str])
_NOTHING = Text("")
_OWN_LABELS = ("x-tierline-", "tierline_")
_HELD = {"model", "contents", "systemInstruction", "tools", "generationConfig", "labels"}
CONFIG = "generationConfig."
"""Before the name of a setting that is kept for this dialect alone."""
_DECLARED = {"name", "description", "parametersJsonSchema"}


def conversation(request: Request) -> Conversation:
    """A request of this dialect, whole; raises BadRequest naming the field that has no meaning."""
    _, view = fields_and_view(_encode(request.raw))
    raw = _fields.decode(camel(view))
    tools, foreign_tools = _tools(raw)
    sampling, output, reasoning, rest = _config(raw)
    extra = {key: bytes(value) for key, value in raw.items() if key not in _HELD and told(value)}
    choice = _tool_choice(extra)
    extra.update({f"{CONFIG}{key}": bytes(value) for key, value in rest.items()})
    return Conversation(
        by=NAME,
        turns=tuple(_turns(raw)),
        tools=tools,
        foreign_tools=foreign_tools,
        tool_choice=choice,
        output=output,
        reasoning=reasoning,
        sampling=sampling,
        stream=request.stream,
        metadata=_metadata(raw),
        extra=extra,
    )


def _turns(raw: Fields) -> list[Turn]:
    turns: list[Turn] = []
    calls = OpenCalls()
    if told(raw.get("systemInstruction", b"")):
        _add(turns, "system", _parts(field_of(_content, raw["systemInstruction"], "systemInstruction").parts, "systemInstruction", calls))
    for index, entry in enumerate(many_raw(raw["contents"])):
        where = f"contents[{index}]"
        content = field_of(_content, entry, where)
        parts = _whole_thoughts(_parts(content.parts, where, calls))
        role = role_of(content.role, f"{where}.role")
        results = tuple([part for part in parts if isinstance(part, ToolResult)])
        if results:
            turns.append(Turn("tool", results))
            parts = tuple([part for part in parts if not isinstance(part, ToolResult)])
        if parts or not results:
            _add(turns, "user" if role == "tool" else role, parts)
    return turns


def _add(turns: list[Turn], role: Role, parts: tuple[Part, ...]) -> None:
    """A turn. A client may return each piece of a stream as a content of its own: the model's contents in a row are one turn."""
    if role == "assistant" and turns and turns[-1].role == role:
        turns[-1] = Turn(role, _continued(turns[-1].parts, parts))
    else:
        turns.append(Turn(role, parts))


def _continued(before: tuple[Part, ...], after: tuple[Part, ...]) -> tuple[Part, ...]:
    """The parts of two contents as those of one: words and thoughts go on where they stopped."""
    after = tuple([part for part in after if part != _NOTHING])
    if not before or not after:
        return before + after
    last, first = before[-1], after[0]
    if isinstance(last, Text) and isinstance(first, Text) and not (last.extra or first.extra):
        return (*before[:-1], Text(last.text + first.text), *after[1:])
    if _is_piece(last) and isinstance(first, Thinking) and (first.by != NAME or not first.signature):
        return (*before[:-1], msgspec.structs.replace(first, text=_words(last) + first.text), *after[1:])
    return before + after


def _whole_thoughts(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Thoughts that came to the client in pieces are one again where a carried signature ends them."""
    whole: list[Part] = []
    for part in parts:
        if isinstance(part, Thinking) and part.by != NAME:
            said = part.text
            while whole and _is_piece(whole[-1]):
                said = _words(whole.pop()) + said
            whole.append(msgspec.structs.replace(part, text=said))
        else:
            whole.append(part)
    return tuple(whole)


def _is_piece(part: Part) -> bool:
    return isinstance(part, Thinking) and part.by == NAME and not part.signature


def _words(part: Part) -> str:
    return part.text if isinstance(part, Thinking) else ""


def _parts(raw: msgspec.Raw, where: str, calls: OpenCalls) -> tuple[Part, ...]:
    parts: list[Part] = []
    for index, piece in enumerate(many_raw(raw)):
        try:
            parts.extend(parts_of(bytes(piece), calls))
        except (msgspec.DecodeError, RecursionError) as fault:
            raise wrong_field(fault, f"{where}.parts[{index}]") from None
    return tuple(parts)


def _tools(raw: Fields) -> tuple[tuple[ToolSpec, ...], tuple[Foreign, ...]]:
    specs: list[ToolSpec] = []
    foreign: list[Foreign] = []
    for index, entry in enumerate(many_raw(raw.get("tools", msgspec.Raw()))):
        where = f"tools[{index}]"
        fields = field_of(_fields, entry, where)
        for number, declared in enumerate(many_raw(fields.pop("functionDeclarations", msgspec.Raw()))):
            specs.append(_tool(declared, f"{where}.functionDeclarations[{number}]"))
        foreign.extend([Foreign(NAME, kind, _encode({kind: value})) for kind, value in fields.items()])
    return tuple(specs), tuple(foreign)


def _tool(raw: msgspec.Raw, where: str) -> ToolSpec:
    wire = field_of(_declaration, raw, where)
    own = {key: value for key, value in _fields.decode(raw).items() if key not in _DECLARED and told(value)}
    spec = ToolSpec(wire.name, wire.description or "", extra=_encode(own) if own else b"", by=NAME if own else "")
    if told(wire.parameters_json_schema):
        return msgspec.structs.replace(spec, parameters=bytes(wire.parameters_json_schema))
    return msgspec.structs.replace(spec, parameters=json_schema(bytes(wire.parameters))) if told(wire.parameters) else spec


def _tool_choice(extra: dict[str, bytes]) -> ToolChoice:
    """The choice; what is said more finely stays in `extra`."""
    given = extra.get("toolConfig")
    wire = field_of(_tool_config, given, "toolConfig").function_calling_config if given is not None else None
    if wire is None:
        return ToolChoice()
    mode = (wire.mode or "AUTO").upper()
    allowed = many(wire.allowed_function_names)
    if mode not in CHOICES:
        where = "toolConfig.functionCallingConfig.mode"
        raise BadRequest(f"{where}: {mode[:20]!r} is none of AUTO, ANY, NONE, VALIDATED", param=where)
    choice = ToolChoice("one", allowed[0]) if mode == "ANY" and len(allowed) == 1 else ToolChoice(CHOICES[mode])  # type: ignore[arg-type]
    said = {"functionCallingConfig": {"mode": mode, **({"allowedFunctionNames": allowed} if allowed else {})}}
    if said == written_choice(choice) and not _finer(given or b""):
        del extra["toolConfig"]
    return choice


def _finer(tool_config: bytes) -> bool:
    """Whether a `toolConfig` says more than which functions may be called."""
    fields = _fields.decode(tool_config)
    calling = _fields.decode(fields.pop("functionCallingConfig", b"{}"))
    return bool(fields or calling.keys() - {"mode", "allowedFunctionNames"})


def written_choice(choice: ToolChoice) -> dict[str, Any]:
    """`toolConfig` for a choice."""
    mode = {"auto": "AUTO", "none": "NONE", "required": "ANY", "one": "ANY"}[choice.mode]
    only = {"allowedFunctionNames": [choice.name]} if choice.mode == "one" else {}
    return {"functionCallingConfig": {"mode": mode, **only}}


def _config(raw: Fields) -> tuple[Sampling, Output, Reasoning, Fields]:
    given = raw.get("generationConfig", b"")
    try:
        return config.read(bytes(given) if told(given) else b"{}")
    except (msgspec.DecodeError, RecursionError) as fault:
        raise wrong_field(fault, "generationConfig") from None


def _metadata(raw: Fields) -> dict[str, str]:
    """The labels without Tierline's own."""
    given = raw.get("labels", b"")
    labels = field_of(_labels, given, "labels") if told(given) else {}
    return {key: value for key, value in labels.items() if not key.startswith(_OWN_LABELS)}


def many_raw(raw: msgspec.Raw) -> list[msgspec.Raw]:
    """A field that holds one value or a list of them, as a list."""
    if not told(raw):
        return []
    return _list.decode(raw) if bytes(raw).lstrip().startswith(b"[") else [raw]
