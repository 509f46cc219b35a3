"""JSON in an answer: all of it, between fences, or within prose."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

_FENCE = re.compile(r"```[ \t]*(?:json[5c]?|javascript|js)?[ \t]*\r?\n(.*?)(?:\r?\n[ \t]*```|\Z)", re.S | re.I)
_OPENERS = re.compile(r"[{\[]")
_TRIES = 24
"""Places within prose where JSON may begin that are looked at."""
_SCANNER = json.JSONDecoder(parse_constant=float)


class Place(msgspec.Struct, frozen=True):
    """Where JSON stands, or is meant to: a span of the answer. `whole`: nothing but white space and a fence is around it."""

    start: int
    end: int
    whole: bool


class Found(msgspec.Struct, frozen=True):
    """A JSON value and where it stood."""

    value: Any
    place: Place


def found_in(text: str) -> Iterator[Found]:
    """Every JSON value of an answer: the whole, else what stands in fences, else objects and lists within prose."""
    whole = _span(text, 0, len(text))
    value = _decoded(text[whole.start : whole.end])
    if value is not _NONE:
        yield Found(value, whole)
        return
    fenced = False
    for place in fences(text):
        value = _decoded(text[place.start : place.end])
        if value is not _NONE:
            fenced = True
            yield Found(value, place)
    if not fenced:
        yield from _in_prose(text)


def values_in(text: str) -> Iterator[Any]:
    """The same without their places."""
    return (found.value for found in found_in(text))


def fences(text: str) -> Iterator[Place]:
    """Spans between fences that are meant as JSON or say nothing; the last may be open."""
    for match in _FENCE.finditer(text):
        around = text[: match.start()] + text[match.end() :]
        yield _span(text, match.start(1), match.end(1), not around.strip())


def meant(text: str) -> Place | None:
    """Where JSON that cannot be read as it stands was meant to be: the first fence that opens one, else from the first bracket on."""
    for place in fences(text):
        if text[place.start : place.start + 1] in ("{", "["):
            return place
    opener = _OPENERS.search(text)
    if opener is None:
        return None
    closer = max(text.rfind("}"), text.rfind("]"))
    end = closer + 1 if closer > opener.start() else len(text)
    return _span(text, opener.start(), end, not (text[: opener.start()] + text[end:]).strip())


_NONE: Any = object()


def _decoded(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return _NONE


def _in_prose(text: str) -> Iterator[Found]:
    at = 0
    for _ in range(_TRIES):
        opener = _OPENERS.search(text, at)
        if opener is None:
            return
        try:
            value, at = _SCANNER.raw_decode(text, opener.start())
            yield Found(value, Place(opener.start(), at, False))
        except (ValueError, RecursionError):
            at = opener.start() + 1


def _span(text: str, start: int, end: int, whole: bool = True) -> Place:
    """A span without the white space at its ends."""
    inner = text[start:end]
    return Place(start + len(inner) - len(inner.lstrip()), end - len(inner) + len(inner.rstrip()), whole)
