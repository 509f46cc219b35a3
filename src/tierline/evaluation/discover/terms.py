"""A text's n-grams: its words and pairs of words, without numbers, addresses and other strings that may name somebody."""

from __future__ import annotations

import itertools
import re

LOOKED_AT = 4_000
"""Characters of a text that are read."""
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_STRANGE = re.compile(r"\S*[@\d]\S*|https?://\S+")

_ENGLISH = (
    "a about after all also an and any are as at be been before but by can could did do does for from go had has have he her his how i if "
    "in into is it its just me more most my no not of on one only or other our out she should so some than that the their them then there "
    "these they this those to us was we were what when where which who whom whose why will with would you your it's i'm "
    "i'd don't following "
    "please"
)
_OTHERS = (
    "der die das und ist ein eine zu den von für mit auf im nicht "
    "le la les un une des et est en de du que qui pour dans sur el los las y es por con para una"
)
STOP = frozenset([*_ENGLISH.split(), *_OTHERS.split()])
"""Words that say nothing of a subject; they name no type."""


def grams(text: str) -> list[str]:
    """Words and pairs of neighbours, in lower case, as they stand in the text."""
    words = _WORD.findall(_STRANGE.sub(" ", text[:LOOKED_AT].lower()))
    return words + [f"{one} {other}" for one, other in itertools.pairwise(words)]


def names(gram: str) -> bool:
    """Whether a term may name a type: none of its words is empty of meaning."""
    return all(len(word) > 1 and word not in STOP for word in gram.split())
