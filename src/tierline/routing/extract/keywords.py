"""Whole words and phrases, many at once, in one pass of one automaton; case is ignored.

A run of spaces, tabs and line breaks counts as one space, so that a phrase is found where it is spaced wide or broken over two lines. In
scripts that write without spaces, or glue particles to words (Chinese, Japanese, Korean, Thai and their neighbours), a keyword counts
wherever it stands.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import ahocorasick_rs

_WORD = bytes(1 if chr(code).isalnum() or chr(code) == "_" else 0 for code in range(0x80)) + bytes([2]) * 0x80
_UNSPACED = (
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1100, 0x11FF), (0x1780, 0x17FF), (0x3000, 0x318F), (0x3400, 0x4DBF), (0x4E00, 0x9FFF),
    (0xAC00, 0xD7AF), (0xF900, 0xFAFF), (0xFF00, 0xFFEF), (0x20000, 0x3FFFF),
)  # fmt: skip

_RUN = re.compile("  +")
_OTHER_SPACES = "\t\n\r\v\f\x1c\x1d\x1e\x1f"

_NO_PARTS: Mapping[str, Sequence[int]] = {}


class Keywords:
    """A set of keywords, each with its owners (any numbers); and of `parts`, which count wherever they stand, inside of words too. All in
    lower case and with single spaces, as `spaced` gives them."""

    __slots__ = ("_automaton", "_bounds", "owners")

    def __init__(self, words: Mapping[str, Sequence[int]], parts: Mapping[str, Sequence[int]] = _NO_PARTS) -> None:
        self.owners = [tuple(owners) for owners in (*words.values(), *parts.values())]
        self._bounds = [*((_bound(word[0]), _bound(word[-1])) for word in words), *[(False, False)] * len(parts)]
        sought = [word.encode("utf-8", "surrogatepass") for word in (*words, *parts)]
        self._automaton = ahocorasick_rs.BytesAhoCorasick(sought) if sought else None

    def hits(self, haystack: bytes) -> list[tuple[int, int, int]]:
        """Index of the keyword, start and end of each hit in a text from `encode`; overlapping ones all count."""
        if self._automaton is None:
            return []
        word = _WORD
        return [
            hit
            for hit in self._automaton.find_matches_as_indexes(haystack, overlapping=True)
            if not (word[haystack[hit[1] - 1]] or word[haystack[hit[2]]]) or self._stands_alone(haystack, *hit)
        ]

    def _stands_alone(self, haystack: bytes, index: int, start: int, end: int) -> bool:
        """Whether a hit with letters beside it is a whole word all the same."""
        left, right = self._bounds[index]
        if left and (joined := _WORD[haystack[start - 1]]) and (joined == 1 or _joins(_char_before(haystack, start))):
            return False
        return not (right and (joined := _WORD[haystack[end]]) and (joined == 1 or _joins(_char_at(haystack, end))))


def encode(text: str) -> bytes:
    """A text as it is searched: lower case, single spaces, in UTF-8, with a line break at either end so that every hit has neighbours and
    none reaches over into the next text."""
    plain = text.lower()
    if "\n" in plain:
        # most line breaks stand alone or in pairs: cheaper than taking the text apart
        plain = plain.replace("\n\n", " ").replace("\n", " ")
    if "  " in plain or "\t" in plain or "\r" in plain or "\u00a0" in plain:
        plain = spaced(plain)
    return f"\n{plain}\n".encode("utf-8", "surrogatepass")


def spaced(text: str) -> str:
    """A text with one space for every run of white space, and none at its ends."""
    if text.isascii() and not any(mark in text for mark in _OTHER_SPACES):
        return _RUN.sub(" ", text).strip(" ")  # most spaces stand alone: cheaper than taking the text apart
    return " ".join(text.split())


def _bound(char: str) -> bool:
    """Whether a keyword that begins or ends with this character must begin or end a word there."""
    return (char.isalnum() or char == "_") and not _unspaced(char)


def _unspaced(char: str) -> bool:
    code = ord(char)
    return code >= 0x0E00 and any(first <= code <= last for first, last in _UNSPACED)


def _joins(char: str) -> bool:
    """Whether this character beside a keyword makes it part of a longer word."""
    return char.isalnum() and not _unspaced(char)


def _char_before(text: bytes, end: int) -> str:
    start = end - 1
    while start > 0 and end - start < 4 and text[start] & 0xC0 == 0x80:
        start -= 1
    return text[start:end].decode("utf-8", "replace")[-1:] or " "


def _char_at(text: bytes, start: int) -> str:
    return text[start : start + 4].decode("utf-8", "replace")[:1] or " "
