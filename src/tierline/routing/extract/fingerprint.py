"""Digests: which template a system prompt came from, and the chance that belongs to a request id."""

from __future__ import annotations

import hashlib

_CALENDAR = frozenset({
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
    "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec",
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "mon", "tue", "wed", "thu", "fri", "sat", "sun",
    "am", "pm", "utc", "gmt",
})  # fmt: skip
_EDGES = ".,;:!?()[]{}<>\"'`*"
_DIGITS = frozenset("0123456789")
_NO_DIGITS = dict.fromkeys(map(ord, _DIGITS))
LOOKED_AT = 16_384
"""Characters of a system prompt that make its fingerprint."""


def fingerprint(prompt: str) -> str:
    """12 hex digits for a system prompt with its changing parts taken out, empty for an empty prompt.

    A word counts as changing when it holds a digit, an `@` or `://`, or names a month, a weekday or a time zone: dates, numbers, UUIDs,
    hashes, addresses. Runs of them count as one, and white space does not count. Words that are not ASCII lose their digits only, for
    some scripts write whole sentences without a space."""
    if not prompt or prompt.isspace():
        return ""
    kept: list[str] = []
    changing = False
    for word in prompt[:LOOKED_AT].split():
        if not word.isascii() and not _DIGITS.isdisjoint(word):
            kept.append(word.translate(_NO_DIGITS))
            changing = False
        elif not _DIGITS.isdisjoint(word) or "@" in word or "://" in word or word.strip(_EDGES).lower() in _CALENDAR:
            if not changing:
                kept.append("#")
            changing = True
        else:
            kept.append(word)
            changing = False
    return hashlib.blake2b(" ".join(kept).encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def draw(request_id: str) -> float:
    """A number in [0, 1) that depends on the id alone, the same for ever: the first 53 bits of its BLAKE2b digest."""
    digest = hashlib.blake2b(request_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / 9007199254740992.0
