"""Tokens out: what an answer will take, from the work, the length asked for and the limits given."""

from __future__ import annotations

from collections.abc import Sequence

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
UNITS: tuple[tuple[float, tuple[str, ...]], ...] = (
    (1.35, ("word", "words", "wörter", "worten", "mots", "palabras", "слов")),
    (1.0, ("字", "文字", "characters")),
    (1.5, ("词", "단어")),
    (28.0, ("sentence", "sentences", "sätze", "sätzen", "phrases", "frases", "句", "문장", "предложений", "предложения")),
    (110.0, ("paragraph", "paragraphs", "absätze", "paragraphes", "párrafos", "段", "абзацев")),
    (550.0, ("page", "pages", "seiten", "páginas", "страниц")),
    (35.0, ("bullets", "bullet points", "items", "lines", "reasons", "ideas", "examples", "tips", "steps")),
)
"""Tokens for each unit of length, in the words people use: the lexicon's family `length`."""
LONGEST_ANSWER = 32_000.0

_TOKENS = {word: size for size, words in UNITS for word in words}
_NUMBERS = {
    "a": 1, "one": 1, "single": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "zwei": 2, "drei": 3, "deux": 2, "trois": 3, "dos": 2, "tres": 3, "due": 2, "tre": 3, "один": 1, "два": 2, "три": 3,
    "一": 1, "两": 2, "三": 3, "五": 5, "十": 10,
}  # fmt: skip


def asked_length(mentions: Sequence[tuple[str, str]]) -> float | None:
    """Tokens of the length that is asked for ("in 3 sentences", "500 words"), the longest one named, None where none is.

    `mentions` holds each unit of length found, and the few characters before it."""
    longest: float | None = None
    for before, unit in mentions:
        number = _number(before)
        if number and unit in _TOKENS:
            longest = max(longest or 0.0, min(number * _TOKENS[unit], LONGEST_ANSWER))
    return longest


def _number(before: str) -> int:
    """The number at the end of a text, in digits or as a word; 0 where there is none."""
    stripped = before.rstrip(" -")
    digits = len(stripped) - len(stripped.rstrip("0123456789"))
    if digits:
        return int(stripped[-min(digits, 6) :])
    word = stripped.rsplit(" ", 1)[-1]
    return _NUMBERS.get(word, 0) or _NUMBERS.get(word[-1:], 0) * (not word[-1:].isascii())


def output_tokens(
    operation: Operation,
    complexity: float,
    params: Params,
    length: float | None,
    *,
    code: bool,
    brief: bool,
    looping: bool,
    pleasantry: bool,
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
