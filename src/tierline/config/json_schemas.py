"""JSON Schemas as they are used everywhere: nothing is fetched or read for a `$ref`, and patterns take linear time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec

from tierline.types.errors import TierlineError

MAX_BYTES = 1024**2


class SchemaInvalid(TierlineError):
    """What should be a JSON Schema is none; the message says why."""


def read_schema(path: Path) -> Any:
    """The JSON value in a file; raises SchemaInvalid where it cannot be read."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SchemaInvalid(f"the schema {path} is larger than {MAX_BYTES // 1024} KB")
        content = path.read_bytes()
    except OSError as error:
        raise SchemaInvalid(f"the schema {path} cannot be read: {error.strerror or error}") from None
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, RecursionError) as error:
        raise SchemaInvalid(f"the schema {path} is not JSON: {error}") from None


def compiled(schema: Any) -> jsonschema_rs.Validator:
    """A validator for a schema as JSON values; raises SchemaInvalid. References within the schema are followed, all others refused: a
    schema can come from a client, and must not make the gateway open an address or a file."""
    if not isinstance(schema, dict | bool):
        raise SchemaInvalid("a JSON Schema is an object")
    try:
        return jsonschema_rs.validator_for(schema, retriever=_refuse, pattern_options=jsonschema_rs.RegexOptions())
    except (ValueError, RecursionError, jsonschema_rs.ReferencingError) as error:
        words = getattr(error, "message", None) or str(error)
        raise SchemaInvalid(f"it is no JSON Schema: {words.splitlines()[0][:200] if words else type(error).__name__}") from None


def _refuse(address: str) -> Any:
    raise ValueError(f"a schema may refer to itself only, not to {address[:80]}")
