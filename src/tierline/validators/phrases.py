"""`phrases`: words that must not stand in the answer, and words that must. All are looked for in one pass."""

from __future__ import annotations

import ahocorasick_rs

from tierline.config.answer_checks import PhrasesCheck
from tierline.config.loaded import Loaded
from tierline.config.validation import Check
from tierline.types.ask import Exchange
from tierline.types.outcome import Finding
from tierline.validators.calls import NOTHING_SAID, says_nothing

_NAMED = 5


class Phrases:
    """See `PhrasesCheck`. In scripts without spaces a phrase counts wherever it stands."""

    asks = False

    def __init__(self, check: Check, loaded: Loaded) -> None:
        settings = check.read(PhrasesCheck).phrases
        self.name = check.name
        self._required = {_folded(phrase) for phrase in settings.required}
        self._phrases = sorted({_folded(phrase) for phrase in settings.restricted} | self._required)
        self._automaton = ahocorasick_rs.AhoCorasick(self._phrases)

    def check(self, exchange: Exchange) -> Finding:
        """Passes where none of the restricted and each of the required phrases is found."""
        if says_nothing(exchange):
            return NOTHING_SAID
        text = _folded(exchange.text).encode("utf-8", "replace").decode("utf-8")
        found = {
            self._phrases[index]
            for index, start, end in self._automaton.find_matches_as_indexes(text, overlapping=True)
            if _stands_alone(text, start, end)
        }
        present, missing = sorted(found - self._required), sorted(self._required - found)
        if not present and not missing:
            return Finding(True)
        said, told = [], []
        if present:
            said.append(f"{len(present)} restricted")
            told.append(f"It must not say: {', '.join(map(repr, present[:_NAMED]))}.")
        if missing:
            said.append(f"{len(missing)} required missing")
            told.append(f"It must say: {', '.join(map(repr, missing[:_NAMED]))}.")
        return Finding(False, "phrases: " + ", ".join(said), feedback=" ".join(told))


def _folded(text: str) -> str:
    """Case and white space made one, and typographic apostrophes plain."""
    return " ".join(text.casefold().replace("’", "'").split())


def _stands_alone(text: str, start: int, end: int) -> bool:
    before = start == 0 or not (_joins(text[start - 1]) and _joins(text[start]))
    after = end == len(text) or not (_joins(text[end - 1]) and _joins(text[end]))
    return before and after


def _joins(char: str) -> bool:
    """Whether letters beside this one belong to its word."""
    return (char.isalnum() or char == "_") and not "\u0e00" <= char <= "\u109f" and not "\u3040" <= char <= "\uffef"
