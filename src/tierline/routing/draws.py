"""Chance without dice: independent numbers in [0, 1) made from the one `draw` that a request carries."""

from __future__ import annotations

import hashlib

_MASK = (1 << 64) - 1

EXPLORE = 1
WEIGHTED = 2
LOG_TEXT = 3
LOAD = 4
SHADOW = 20
BACKOFF = 1000
"""The jitter of pass n over what failed is drawn for BACKOFF + n."""


def draw_for(draw: float, purpose: int) -> float:
    """A number in [0, 1) for one purpose, the same for the same draw for ever.

    The finaliser of SplitMix64 (Steele, Lea and Flood, 2014) over the draw's 53 bits and the purpose; two purposes give
    numbers that are independent for every practical end."""
    z = (int(draw * 9007199254740992.0) + purpose * 0x9E3779B97F4A7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return ((z ^ (z >> 31)) >> 11) / 9007199254740992.0


def draw_of(text: str) -> float:
    """A number in [0, 1) that belongs to a text for ever: the first 53 bits of its BLAKE2b digest."""
    return salt_of(text) / 9007199254740992.0


def salt_of(text: str) -> int:
    """The same as a whole number below 2⁵³: a purpose of one's own for `draw_for`."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big") >> 11
