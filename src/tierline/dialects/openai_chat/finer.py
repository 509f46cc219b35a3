"""What this dialect writes more finely than the neutral form: the fields left over, kept in `extra` and laid over again.

`extra` of a tool and of a call says `"type": "custom"` where the tool takes plain text. What a whole message says beyond its parts
becomes a Foreign part of kind `message.<field>`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

import msgspec

from tierline.dialects import lenient
from tierline.dialects.json_body import wrong_type
from tierline.types.conversation import Foreign
from tierline.types.errors import BadRequest

NAME = "openai_chat"
FIELD = "message."
"""How the kind of a Foreign part begins that holds a field of a message."""
CUSTOM = msgspec.Raw(b'"custom"')

Object = dict[str, msgspec.Raw]
T = TypeVar("T")

object_ = msgspec.json.Decoder(Object | None)
word = msgspec.json.Decoder(str | None)
_NULL = (b"", b"null")


class _Extended(Protocol):
    @property
    def extra(self) -> bytes: ...
    @property
    def by(self) -> str: ...


def read(decoder: msgspec.json.Decoder[T], raw: msgspec.Raw | bytes | None, where: str) -> T:
    """The value of a field, null where it is missing; raises BadRequest naming `where`."""
    try:
        return lenient.decode(decoder, b"null" if raw is None else raw)
    except msgspec.ValidationError as fault:
        wrong = wrong_type(fault)
        inner = wrong.param or ""
        raise BadRequest(f"{where}: {wrong.message.removeprefix(f'{inner}: ')}", param=where) from None
    except (msgspec.DecodeError, RecursionError):
        raise BadRequest(f"{where}: is not valid JSON", param=where) from None


def said(raw: msgspec.Raw | None) -> bool:
    """Whether a field is there and not null."""
    return raw is not None and bytes(raw) not in _NULL


def left(fields: Object, known: frozenset[str]) -> Object:
    """The fields that are not among those `known`, nulls aside."""
    return {name: value for name, value in fields.items() if name not in known and said(value)}


def packed(fields: Mapping[str, Any]) -> dict[str, Any]:
    """`extra` and `by` for a part with such fields left over."""
    return {"extra": msgspec.json.encode(fields), "by": NAME} if fields else {}


def unpacked(part: _Extended) -> Object:
    """The fields to lay over a part; none where another dialect wrote it."""
    if not part.extra or part.by != NAME:
        return {}
    return object_.decode(part.extra) or {}


def field(name: str, value: msgspec.Raw) -> Foreign:
    """A field of a message that only this dialect knows."""
    return Foreign(NAME, FIELD + name, bytes(value))
