"""The form of what is judged: code, lists, formulas, tables, questions. Counted, never understood."""

from __future__ import annotations

import re
from typing import NamedTuple

_CODE_SIGNS = b"{}()[];=<>_"
_CODE_MARKS = (
    ";\n",
    "):\n",
    ") {",
    "def ",
    "return ",
    "=> ",
    "</",
    "#include",
    "function ",
    "SELECT ",
    "select ",
    "import ",
    "const ",
    "();",
    "fn ",
    "public ",
)
_ITEM = re.compile(r"(?:^|\n)[ \t]{0,8}(?:[-*•]|\(?[0-9a-zA-Z]{1,2}[.)])[ \t]")
_LATEX = re.compile(
    r"\\(?:frac|sum|int|sqrt|begin|mathbb|left|cdot|times|le|ge|in|to|infty|lim|partial|alpha|beta|theta|pi|text)\b|\$[^$\n]{1,200}\$"
)
MARKUP_AT_MOST = 50
"""Formulas and list items are counted up to here."""


class Structure(NamedTuple):
    """`chars` of the whole, `items` of lists, `formulas` in TeX, maths `signs`, `numbers` (runs of digits, roughly), table `rows`, `options` of a multiple choice."""

    chars: int
    code: bool
    items: int
    formulas: int
    signs: int
    rows: int
    options: int


def structure(text: str) -> Structure:
    """The form of a text that has been cut to a bounded length."""
    encoded = text.encode("utf-8", "surrogatepass")
    lines = "\n" in text
    return Structure(
        (len(text) + len(encoded)) // 2,
        looks_like_code(text, encoded),
        _count(_ITEM, text) if lines else 0,
        _count(_LATEX, text) if "\\" in text or "$" in text else 0,
        encoded.count(b"=") + encoded.count(b"^") + encoded.count(b"+"),
        encoded.count(b"|\n") if lines else 0,
        sum(mark in encoded for mark in _OPTIONS) if lines and b"\nA" in encoded else 0,
    )


_OPTIONS = (b"\nA. ", b"\nB. ", b"\nC. ", b"\nD. ", b"\nA) ", b"\nB) ", b"\nC) ", b"\nD) ")


def looks_like_code(text: str, encoded: bytes) -> bool:
    """A fenced block, or signs as dense as in code with a mark that prose and JSON lack."""
    if "```" in text:
        return True
    signs = len(encoded) - len(encoded.translate(None, _CODE_SIGNS))
    return signs >= 6 and signs * 30 >= len(encoded) and any(mark in text for mark in _CODE_MARKS)


def questions(text: str) -> int:
    """Questions asked: question marks at the end of a word (runs count once), in any script."""
    marks = 0 if text.isascii() else text.count("？") + text.count("؟")
    if "?" in text:
        _, *following = text.split("?")
        marks += not following[-1]
        for rest in following:
            if rest and rest[0] in _AFTER_A_QUESTION:
                marks += 1
    return marks


_AFTER_A_QUESTION = frozenset(" \n\t\r\"')*_”」!]")


def _count(pattern: re.Pattern[str], text: str) -> int:
    found = 0
    for _ in pattern.finditer(text):
        found += 1
        if found == MARKUP_AT_MOST:
            break
    return found
