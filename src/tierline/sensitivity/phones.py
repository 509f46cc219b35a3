"""Telephone numbers: what looks like one is read by the library that knows every country's plan of numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import phonenumbers

CUE_REACH = 30
"""Characters before a number within which a word may say that it is one."""

_LOOKS = re.compile(r"(?<![A-Za-z_\d.+\-/])(?:\+|00)?[ ]?\(?\d(?:[ \u00a0().\-/]{0,3}\d){6,16}(?![A-Za-z_\d]|-[A-Za-z_\d]|\.\d|[,:/]\d)")
_CUE = re.compile(
    r"\b(?:tel|phone|call|mobile|cell|fax|whatsapp|sms|ring|text (?:me|us)|dial|reach|handy|mobil|telefon|anruf|ruf|rückruf|tél|appel"
    r"|portable|llam|móvil|teléfono|cellulare|chiam|numero)|电话|手机|致电|電話|携帯|전화|تلفون|هاتف|телефон|звон",
    re.IGNORECASE,
)
_DATE = re.compile(r"\d{4}[-./]\d{1,2}[-./]\d{1,2}(?!\d)|\d{1,2}[-./]\d{1,2}[-./]\d{2,4}(?!\d)")
_PARTED = re.compile(r"\d[ \u00a0().\-/]+\d")
_FIGURES = re.compile(r"[ ]\d+\.\d|\d\.\d+[ ]|\b\d[ ]\d+[ ]\d+[ ]|^0\d?[ .]|[ ]\d$")
"""Rows of a table: fractions, single digits."""
_GROUP = re.compile(r"\d+")
_LEAST_DIGITS = 7
_MOST_GROUPS = 8
_NUMERIC = re.compile(r"\d+\.\d+|\d{1,3}(?:\.\d{3})+|\d{1,3}(?:\.\d{1,3}){3}|\d+/\d+")


def find(text: str, start: int, end: int, regions: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Every telephone number between two places of a text. `regions` are the countries (`DE`, `US`) whose national form counts: written
    in the groups that its country writes, or with a word before it that says what it is."""
    at = start
    while (match := _LOOKS.search(text, at, end)) is not None:
        span = _longest(text, match, regions)
        if span is not None:
            yield span
        at = match.end() if span is None else span[1]


def _longest(text: str, match: re.Match[str], regions: Sequence[str]) -> tuple[int, int] | None:
    """The longest stretch of whole groups from where it begins that is a number: two numbers may stand side by side. One that nothing marks
    as a number (a plus sign, a word before it) must be all of it."""
    at = match.start() + len(match[0]) - len(match[0].lstrip())
    international = text.startswith(("+", "00"), at)
    cued = _CUE.search(text, max(at - CUE_REACH, 0), at) is not None
    if not (international or cued):
        stops = [match.end()]
    else:
        stops = [at + group.end() for group in _GROUP.finditer(text[at : match.end()])][:_MOST_GROUPS][::-1]
    for stop in stops:
        written = text[at:stop]
        if sum(map(str.isdigit, written)) < _LEAST_DIGITS:
            break
        if not (_DATE.match(written) or _NUMERIC.fullmatch(written)) and _is_number(written, regions, cued=cued):
            return at, stop
    return None


def _is_number(written: str, regions: Sequence[str], *, cued: bool) -> bool:
    if written.startswith(("+", "00")):
        number = _parsed("+" + written.lstrip("+0 "), None)
        sure = cued or _PARTED.search(written) is not None
        return number is not None and (phonenumbers.is_valid_number(number) or (sure and phonenumbers.is_possible_number(number)))
    if not cued and (not _PARTED.search(written) or _FIGURES.search(written)):
        return False
    strict = not (cued or written.startswith(("0", "(")))
    for region in regions:
        if strict and _prefix(region) == "0":
            continue
        number = _parsed(written, region)
        if number is None or not phonenumbers.is_valid_number(number):
            continue
        if not strict or phonenumbers.PhoneNumberMatcher(written, region, phonenumbers.Leniency.STRICT_GROUPING).has_next():
            return True
    return False


def _prefix(region: str) -> str:
    """What comes before a number inside its own country: `0` nearly everywhere."""
    plan = phonenumbers.PhoneMetadata.metadata_for_region(region, None)
    return "" if plan is None else plan.national_prefix or ""


def _parsed(written: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException:
        return None
