"""What scripted models say: sentences around a value, objects after a JSON Schema, vectors after a text."""

from __future__ import annotations

import hashlib
import math
import re
from typing import Any

import msgspec

_FILLER = """the order of things here follows from what was asked and from what is known so we take one step after another
first we read the question then we look at each part and weigh it against the rest"""
_DEPTH = 8


def sentence(seed: str, value: str, tokens: int) -> tuple[str, ...]:
    """About `tokens` pieces of filler that follow from `seed`, closing with `Answer: <value>`."""
    start = hashlib.blake2b(seed.encode("utf-8", "replace"), digest_size=2).digest()[0]
    known = _FILLER.split()
    filler = [f"{known[(start + index) % len(known)]} " for index in range(max(tokens - 3, 1))]
    filler[0] = filler[0].capitalize()
    filler[-1] = filler[-1].rstrip() + ".\n"
    return (*filler, "Answer:", f" {value}")


def words(text: str) -> tuple[str, ...]:
    """The text in word pieces; joined they are the text again."""
    return tuple(re.findall(r"\s*\S+|\s+$", text))


def object_after(schema: dict[str, Any], value: str, *, lacking: bool = False) -> str:
    """JSON after a schema with `value` in its first text property, or in the first choice that has it; `lacking` leaves out its last
    required property.

    Understands type, properties, items, enum, const and minItems; a schema without properties gives `{"answer": value}`."""
    if not schema.get("properties"):
        made: dict[str, Any] = {"answer": value}
    else:
        holder = [value]
        made = _instance(schema, holder, 0)
        if holder:
            _place(made, schema["properties"], value)
    required = schema.get("required") or list(made)
    if lacking and required:
        made.pop(required[-1], None)
    return msgspec.json.encode(made).decode()


def embedding(seed: int, item: object, dimensions: int) -> list[float]:
    """A vector of length one that follows from seed and item; equal items have equal vectors."""
    stream = hashlib.shake_128(f"{seed}/{item}".encode("utf-8", "replace")).digest(dimensions * 2)
    raw = [int.from_bytes(stream[at : at + 2], "big") / 32768 - 1 for at in range(0, dimensions * 2, 2)]
    length = math.sqrt(sum(value * value for value in raw)) or 1.0
    return [value / length for value in raw]


def _instance(schema: Any, holder: list[str], depth: int) -> Any:
    """A value after `schema`; the first free text takes what `holder` holds."""
    if not isinstance(schema, dict) or depth > _DEPTH:
        return None
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return holder.pop() if holder and holder[0] in schema["enum"] else schema["enum"][0]
    kind = schema.get("type", "object" if "properties" in schema else "null")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        return {name: _instance(inner, holder, depth + 1) for name, inner in schema.get("properties", {}).items()}
    if kind == "array":
        return [_instance(schema.get("items", {}), holder, depth + 1) for _ in range(max(int(schema.get("minItems", 1)), 1))]
    if kind == "string":
        return holder.pop() if holder else "text"
    return {"integer": 1, "number": 1.5, "boolean": True}.get(kind)


def _place(made: dict[str, Any], properties: dict[str, Any], value: str) -> None:
    """Puts a number into the first integer property, where no text property could take it."""
    for name, inner in properties.items():
        if isinstance(inner, dict) and inner.get("type") in ("integer", "number") and value.isdecimal():
            made[name] = int(value)
            return
