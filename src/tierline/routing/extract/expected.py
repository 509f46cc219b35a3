"""Tokens out: what an answer will take, from the work, the length asked for and the limits given."""

from __future__ import annotations

import re

from tierline.types.features import Operation
from tierline.types.request import Params

BASE: dict[Operation, int] = {
    "reasoning": 350,
    "synthesis": 300,
    "generation": 350,
    "classification": 15,
    "extraction": 120,
    "embedding": 0,
}
"""Tokens of an ordinary answer, by the leading kind of work."""
CODE = 200
"""More, where code is asked about."""
THINKING = 1_200
"""More, where the client turned reasoning on; multiplied by 1 + the complexity score."""
TOOL_CALL = 120
"""An answer in a tool loop is mostly the next call."""
BRIEF = 40
"""At most so many where a short answer is asked for."""
PLEASANT = 30
"""What thanks and greetings get."""
UNITS = (
    (1.35, ("word", "words", "wörter", "worten", "mots", "palabras", "slov", "слов")), (1.0, ("字", "文字", "characters")), (1.5, ("词", "단어")),
    (28.0, ("sentence", "sentences", "sätze", "sätzen", "phrases", "frases", "句", "句话", "문장", "предложений", "предложения")), (110.0, ("paragraph", "paragraphs", "absätze", "paragraphes", "párrafos", "段", "段落", "абзацев")),
    (550.0, ("page", "pages", "seiten", "páginas", "страниц")), (35.0, ("bullet", "bullets", "bullet points", "points", "items", "lines", "steps", "reasons", "ideas", "examples", "tips")),
)  # fmt: skip
"""Tokens for each unit of length, in the words people use."""

_TOKENS = {word: size for size, words in UNITS for word in words}
_NUMBERS = {
    "a": 1,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "drei": 3,
    "zwei": 2,
    "trois": 3,
    "deux": 2,
    "tres": 3,
    "dos": 2,
    "三": 3,
    "两": 2,
    "五": 5,
    "十": 10,
    "两三": 3,
    "три": 3,
    "два": 2,
}
_ASKED = re.compile(
    r"\b(\d{1,5}|" + "|".join(sorted((n for n in _NUMBERS if n.isascii()), key=len, reverse=True)) + r")[- ]("
    + "|".join(sorted((w for w in _TOKENS if w.isalpha() and ord(w[0]) < 0x500 or " " in w), key=len, reverse=True)) + r")\b"
    + r"|(\d{1,5}|[三两五十])(字|文字|词|단어|句|句话|문장|段|段落)",
    re.IGNORECASE,
)  # fmt: skip
LOOKED_AT = 4_000
"""A length is looked for in the first and the last so many characters."""


def asked_length(text: str) -> float | None:
    """Tokens of the length that is asked for ("in 3 sentences", "500 words"), the longest one named, None where none is."""
    if len(text) > 2 * LOOKED_AT:
        text = f"{text[:LOOKED_AT]}\n{text[-LOOKED_AT:]}"
    sizes = [_size(match[1] or match[3], (match[2] or match[4]).lower()) for match in _ASKED.finditer(text)]
    return max(sizes, default=None)


def _size(number: str, unit: str) -> float:
    count = int(number) if number.isdigit() else _NUMBERS.get(number.lower(), 1)
    return min(count * _TOKENS[unit], 32_000.0)


def output_tokens(
    operation: Operation,
    *,
    code: bool,
    brief: bool,
    length: float | None,
    looping: bool,
    pleasantry: bool,
    complexity: float,
    params: Params,
) -> int:
    """Expected tokens of the answer, thinking included, never above what `max_tokens` allows; for each of `n` answers."""
    if operation == "embedding":
        return 0
    expected = float(BASE[operation])
    if pleasantry:
        expected = PLEASANT
    elif length is not None:
        expected = length
    else:
        expected *= 0.5 + 1.5 * complexity
        if code and operation != "classification":
            expected += CODE
        if looping:
            expected = min(expected, TOOL_CALL + expected * 0.25)
        if brief:
            expected = min(expected, BRIEF)
    if params.reasoning:
        expected += THINKING * (1 + complexity)
    if params.max_tokens is not None:
        expected = min(expected, max(params.max_tokens, 1))
    return max(round(expected), 1) * max(params.n, 1)
