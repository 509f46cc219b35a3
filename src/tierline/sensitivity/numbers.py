"""Payment cards and bank accounts: numbers that prove themselves by their check digits."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tierline.sensitivity.check_digits import luhn, mod_97

_CARD = re.compile(
    r"(?<![A-Za-z_\d.+])(?<![A-Za-z_\d]-)"
    r"(?:\d{4}(?P<by>[ -])\d{4}(?P=by)\d{4}(?P=by)\d{4}|\d{4}(?P<of>[ -])\d{6}(?P=of)\d{4,5}|\d{13,19})"
    r"(?![A-Za-z_\d]|-[A-Za-z_\d]|\.\d)"
)
_ISSUER = re.compile(
    r"4(?:\d{15}|\d{18})|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11,13}"
    r"|6(?:011|4[4-9]\d|5\d\d)\d{12,15}|35(?:2[89]|[3-8]\d)\d{12,15}|62\d{14,17}|(?:50|5[6-9]|6[37])\d{11,17}"
)
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?=[ \-]?[A-Za-z0-9])")
_NEXT = re.compile(r"[ \-]?[A-Za-z0-9]")

IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27, "BR": 29, "BY": 28, "CH": 21,
    "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FK": 18, "FO": 18,
    "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26,
    "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24,
    "ME": 22, "MK": 19, "MN": 20, "MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29,
    "PT": 25, "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "SO": 23,
    "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20, "YE": 30,
}  # fmt: skip
"""How long an account number of each country is, spaces left out."""


def cards(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Every payment card between two places: digits, alone or in the groups that cards are printed in, of an issuer, that add up."""
    for match in _CARD.finditer(text, start, end):
        digits = re.sub(r"[ -]", "", match[0])
        if _ISSUER.fullmatch(digits) and luhn(digits):
            yield match.span()


def ibans(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Every IBAN between two places, in one piece or in groups."""
    for match in _IBAN.finditer(text, start, end):
        length = IBAN_LENGTHS.get(text[match.start() : match.start() + 2].upper())
        if length is None:
            continue
        at, plain = match.end(), match[0]
        while len(plain) < length and (more := _NEXT.match(text, at)) is not None:
            plain += more[0][-1]
            at = more.end()
        ends = at == len(text) or not (text[at].isascii() and text[at].isalnum())
        if len(plain) == length and ends and plain.isascii() and mod_97(plain.upper()):
            yield match.start(), at
