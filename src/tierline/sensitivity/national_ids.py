"""Numbers that states give to people: how each is written, what adds up, and what must stand before one that could be any number.

A scheme without a check digit, or whose bare digits could be an order number, counts only where a word before it says what it is.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterator

import msgspec
import re2

from tierline.sensitivity.check_digits import luhn, mod_11_2, mod_11_10, verhoeff, weighted

CUE_REACH = 40
"""Characters before a number within which a word may say what it is."""

_DIGITS = re.compile(r"\D+")
_DNI = "TRWAGMYFPDXBNJZSQVHLCKE"
_ODD = {
    **dict(zip("0123456789", (1, 0, 5, 7, 9, 13, 15, 17, 19, 21), strict=True)),
    **dict(
        zip(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
            (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23),
            strict=True,
        )
    ),
}
_HETU = "0123456789ABCDEFHJKLMNPRSTUVWXY"


class _Form:
    """How a number is written. `pattern` finds it where it stands alone: no letter, digit or part of a longer number touches it."""

    __slots__ = ("pattern", "shape")

    def __init__(self, shape: str, before: str = "", behind: str = "") -> None:
        self.shape = shape
        alone = r"(?<![A-Za-z_\d.])(?<![A-Za-z_\d]-)", r"(?![A-Za-z_\d]|-[A-Za-z_\d]|\.\d)"
        self.pattern = re.compile(f"{alone[0]}{before}(?:{shape}){alone[1]}{behind}", re.IGNORECASE)


class Scheme(msgspec.Struct, frozen=True):
    """One country's number: how it is written, whether it adds up, and the words of which one must stand before it (none: it speaks for
    itself)."""

    name: str
    form: _Form
    sound: Callable[[str], bool]
    cue: re.Pattern[str] | None = None


def find(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Every number of any scheme between two places of a text."""
    schemes = _SPEAKING if _SHAPES.search(text[start:end]) is not None else ()
    if _CUES.search(text[max(start - CUE_REACH, 0) : end]) is not None:
        schemes = (*schemes, *_CUED)
    for scheme in schemes:
        for match in scheme.form.pattern.finditer(text, start, end):
            if scheme.sound(match[0]) and (scheme.cue is None or scheme.cue.search(text, max(match.start() - CUE_REACH, 0), match.start())):
                yield match.span()


def _digits(text: str) -> str:
    return _DIGITS.sub("", text)


def _dated(year: str, month: str, day: str) -> bool:
    """Whether it is a day of some century."""
    try:
        datetime.date(2000 + int(year) if len(year) == 2 else int(year), int(month), int(day))
    except ValueError:
        return False
    return True


def _ssn(text: str) -> bool:
    area, group, serial = re.split(r"[- ]", text)
    return area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"


def _nino(text: str) -> bool:
    return text[:2] not in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ")


def _steuer_id(text: str) -> bool:
    """One digit of the first ten stands there two or three times, and the check digit fits."""
    digits = _digits(text)
    counts = sorted(digits[:10].count(digit) for digit in set(digits[:10]))
    return digits[0] != "0" and mod_11_10(digits) and len([count for count in counts if count > 1]) == 1 and counts[-1] in (2, 3)


def _nir(text: str) -> bool:
    plain = re.sub(r"[ .]", "", text).upper()
    number = int(plain[:13].replace("2A", "19").replace("2B", "18"))
    return 97 - number % 97 == int(plain[13:])


def _dni(text: str) -> bool:
    plain = re.sub(r"[- .]", "", text).upper()
    number = plain[:-1].translate(str.maketrans("XYZ", "012"))
    return _DNI[int(number) % 23] == plain[-1]


def _codice_fiscale(text: str) -> bool:
    plain = text.upper()
    odd = sum(_ODD[char] for char in plain[:15:2])
    even = sum(int(char) if char.isdigit() else ord(char) - 65 for char in plain[1:15:2])
    return chr(65 + (odd + even) % 26) == plain[15]


def _bsn(text: str) -> bool:
    digits = _digits(text).zfill(9)
    return weighted(digits, (9, 8, 7, 6, 5, 4, 3, 2, -1), 11) == 0 and digits != "0" * 9


def _pesel(text: str) -> bool:
    month = int(text[2:4]) % 20
    return weighted(text, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1), 10) == 0 and _dated(text[:2], str(month), text[4:6])


def _personnummer(text: str) -> bool:
    digits = _digits(text)[-10:]
    return luhn(digits) and _dated(digits[:2], digits[2:4], str((int(digits[4:6]) - 1) % 60 + 1))


def _hetu(text: str) -> bool:
    plain = text.upper()
    return _dated(plain[4:6], plain[2:4], plain[:2]) and _HETU[int(plain[:6] + plain[7:10]) % 31] == plain[10]


