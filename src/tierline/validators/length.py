"""`min_chars`, `max_chars`, `min_words`, `max_words`: the answer is neither too short nor too long."""

from __future__ import annotations

import re

from tierline.config.answer_checks import MaxCharsCheck, MaxWordsCheck, MinCharsCheck, MinWordsCheck
from tierline.config.loaded import Loaded
from tierline.config.validation import Check
from tierline.types.ask import Exchange
from tierline.types.outcome import Finding
from tierline.validators.calls import NOTHING_SAID, says_nothing

_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002ffff"
_ASCII_WORD = re.compile(r"\w+(?:['’.,-]\w+)*")
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+(?:['’.,-][^\W{_UNSPACED}]+)*")


def words_in(text: str) -> int:
    """How many words a text has; of scripts that write without spaces (Chinese, Japanese, Thai) each character counts as one."""
    pattern = _ASCII_WORD if text.isascii() else _WORD
    return sum(1 for _ in pattern.finditer(text))


class MinChars:
    """See `MinCharsCheck`."""

    asks = False

    def __init__(self, check: Check, loaded: Loaded) -> None:
        self.name = check.name
        self._limit = check.read(MinCharsCheck).min_chars

    def check(self, exchange: Exchange) -> Finding:
        """Counts."""
        return NOTHING_SAID if says_nothing(exchange) else _at_least(len(exchange.text.strip()), self._limit, "characters")


class MaxChars:
    """See `MaxCharsCheck`."""

    asks = False

    def __init__(self, check: Check, loaded: Loaded) -> None:
        self.name = check.name
        self._limit = check.read(MaxCharsCheck).max_chars

    def check(self, exchange: Exchange) -> Finding:
        """Counts."""
        return _at_most(len(exchange.text.strip()), self._limit, "characters")


class MinWords:
    """See `MinWordsCheck`."""

    asks = False

    def __init__(self, check: Check, loaded: Loaded) -> None:
        self.name = check.name
        self._limit = check.read(MinWordsCheck).min_words

    def check(self, exchange: Exchange) -> Finding:
        """Counts."""
        return NOTHING_SAID if says_nothing(exchange) else _at_least(words_in(exchange.text), self._limit, "words")


class MaxWords:
    """See `MaxWordsCheck`."""

    asks = False

    def __init__(self, check: Check, loaded: Loaded) -> None:
        self.name = check.name
        self._limit = check.read(MaxWordsCheck).max_words

    def check(self, exchange: Exchange) -> Finding:
        """Counts."""
        return _at_most(words_in(exchange.text), self._limit, "words")


def _at_least(count: int, limit: int, unit: str) -> Finding:
    if count >= limit:
        return Finding(True)
    said = f"{count} {unit}, fewer than {limit}"
    return Finding(False, said, feedback=f"The answer is too short: {said}.")


def _at_most(count: int, limit: int, unit: str) -> Finding:
    if count <= limit:
        return Finding(True)
    said = f"{count} {unit}, more than {limit}"
    return Finding(False, said, feedback=f"The answer is too long: {said}.")
