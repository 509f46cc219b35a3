"""All detectors over all the texts of a request, in one pass each.

A detector that fails finds nothing, and so proves nothing: its kinds count as found, and what it looked at as unread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import msgspec
import re2

from tierline.interfaces import Detector
from tierline.types.sensitivity import BUILT_IN, Spotted

BETWEEN = "\n\x00\n"
"""Stands between two texts, so that nothing is found across them."""

_NUL = "\x00"
_ZEROS = (0x0660, 0x06F0, 0x0966, 0xFF10)
_READ_AS = {
    **{0xFF01 + at: 0x21 + at for at in range(94)},
    **{zero + digit: 0x30 + digit for zero in _ZEROS for digit in range(10)},
    **dict.fromkeys(range(0xD800, 0xE000), 0xFFFD),
}
"""Wide letters and the digits of Arabic, Persian and Hindi are read as ASCII, and half a character (JSON can hold one, no library can read
it) as none: each is one character for one, so that places stay."""


class Scan(msgspec.Struct, frozen=True):
    """What was found: every value with its kind, in the order of the texts, the same value once; and the kinds that a detector which
    failed would have found."""

    values: Mapping[str, str] = {}
    failed: frozenset[str] = frozenset()

    @property
    def kinds(self) -> frozenset[str]:
        """Everything that was found, or could have been."""
        return frozenset(self.values.values()) | self.failed


NOTHING = Scan()


class Detectors:
    """Everybody who looks, and the kinds that they are to look for. `on_failure` is told the name of a detector that fails, and the class
    of its error, which quotes nothing."""

    def __init__(self, detectors: Sequence[Detector], wanted: Sequence[str], on_failure: Callable[[str, str], None]) -> None:
        self._detectors = tuple(detectors)
        self._wanted = frozenset(wanted)
        self._on_failure = on_failure

    def __call__(self, texts: Sequence[str]) -> Scan:
        """What stands in these texts. Never raises."""
        text = BETWEEN.join(texts)
        read = text if text.isascii() else text.translate(_READ_AS)
        spotted: list[Spotted] = []
        failed: set[str] = set()
        for detector in self._detectors:
            try:
                spotted += self._sound(detector.find(read), len(text))
            except Exception as error:
                failed |= self._wanted.intersection(detector.kinds)
                self._on_failure(detector.name, type(error).__name__)
        if not (spotted or failed):
            return NOTHING
        return Scan(_values(text, spotted), frozenset(failed))

    def _sound(self, spotted: Sequence[Spotted], length: int) -> list[Spotted]:
        """Those of the wanted kinds; raises ValueError for a place that is not in the text."""
        if any(not 0 <= one.start < one.end <= length for one in spotted):
            raise ValueError("a place outside of the text")
        return [one for one in spotted if one.kind in self._wanted]


def _values(text: str, spotted: Sequence[Spotted]) -> dict[str, str]:
    """Every value and its kind. Where two overlap, what they cover together is a value too, so that no part of it is left over."""
    found: dict[str, str] = {}
    ordered = sorted(spotted, key=lambda one: (one.start, -one.end))
    for one in ordered:
        for piece in text[one.start : one.end].split(_NUL):
            if value := piece.strip("\n"):
                found.setdefault(value, one.kind)
    for one, other in pairwise(ordered):
        if other.start < one.end < other.end:
            whole = text[one.start : other.end]
            if _NUL not in whole:
                found.setdefault(whole, one.kind)
    return found


class OwnPatterns:
    """The spec's own kinds: RE2 patterns by name."""

    name = "own patterns"

    def __init__(self, patterns: Mapping[str, Sequence[str]]) -> None:
        self.kinds = tuple(patterns)
        self._compiled = [(kind, re2.compile(pattern)) for kind, several in patterns.items() for pattern in several]

    def find(self, text: str) -> list[Spotted]:
        """Every match that is not empty."""
        return [
            Spotted(kind, match.start(), match.end())
            for kind, compiled in self._compiled
            for match in compiled.finditer(text)
            if match.end() > match.start()
        ]


def built_in(kinds: Sequence[str]) -> tuple[str, ...]:
    """Those kinds that need no plug-in and no pattern."""
    return tuple([kind for kind in kinds if kind in BUILT_IN])
