"""JSON Schema as Anthropic's structured outputs take it.

Every object must be closed, and bounds on numbers, strings and arrays are refused. They are moved into the description, where the model
reads them; the answer is then held to the rest of the schema.
"""

from __future__ import annotations

from typing import Any

import msgspec

_FORMATS = {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}
_BOUNDS = (
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength"),
    *("maxItems", "uniqueItems", "minContains", "maxContains", "minProperties", "maxProperties"),
)
_NESTED_LISTS = ("anyOf", "allOf", "oneOf")
_NESTED_MAPS = ("properties", "$defs", "definitions")


def closed(schema: bytes) -> tuple[bytes, bool]:
    """The schema as it is taken, and whether a bound has become mere words. A schema that is no JSON object stays as it is."""
    try:
        given = msgspec.json.decode(schema)
    except (msgspec.DecodeError, RecursionError):
        return schema, False
    if not isinstance(given, dict):
        return schema, False
    loosened: list[str] = []
    found = _closed(given, loosened)
    return (schema if found == given else msgspec.json.encode(found)), bool(loosened)


def _closed(schema: dict[str, Any], loosened: list[str]) -> dict[str, Any]:
    found = {key: value for key, value in schema.items() if not _refused(key, value)}
    moved = {key: value for key, value in schema.items() if key not in found}
    if moved:
        loosened.extend(moved)
        said = ", ".join([f"{key}: {value}" for key, value in moved.items()])
        found["description"] = f"{schema['description']} ({said})" if schema.get("description") else f"({said})"
    for key in _NESTED_MAPS:
        if isinstance(found.get(key), dict):
            found[key] = {name: _any(inner, loosened) for name, inner in found[key].items()}
    for key in _NESTED_LISTS:
        if isinstance(found.get(key), list):
            found[key] = [_any(inner, loosened) for inner in found[key]]
    if "oneOf" in found and "anyOf" not in found:
        found["anyOf"] = found.pop("oneOf")
    if isinstance(found.get("items"), dict):
        found["items"] = _closed(found["items"], loosened)
    if found.get("type") == "object" or "properties" in found:
        if found.get("additionalProperties", False) is not False:
            loosened.append("additionalProperties")
        found["additionalProperties"] = False
    return found


def _any(schema: Any, loosened: list[str]) -> Any:
    return _closed(schema, loosened) if isinstance(schema, dict) else schema


def _refused(key: str, value: Any) -> bool:
    if key == "format":
        return value not in _FORMATS
    return key in _BOUNDS or (key == "minItems" and value not in (0, 1))
