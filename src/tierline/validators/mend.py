"""JSON that cannot be read as it stands, mended: quotes, commas and brackets, never content."""

from __future__ import annotations

from typing import Any

import json_repair
import msgspec

from tierline.types.ask import Exchange
from tierline.validators.json_text import Found, Place, meant

_LONGEST = 200_000
"""Characters that are tried; mending is slower than reading."""


class Mended(msgspec.Struct, frozen=True):
    """A mended value, and the answer's text with it in place of what could not be read."""

    value: Any
    text: str


def mended(exchange: Exchange) -> Mended | None:
    """What an answer's JSON was meant to be, None where there is nothing to mend. An answer that ran out of tokens is left alone: closing
    its brackets would hide what is missing."""
    text = exchange.text
    if exchange.finish == "length" or len(text) > _LONGEST:
        return None
    place = meant(text)
    if place is None:
        return None
    try:
        value = json_repair.loads(text[place.start : place.end], skip_json_loads=True)
        written = msgspec.json.encode(value).decode("utf-8")
    except (ValueError, TypeError, RecursionError, UnicodeError):
        return None
    if not isinstance(value, dict | list) or not value:
        return None
    return Mended(value, _in_place(exchange, place, written))


def replacement(exchange: Exchange, found: Found) -> str | None:
    """The JSON alone, where the client asked for JSON and got it in a fence or within prose; else None."""
    bare = found.place.end - found.place.start == len(exchange.text.strip())
    if bare or exchange.request.params.response_format == "text":
        return None
    return exchange.text[found.place.start : found.place.end]


def _in_place(exchange: Exchange, place: Place, written: str) -> str:
    if place.whole or exchange.request.params.response_format != "text":
        return written
    return exchange.text[: place.start] + written + exchange.text[place.end :]
