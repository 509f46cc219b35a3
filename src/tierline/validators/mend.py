"""JSON that cannot be read as it stands, mended: quotes, commas and brackets, never content."""

from __future__ import annotations

import re
from typing import Any

import json_repair
import msgspec

from tierline.types.ask import Exchange
from tierline.validators.json_text import Found, Place, meant

_LONGEST = 8_000
"""Characters that are tried; mending is slower than reading."""
_LEFT_OPEN = 16
_BRACKETS = re.compile(r"[{}\[\]]")
_QUOTES = re.compile(r"[\"']")
_CURLY = re.compile(r"[“”„«»]")
_MOST_CURLY = 40


class Mended(msgspec.Struct, frozen=True):
    """A mended value, and the answer's text with it in place of what could not be read."""

    value: Any
    text: str


def mended(exchange: Exchange) -> Mended | None:
    """What an answer's JSON was meant to be, None where there is nothing to mend. An answer that ran out of tokens is left alone: closing
    its brackets would hide what is missing."""
    text = exchange.text
    place = meant(text) if exchange.finish != "length" else None
    broken = text[place.start : place.end] if place is not None else ""
    if place is None or not _is_nearly_json(broken):
        return None
    try:
        value = json_repair.loads(broken, skip_json_loads=True)
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


def _is_nearly_json(text: str) -> bool:
    """Whether somebody may have meant this as one JSON value: it is not too long, its brackets nest but for a few that are missing, and
    it has no more quotation marks than its commas and colons explain. On anything else the mender's time grows with the square of the
    length."""
    if len(text) > _LONGEST or len(_CURLY.findall(text)) > _MOST_CURLY:
        return False
    if len(_QUOTES.findall(text)) > 4 * (text.count(",") + text.count(":")) + _MOST_CURLY:
        return False
    open_now: list[str] = []
    wrong = 0
    for bracket in _BRACKETS.finditer(text):
        if bracket[0] in "{[":
            open_now.append("}" if bracket[0] == "{" else "]")
        elif open_now and open_now[-1] == bracket[0]:
            open_now.pop()
            wrong += not open_now and bracket.end() < len(text)
        else:
            wrong += 1
    return wrong + len(open_now) <= _LEFT_OPEN


def _in_place(exchange: Exchange, place: Place, written: str) -> str:
    if place.whole or exchange.request.params.response_format != "text":
        return written
    return exchange.text[: place.start] + written + exchange.text[place.end :]
