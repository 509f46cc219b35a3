"""Tokens in: a linear estimate over classes of characters, and flat figures for what is not text.

The text is encoded once, every byte is mapped to its class and the classes are counted. UTF-8 makes that enough to tell scripts
apart: the first byte of a character names its block, and continuation bytes are dropped. The weights were fitted to o200k by
`bench/fit_tokens.py`; `docs/decisions/0002-token-estimate.md` has the errors for each language. They are not negative, so more text
never counts less.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tierline.types.request import Tool

WEIGHTS: Mapping[str, float] = {
    "a": 0.23,
    "A": 0.318,
    "0": 0.975,
    " ": 0.064,
    "\n": 0.578,
    ".": 0.358,
    " .": 1.134,
    "L": 0.884,
    "P": 1.297,
    "g": 0.402,
    "C": 0.285,
    "H": 0.445,
    "R": 0.356,
    "I": 0.391,
    "V": 0.258,
    "Q": 1.508,
    "K": 0.701,
    "J": 0.748,
    "G": 0.71,
    "W": 1.702,
    "E": 2.306,
}
"""Class → tokens for each character of it. `a` and `A`: ASCII letters; `0`: digits; ` `: space, tab and carriage return; a newline; `.`:
every other ASCII character, and ` .`: one more for each of those right after a space; `L`: Latin with marks, `P`: extended Latin, `g`:
Greek, `C`: Cyrillic, `H`: Hebrew and Armenian, `R`: Arabic, `I`: Indic scripts and Thai, `V`: Vietnamese letters and Georgian, `Q`:
dashes, quotes, arrows and signs, `K`: kana and CJK punctuation, `J`: Han, `G`: Hangul, `W`: full-width forms, `E`: emoji and rare
planes."""

MESSAGE_TOKENS = 4
"""Overhead of one message: its role and the marks around it."""
MEDIA_TOKENS: Mapping[str, float] = {"image": 1_000, "audio": 800, "document": 3_000}
"""One medium, whatever its size, for its bytes are not decoded: about a 1,000 × 750 picture, half a minute of sound, two dense pages."""
TOOL_TOKENS = 8
"""Overhead of one tool beside the text of its name, description and schema."""
CALL_TOKENS = 8
"""Overhead of one tool call or tool result."""

_BLOCKS = (
    (0xC2, 0xC3, "L"), (0xC4, 0xC9, "P"), (0xCA, 0xCC, "L"), (0xCD, 0xCF, "g"), (0xD0, 0xD4, "C"), (0xD5, 0xD7, "H"), (0xD8, 0xDF, "R"),
    (0xE0, 0xE0, "I"), (0xE1, 0xE1, "V"), (0xE2, 0xE2, "Q"), (0xE3, 0xE3, "K"), (0xE4, 0xE9, "J"), (0xEA, 0xED, "G"), (0xEE, 0xEF, "W"),
    (0xF0, 0xFF, "E"),
)  # fmt: skip


def _table() -> bytes:
    """Byte → class of the character that it begins."""
    table = bytearray(b"." * 256)
    for code in range(0x80):
        letter = chr(code)
        table[code] = ord("a" if letter.islower() else "A" if letter.isupper() else "0" if letter.isdigit() else ".")
    table[ord("\n")] = ord("\n")
    table[ord(" ")] = table[ord("\t")] = table[ord("\r")] = ord(" ")
    for first, last, name in _BLOCKS:
        table[first : last + 1] = name.encode() * (last + 1 - first)
    return bytes(table)


_TABLE = _table()
_CONTINUATION = bytes(range(0x80, 0xC2))
_LETTER, _CAPITAL, _DIGIT, _SPACE, _LINE, _SIGN, _SPACED_SIGN = (WEIGHTS[name] for name in ("a", "A", "0", " ", "\n", ".", " ."))
_OTHER = tuple((name.encode(), weight) for name, weight in WEIGHTS.items() if len(name) == 1 and name not in "aA0 \n." and weight)


def classes(encoded: bytes) -> bytes:
    """A text in UTF-8 → one byte for each of its characters: the name of its class."""
    return encoded.translate(_TABLE, _CONTINUATION)


def counts(text: str) -> list[int]:
    """How often each class of `WEIGHTS` occurs, in that order: what the weights are fitted on."""
    seen = classes(text.encode("utf-8", "surrogatepass"))
    return [seen.count(name.encode()) for name in WEIGHTS]


def text_tokens(encoded: bytes, ascii: bool) -> float:
    """Estimated tokens of a text in UTF-8; `ascii` says that every byte of it is ASCII."""
    seen = encoded.translate(_TABLE) if ascii else classes(encoded)
    rest = seen.translate(None, b"a")  # a fifth of most texts
    marks = rest.translate(None, b" ")  # and a twentieth: what is counted class by class
    total = (
        _CAPITAL * marks.count(b"A")
        + _DIGIT * marks.count(b"0")
        + _SPACE * (len(rest) - len(marks))
        + _LINE * marks.count(b"\n")
        + _SIGN * marks.count(b".")
        + _SPACED_SIGN * seen.count(b" .")
    )
    if not ascii:
        for name, weight in _OTHER:
            total += weight * marks.count(name)
    return total + _LETTER * (len(seen) - len(rest))


def tools_tokens(tools: Sequence[Tool]) -> float:
    """Estimated tokens of the tools' names, descriptions and schemas: four bytes a token, and an overhead for each."""
    characters = 0
    for tool in tools:
        characters += len(tool.name) + len(tool.description) + len(tool.parameters)
    return characters / 4 + TOOL_TOKENS * len(tools)
