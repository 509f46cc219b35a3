"""What this dialect writes more finely than the neutral form: the fields left over, kept in `extra` and laid over again.

Beside fields of the API's own, `extra` holds `message` (what a message has beyond its content, at its first part), `instructions` (a
system prompt that stood there) and, in tools, `namespace`.
"""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from tierline.dialects import lenient
from tierline.dialects.openai_responses.wire import Raw

NAME = "openai_responses"
INSTRUCTIONS = b'{"instructions":true}'

_object = msgspec.json.Decoder(dict[str, Raw])


class _Extended(Protocol):
    @property
    def extra(self) -> bytes: ...
    @property
    def by(self) -> str: ...


def left(raw: Raw, known: frozenset[str]) -> dict[str, Any]:
    """The fields of an object that are not among those `known`, nulls aside."""
    return {name: value for name, value in lenient.decode(_object, raw).items() if name not in known and bytes(value) != b"null"}


def packed(fields: dict[str, Any]) -> dict[str, Any]:
    """`extra` and `by` for a part with such fields left over."""
    return {"extra": msgspec.json.encode(fields), "by": NAME} if fields else {}


def unpacked(part: _Extended) -> dict[str, Any]:
    """The fields to lay over a part; none where another dialect wrote it."""
    if not part.extra or part.by != NAME:
        return {}
    fields: dict[str, Any] = msgspec.json.decode(part.extra)
    return fields
