"""`pattern` and `not_pattern`: the answer matches a regular expression somewhere, or nowhere. RE2: linear time, whatever stands there."""

from __future__ import annotations

import re2

from tierline.config.answer_checks import NotPatternCheck, PatternCheck
from tierline.config.loaded import Loaded
from tierline.config.validation import Check
from tierline.types.ask import Exchange
from tierline.types.outcome import Finding
from tierline.validators.calls import NOTHING_SAID, says_nothing


class Pattern:
    """See `PatternCheck`."""

    asks = False

    def __init__(self, check: Check, loaded: Loaded) -> None:
        self.name = check.name
        self._written = check.read(PatternCheck).pattern
        self._pattern = re2.compile(self._written)

    def check(self, exchange: Exchange) -> Finding:
        """Passes where it matches."""
        if says_nothing(exchange):
            return NOTHING_SAID
        if self._pattern.search(searchable(exchange.text)) is not None:
            return Finding(True)
        return Finding(False, "the pattern does not match", feedback=f"The answer must match the regular expression {self._written}")


class NotPattern:
    """See `NotPatternCheck`."""

    asks = False

    def __init__(self, check: Check, loaded: Loaded) -> None:
        self.name = check.name
        self._pattern = re2.compile(check.read(NotPatternCheck).not_pattern)

    def check(self, exchange: Exchange) -> Finding:
        """Passes where it does not match."""
        found = self._pattern.search(searchable(exchange.text))
        if found is None:
            return Finding(True)
        return Finding(False, "a pattern matches that must not", feedback=f"The answer must not contain {found[0][:200]!r}.")


def searchable(text: str) -> str:
    """A text as RE2 takes it: lone halves of surrogate pairs, which UTF-8 cannot hold, become question marks."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
