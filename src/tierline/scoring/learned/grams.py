"""Text → hashed n-grams, all in array operations: no loop over characters or words.

    words        runs of letters and digits, and each pair of neighbours          → buckets [0, WORDS)
    characters   3, 4 and 5 in a row inside a padded word (text between spaces)    → buckets [WORDS, WORDS + CHARACTERS)

Letters are in lower case and every digit is a 0. The hash of a run is a polynomial in its code points modulo 2⁶⁴, taken from running
sums; its upper bits name the bucket. The layout is part of every artifact: `LAYOUT` grows when a text would get other buckets or facts of
form (2: more facts).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LAYOUT = 2
WORDS = CHARACTERS = 1 << 15
BUCKETS = WORDS + CHARACTERS
SIZES = (3, 4, 5)
HEAD, TAIL = 3_000, 1_000
"""Characters that are read: of a longer text the first and the last."""

_SPACE, _MARK, _LETTER = 0, 1, 2
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xD6E8FEB86659FD93)
_PAIR = np.uint64(0xC2B2AE3D27D4EB4F)
_SHIFT = np.uint64(64 - 15)
_ONE = np.uint64(1)
_AFTER_WORDS = np.uint16(WORDS)
_TRUE = np.ones(1, dtype=np.bool_)
_DIGITS = dict.fromkeys(range(48, 58), 48)
_LOGARITHMS = np.concatenate([[0.0], 1.0 + np.log(np.arange(1, 65))]).astype(np.float32)
_FOLD = np.uint64(32)
_INVERSE = pow(int(_FACTOR), -1, 1 << 64)


def _powers(base: int, many: int) -> NDArray[np.uint64]:
    values = [1]
    for _ in range(many):
        values.append(values[-1] * base % (1 << 64))
    return np.array(values, dtype=np.uint64)


_LONGEST = HEAD + TAIL + 3
_POWERS = _powers(int(_FACTOR), _LONGEST)
_INVERSES = _powers(_INVERSE, _LONGEST)
_ASCII = np.array([_LETTER if chr(c).isalnum() else _SPACE if chr(c).isspace() or c < 32 else _MARK for c in range(129)], dtype=np.uint8)
_ASCII[128] = _LETTER

Buckets = NDArray[np.intp]
Weights = NDArray[np.float32]


def clipped(text: str) -> str:
    """What is read of a text."""
    return text if len(text) <= HEAD + TAIL else text[:HEAD] + " " + text[-TAIL:]


def grams(text: str) -> tuple[Buckets, Weights]:
    """The buckets of a text, rising, and the logarithmic count of each (1 + ln n)."""
    points = _points(text)
    kinds = _ASCII[np.minimum(points, 128)]
    sums = np.zeros(len(points) + 1, dtype=np.uint64)
    np.cumsum((points + _ONE) * _POWERS[: len(points)], out=sums[1:])
    words, characters = _words(sums, kinds), _characters(sums, kinds)
    hashes = np.concatenate([*words, *characters])
    buckets = (((hashes ^ (hashes >> _FOLD)) * _MIX) >> _SHIFT).astype(np.uint16)
    buckets[sum(map(len, words)) :] += _AFTER_WORDS
    return _counted(buckets)


def _counted(buckets: NDArray[np.uint16]) -> tuple[Buckets, Weights]:
    buckets.sort()
    if not len(buckets):
        return np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.float32)
    first = np.flatnonzero(np.concatenate([_TRUE, buckets[1:] != buckets[:-1]]))
    counts = np.diff(first, append=len(buckets))
    return buckets[first].astype(np.intp), _LOGARITHMS[np.minimum(counts, len(_LOGARITHMS) - 1)]


def _points(text: str) -> NDArray[np.uint64]:
    """Code points between two spaces, every digit as 0."""
    read = clipped(text).lower()[: _LONGEST - 2].translate(_DIGITS)
    return np.frombuffer(f" {read} ".encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)


def _words(sums: NDArray[np.uint64], kinds: NDArray[np.uint8]) -> list[NDArray[np.uint64]]:
    """The hash of each word, wherever it stands in the text, and of each pair of neighbours."""
    edges = np.flatnonzero(np.diff(kinds == _LETTER)) + 1
    starts, ends = edges[::2], edges[1::2]
    words = (sums[ends] - sums[starts]) * _INVERSES[starts]
    return [words, words[:-1] * _PAIR + words[1:]]


def _characters(sums: NDArray[np.uint64], kinds: NDArray[np.uint8]) -> list[NDArray[np.uint64]]:
    """The hash of each run with a space at its ends at most, and not of spaces only."""
    spaces = np.zeros(len(kinds) + 1, dtype=np.int32)
    np.cumsum(kinds == _SPACE, out=spaces[1:])
    found = []
    for size in SIZES:
        many = max(0, len(kinds) - size + 1)
        inside = spaces[size - 1 : size - 1 + many] == spaces[1 : 1 + many]
        found.append(((sums[size:] - sums[:many]) * _INVERSES[:many])[inside])
    return found
