"""Numbers as people and models write them → one form for one value."""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction

_DIGITS = 40
"""Most digits of a number; what is longer is an identifier and no quantity."""
_EXPONENT = 300

_SUPERSCRIPTS = str.maketrans(dict.fromkeys("⁰¹²³⁴⁵⁶⁷⁸⁹ⁿ", ""))
_SIGNS = str.maketrans({"−": "-", "–": "-", "‒": "-", "﹣": "-", "⁄": "/", "∕": "/", "×": "*", "·": "*", "⋅": "*"})
_LATEX = (
    (re.compile(r"\\[dtc]?frac\s*\{\s*(-?[\d.,]+)\s*\}\s*\{\s*([\d.,]+)\s*\}"), r" \1/\2 "),
    (re.compile(r"\\[dtc]?frac\s*(\d)\s*(\d)"), r" \1/\2 "),
    (re.compile(r"\\(?:times|cdot)\b"), "*"),
    (re.compile(r"\\[,;:! ]|\{,\}|\\(?=[$%])"), ""),
    (re.compile(r"\\(?:text|mathrm|operatorname)\s*\{[^}]*\}"), " "),
)
_WHOLE = r"\d{1,3}(?:[,'\u2019]\d{3})+(?!\d)|\d{1,3}(?:\.\d{3}){2,}(?!\d)|\d{1,3}(?: \d{3})+(?!\d)|\d+"
_NUMBER = re.compile(
    rf"(?<![\w.])(?P<sign>(?<![\w)\]])-\s?)?[$€£¥]?\s?(?:(?P<mixed>\d{{1,6}})\s+(?=\d+/\d))?"
    rf"(?P<whole>{_WHOLE}|(?=\.\d))(?P<part>[.,]\d+)?"
    r"(?:\s*/\s*(?P<under>\d+(?:\.\d+)?)(?![\d/]))?"
    r"(?:e(?P<exponent>[+-]?\d{1,4})|\s*\*\s*10\s*\^?\s*\{?(?P<power>[+-]?\d{1,4})\}?)?"
    r"(?:\s*(?P<scale>thousand|million|billion|trillion|k|mn|bn)\b)?",
    re.I,
)
_SCALES = {"thousand": 10**3, "k": 10**3, "million": 10**6, "mn": 10**6, "billion": 10**9, "bn": 10**9, "trillion": 10**12}


def numbers(text: str) -> list[str]:
    """Every number of a text in its one form, in order: `1,200`, `1200.0` and `1.2k` are all `1200`; a value that no short decimal
    holds is a fraction (`1/3`). Units, currencies and percent signs are left out: `25%` is `25`."""
    return [form for match in _NUMBER.finditer(_plain(text)) if (form := _form(match)) is not None]


def bare(text: str) -> str:
    """What is left of a text without its numbers, for telling a number from a sentence that holds one."""
    return _NUMBER.sub(" ", _plain(text))


def _plain(text: str) -> str:
    text = text.translate(_SUPERSCRIPTS)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", _spaced_fractions(text)).translate(_SIGNS)
    if "\\" in text or "{" in text:
        for pattern, plain in _LATEX:
            text = pattern.sub(plain, text)
    return text


def _spaced_fractions(text: str) -> str:
    """`2½` → `2 1⁄2`, so that its parts stay apart."""
    return "".join(f" {char}" if unicodedata.category(char) == "No" else char for char in text)


def _form(match: re.Match[str]) -> str | None:
    whole, part = match["whole"], match["part"] or ""
    if len(whole) + len(part) > _DIGITS:
        return None
    value = _decimal(whole, part)
    if match["under"]:
        under = Fraction(match["under"]) if len(match["under"]) <= _DIGITS else Fraction(0)
        if not under:
            return None
        value = value / under + int(match["mixed"] or 0)
    power = int(match["exponent"] or match["power"] or 0)
    if abs(power) > _EXPONENT:
        return None
    value *= Fraction(10) ** power * _SCALES.get((match["scale"] or "").lower(), 1)
    return _written(-value if match["sign"] else value)


def _decimal(whole: str, part: str) -> Fraction:
    """A comma with other than three digits behind it is a decimal comma; several groups of three are thousands."""
    digits = re.sub(r"\D", "", whole) or "0"
    return Fraction(f"{digits}.{part[1:]}") if part else Fraction(int(digits))


def _written(value: Fraction) -> str:
    if value.denominator == 1:
        return str(value.numerator)
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest != 1:
        return f"{value.numerator}/{value.denominator}"
    places = next(count for count in range(1, 2 * _EXPONENT + _DIGITS) if (value * 10**count).denominator == 1)
    digits = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
    return f"{'-' if value < 0 else ''}{digits[:-places]}.{digits[-places:]}"
