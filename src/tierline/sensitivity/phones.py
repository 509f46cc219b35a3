"""Telephone numbers: what looks like one is read by the library that knows every country's plan of numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import phonenumbers

CUE_REACH = 30
"""Characters before a number within which a word may say that it is one."""

_LOOKS = re.compile(r"(?<![\w.+\-/])(?:\+|00)?[ ]?\(?\d(?:[ \u00a0().\-/]{0,3}\d){6,16}(?!\w|-\w|\.\d|[,:/]\d)")
_CUE = re.compile(
    r"\b(?:tel|phone|call|mobile|cell|fax|whatsapp|sms|ring|text (?:me|us)|dial|reach|handy|mobil|telefon|anruf|ruf|rückruf|tél|appel"
    r"|portable|llam|móvil|teléfono|cellulare|chiam|numero)",
    re.IGNORECASE,
)
_DATE = re.compile(r"\d{4}[-./]\d{1,2}[-./]\d{1,2}(?!\d)|\d{1,2}[-./]\d{1,2}[-./]\d{2,4}(?!\d)")
_PARTED = re.compile(r"\d[ \u00a0().\-/]+\d")
_NUMERIC = re.compile(r"\d+\.\d+|\d{1,3}(?:\.\d{3})+|\d{1,3}(?:\.\d{1,3}){3}|\d+/\d+")


def find(text: str, start: int, end: int, regions: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Every telephone number between two places of a text. `regions` are the countries (`DE`, `US`) whose national form counts: written
    in the groups that its country writes, or with a word before it that says what it is."""
    for match in _LOOKS.finditer(text, start, end):
        written = match[0].strip()
        if _DATE.match(written) or _NUMERIC.fullmatch(written):
            continue
        at = match.end() - len(written)
        cued = _CUE.search(text, max(at - CUE_REACH, 0), at) is not None
        if _is_number(written, regions, cued=cued):
            yield at, match.end()


def _is_number(written: str, regions: Sequence[str], *, cued: bool) -> bool:
    if written.startswith(("+", "00")):
        number = _parsed("+" + written.lstrip("+0 "), None)
        return number is not None and (phonenumbers.is_valid_number(number) or (cued and phonenumbers.is_possible_number(number)))
    if not (cued or _PARTED.search(written)):
        return False
    strict = not (cued or written.startswith(("0", "(")))
    for region in regions:
        number = _parsed(written, region)
        if number is None or not phonenumbers.is_valid_number(number):
            continue
        if not strict or phonenumbers.PhoneNumberMatcher(written, region, phonenumbers.Leniency.STRICT_GROUPING).has_next():
            return True
    return False


def _parsed(written: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException:
        return None