def _rijksregister(text: str) -> bool:
    digits = _digits(text)
    return int(digits[9:]) in (97 - int(digits[:9]) % 97, 97 - int("2" + digits[:9]) % 97)


def _cpf(text: str) -> bool:
    digits = _digits(text)
    if len(set(digits)) == 1:
        return False
    checks = [weighted(digits[:9], (10, 9, 8, 7, 6, 5, 4, 3, 2), 11), weighted(digits[:10], (11, 10, 9, 8, 7, 6, 5, 4, 3, 2), 11)]
    return [0 if check < 2 else 11 - check for check in checks] == [int(digits[9]), int(digits[10])]


def _ahv(text: str) -> bool:
    digits = _digits(text)
    return (10 - weighted(digits[:12], (1, 3) * 6, 10)) % 10 == int(digits[12])


def _resident(text: str) -> bool:
    return mod_11_2(text) and _dated(text[6:10], text[10:12], text[12:14])


def _always(_: str) -> bool:
    return True


def _cue(*words: str) -> re.Pattern[str]:
    return re.compile("|".join(words), re.IGNORECASE)


SCHEMES = (
    Scheme("us_ssn", _Form(r"\d{3}-\d{2}-\d{4}"), _ssn),
    Scheme("us_ssn_spaced", _Form(r"\d{3} \d{2} \d{4}"), _ssn, _cue(r"\bssn\b", "social security")),
    Scheme("us_ssn_bare", _Form(r"\d{9}"), _always, _cue(r"\bssn\b", "social security")),
    Scheme("uk_nino", _Form(r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]"), lambda text: _nino(text.upper())),
    Scheme(
        "de_steuer_id",
        _Form(r"\d{11}|\d{2} \d{3} \d{3} \d{3}"),
        _steuer_id,
        _cue("steuer", r"\bidnr", r"\btin\b", "tax (?:id|number)", "identifikationsnummer"),
    ),
    Scheme("fr_nir", _Form(r"[12] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}"), _nir),
    Scheme("es_dni", _Form(r"(?:[XYZ][- ]?\d{7}|\d{8})[- ]?[A-HJ-NP-TV-Z]"), _dni),
    Scheme("it_codice_fiscale", _Form(r"[A-Z]{6}[\dL-NP-V]{2}[A-EHLMPR-T][\dL-NP-V]{2}[A-Z][\dL-NP-V]{3}[A-Z]"), _codice_fiscale),
    Scheme("nl_bsn", _Form(r"\d{8,9}|\d{4}\.\d{2}\.\d{3}"), _bsn, _cue(r"\bbsn\b", "burgerservicenummer", "sofi")),
    Scheme("pl_pesel", _Form(r"\d{11}"), _pesel, _cue("pesel")),
    Scheme("se_personnummer", _Form(r"(?:19|20)?\d{6}[-+]\d{4}"), _personnummer),
    Scheme("fi_hetu", _Form(r"\d{6}[-+ABCDEFYXWVU]\d{3}[0-9A-FHJ-NPR-Y]"), _hetu),
    Scheme("be_rijksregister", _Form(r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}"), _rijksregister),
    Scheme("br_cpf", _Form(r"\d{3}\.\d{3}\.\d{3}-\d{2}"), _cpf),
    Scheme("br_cpf_bare", _Form(r"\d{11}"), _cpf, _cue(r"\bcpf\b")),
    Scheme("ch_ahv", _Form(r"756[. ]?\d{4}[. ]?\d{4}[. ]?\d{2}"), _ahv),
    Scheme("cn_resident", _Form(r"[1-8]\d{5}(?:19|20)\d{9}[\dX]"), _resident),
    Scheme("in_aadhaar", _Form(r"[2-9]\d{3}[ -]\d{4}[ -]\d{4}", r"(?<!\d[ -])", r"(?![ -]\d)"), lambda text: verhoeff(_digits(text))),
    Scheme("in_aadhaar_bare", _Form(r"[2-9]\d{11}"), verhoeff, _cue("aadhaar", "uidai")),
    Scheme("passport", _Form(r"[A-Z]{1,2}\d{6,8}|\d{9}"), _always, _cue("passport", "reisepass", "passeport", "pasaporte")),
)
"""Every scheme. Patterns are tried in the neighbourhood of digits only, and one by one only where any of them fits at all."""

_SPEAKING = tuple(scheme for scheme in SCHEMES if scheme.cue is None)
_CUED = tuple(scheme for scheme in SCHEMES if scheme.cue is not None)
_SHAPES = re2.compile("(?i)" + "|".join(scheme.form.shape for scheme in _SPEAKING))
_CUES = re2.compile("(?i)" + "|".join(scheme.cue.pattern for scheme in SCHEMES if scheme.cue is not None))
