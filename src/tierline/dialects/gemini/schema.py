"""Google's subset of OpenAPI schemas → JSON Schema. (The other way is not needed: Google takes JSON Schema in fields of its own.)"""

from __future__ import annotations

from typing import Any

import msgspec

_NUMBERS = {"minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"}
_NAMED = {"properties", "defs", "$defs"}
_RENAMED = {"defs": "$defs", "ref": "$ref"}
_LEFT_OUT = {"nullable", "propertyOrdering", "example"}


def json_schema(given: bytes) -> bytes:
    """The schema as JSON Schema: types in lower case, `nullable` as a type of its own, numbers written as text as numbers.

    Raises msgspec.DecodeError for what is no JSON."""
    value = msgspec.json.decode(given)
    return msgspec.json.encode(_schema(value)) if isinstance(value, dict) else given


def _schema(given: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in given.items():
        if key not in _LEFT_OUT:
            found[_RENAMED.get(key, key)] = _value(key, value)
    return _nullable(found) if given.get("nullable") is True else found


def _value(key: str, value: Any) -> Any:
    if key == "type" and isinstance(value, str):
        return value.lower()
    if key in _NUMBERS and isinstance(value, str) and value.isdecimal() and len(value) < 19:
        return int(value)
    if key in _NAMED and isinstance(value, dict):
        return {name: _any(inner) for name, inner in value.items()}
    if key == "anyOf" and isinstance(value, list):
        return [_any(inner) for inner in value]
    return _any(value) if key in ("items", "additionalProperties") else value


def _any(value: Any) -> Any:
    return _schema(value) if isinstance(value, dict) else value


def _nullable(found: dict[str, Any]) -> dict[str, Any]:
    if isinstance(found.get("type"), str):
        found["type"] = [found["type"], "null"]
    if isinstance(found.get("anyOf"), list):
        found["anyOf"] = [*found["anyOf"], {"type": "null"}]
    if isinstance(found.get("enum"), list) and None not in found["enum"]:
        found["enum"] = [*found["enum"], None]
    return found
