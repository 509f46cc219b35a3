"""The shapes of bodies in the OpenAPI document.

Bodies in a provider's wire format are described as far as routing reads them: what is not named here passes untouched. Tierline's own
bodies come from the structs that read them, so that document and reader cannot part.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from tierline.server.admin import Judged, Pinned
from tierline.server.key_admin import Rotated, Wanted
from tierline.server.panels.explanations import Under
from tierline.server.public import Said

Schema = Mapping[str, Any]

_REF = "#/components/schemas/{name}"
_NAME = {"type": "string", "minLength": 1}
_OBJECTS = {"type": "array", "items": {"type": "object"}}
_COUNT = {"type": ["integer", "null"]}
_YES = {"type": ["boolean", "null"]}
_WORDS = {"type": "string"}
_NOTES = {"description": "where it is an object, `tierline_task` and the like are read as the headers are"}


def ref(name: str) -> Schema:
    """A reference to a shape of the document."""
    return {"$ref": _REF.format(name=name)}


def _object(required: tuple[str, ...] = (), **properties: Schema) -> Schema:
    return (
        {"type": "object", "properties": properties, "required": [*required]} if required else {"type": "object", "properties": properties}
    )


def _message(*roles: str) -> Schema:
    content: Schema = {"type": ["string", "array"], "items": {"type": "object"}}
    return _object(("role", "content"), role={"type": "string", "enum": [*roles]}, content=content)


_CHAT = _object(
    ("model", "messages"),
    model=_NAME,
    messages={"type": "array", "minItems": 1, "items": _message("system", "developer", "user", "assistant")},
    tools=_OBJECTS,
    max_tokens=_COUNT,
    max_completion_tokens=_COUNT,
    n=_COUNT,
    stream=_YES,
    metadata=_NOTES,
)
_RESPONSES = _object(
    ("model", "input"),
    model=_NAME,
    input={"type": ["string", "array"], "items": {"type": "object"}},
    instructions={"type": ["string", "null"]},
    tools=_OBJECTS,
    max_output_tokens=_COUNT,
    stream=_YES,
    metadata=_NOTES,
)
_MESSAGES = _object(
    ("model", "messages"),
    model=_NAME,
    max_tokens={"type": "integer", "minimum": 1},
    messages={"type": "array", "minItems": 1, "items": _message("user", "assistant")},
    system={"type": ["string", "array"], "items": {"type": "object"}},
    tools=_OBJECTS,
    stream=_YES,
    metadata=_NOTES,
)
_CONTENT = _object(
    ("parts",), role={"type": "string", "enum": ["user", "model"]}, parts={**_OBJECTS, "items": _object(("text",), text=_WORDS)}
)
_GEMINI = _object(
    ("contents",),
    contents={"type": "array", "minItems": 1, "items": _CONTENT},
    systemInstruction=_CONTENT,
    tools=_OBJECTS,
    generationConfig={"type": "object"},
)
_EMBED = _object(
    content=_CONTENT, requests={"type": "array", "minItems": 1, "items": _object(("content",), content=_CONTENT, model=_WORDS)}
)
_EMBEDDINGS = _object(
    ("model", "input"), model=_NAME, input={"type": ["string", "array"], "items": {"type": ["string", "integer", "array"]}}
)

_FAULT = _object(
    ("message", "type", "param", "code"), message=_WORDS, type=_WORDS, param={"type": ["string", "null"]}, code={"type": ["string", "null"]}
)

_SHORT: Schema = {"type": "string", "maxLength": 200}
HINTS: Mapping[str, Schema] = {
    "task": _SHORT,
    "tier": _SHORT,
    "latency-budget": {"type": "string", "pattern": r"^[1-9][0-9]{0,4}(ms|s|m)$"},
    "max-cost": {"type": "number", "minimum": 0, "maximum": 1000000},
    "risk": _SHORT,
    "sensitivity": _SHORT,
    "session": _SHORT,
    "tags": {"type": "string", "maxLength": 200, "description": "several with commas between them, at most 20"},
    "user-tier": _SHORT,
    "explain": {"type": "string", "enum": ["1", "0", "true", "false", "yes", "no"]},
}
"""What a client may say of its request in headers, without their prefix."""

WIRE: Mapping[str, Schema] = {
    "ChatCompletion": _CHAT,
    "Response": _RESPONSES,
    "Message": _MESSAGES,
    "CountTokens": _MESSAGES,
    "GenerateContent": _GEMINI,
    "EmbedContent": _EMBED,
    "Embeddings": _EMBEDDINGS,
    "OpenAIError": _object(("error",), error=_FAULT),
    "AnthropicError": _object(("type", "error"), type={"const": "error"}, error=_object(("type", "message"), type=_WORDS, message=_WORDS)),
    "GeminiError": _object(
        ("error",), error=_object(("code", "message", "status"), code={"type": "integer"}, message=_WORDS, status=_WORDS)
    ),
}
"""By name; the errors are those that Tierline itself makes, and an upstream's error that is passed on has the same envelope."""

ERRORS: Mapping[str, tuple[str, ...]] = {
    "openai_chat": ("OpenAIError",),
    "openai_responses": ("OpenAIError",),
    "anthropic_messages": ("AnthropicError",),
    "gemini": ("GeminiError",),
    "": ("OpenAIError", "AnthropicError"),
}
"""Dialect of a route → the envelopes its errors may have: where it has none, an `anthropic-version` header tells."""


def own() -> dict[str, Any]:
    """The bodies that are Tierline's own, from the structs that read them."""
    _, shapes = msgspec.json.schema_components([Said, Pinned, Judged, Wanted, Rotated, Under], ref_template=_REF)
    return shapes
