"""The JSON Schema that a client asked its answer to meet, wherever its wire format writes it."""

from __future__ import annotations

from typing import Any

import msgspec

from tierline.types.request import Request

_PLACES = (
    ("response_format", "json_schema", "schema"),
    ("text", "format", "schema"),
    ("output_config", "format", "schema"),
    ("output_format", "schema"),
    ("generationConfig", "responseJsonSchema"),
    ("generationConfig", "responseSchema"),
    ("generation_config", "response_json_schema"),
    ("generation_config", "response_schema"),
)
"""Paths from the top-level field down, one for each way to write it."""


def asked_schema(request: Request) -> Any:
    """The schema as JSON values, None where the client asked for none. Types in capitals, as Gemini writes them, come in small letters."""
    if request.params.response_format != "json_schema":
        return None
    for field, *below in _PLACES:
        if field in request.raw:
            value = _decoded(request.raw[field])
            for part in below:
                value = value.get(part) if isinstance(value, dict) else None
            if value is not None:
                return _lowered(value) if below[-1] in ("responseSchema", "response_schema") else value
    return None


def _decoded(raw: Any) -> Any:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, TypeError, RecursionError):
        return None


def _lowered(schema: Any) -> Any:
    """A schema in OpenAPI's manner as JSON Schema: types in small letters, `nullable` as one more type."""
    if isinstance(schema, list):
        return [_lowered(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: _lowered(value) for key, value in schema.items() if key not in ("nullable", "propertyOrdering")}
    if isinstance(plain.get("type"), str):
        kind = plain["type"].lower()
        plain["type"] = [kind, "null"] if schema.get("nullable") is True else kind
    return plain
