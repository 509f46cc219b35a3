"""When two questions are the same question."""

from __future__ import annotations

import re
import unicodedata

_APART = re.compile(r"[\W_]+")


def normalised(words: str) -> str:
    """Without case, punctuation, spaces and forms of a letter that only look different; what holds no letter or digit stays as it is."""
    folded = unicodedata.normalize("NFKC", words).casefold()
    return _APART.sub(" ", folded).strip() or folded.strip()
