"""The form of what is judged: code, lists, formulas, tables, questions. Counted, never understood."""

from __future__ import annotations

import re

import msgspec

_SIGNS = b"{}()[];=<>_^+"
_MATHS_SIGNS = (b"=", b"^", b"+")
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
_OPTIONS = (b"\nA. ", b"\nB. ", b"\nC. ", b"\nD. ", b"\nA) ", b"\nB) ", b"\nC) ", b"\nD) ")
MARKUP_AT_MOST = 50
"""Formulas and list items are counted up to here."""


class Structure(msgspec.Struct, frozen=True, gc=False):
    """`chars`: the length, where a character that takes three bytes counts as two; `items` of lists, `formulas` in TeX, maths `signs`,
    and whether a multiple choice is there."""

    chars: int
    code: bool
    items: int
    formulas: int
    signs: int
    options: bool


def structure(text: str) -> Structure:
    """The form of a text that has been cut to a bounded length."""
    encoded = text.encode("utf-8", "surrogatepass")
    lines = "\n" in text
    signs = len(encoded) - len(encoded.translate(None, _SIGNS))
    return Structure(
        (len(text) + len(encoded)) // 2,
        ("`" in text and "```" in text) or (signs >= 6 and signs * 30 >= len(encoded) and any(mark in text for mark in _CODE_MARKS)),
        _count(_ITEM, text) if lines else 0,
        _count(_LATEX, text) if "\\" in text or "$" in text else 0,
        sum(map(encoded.count, _MATHS_SIGNS)) if signs else 0,
        lines and b"\nA" in encoded and sum(mark in encoded for mark in _OPTIONS) >= 3,
    )


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
