"""Ids of tool calls: short enough for OpenAI, and made up where nobody gave one."""

from __future__ import annotations

import hashlib

LONGEST = 40
"""How many characters OpenAI takes."""


def fitted(given: str) -> str:
    """The id as OpenAI takes it: a longer one becomes a stable short one."""
    if len(given) <= LONGEST:
        return given
    return "call_" + hashlib.blake2b(given.encode(errors="replace"), digest_size=12).hexdigest()


def made(answer: str, choice: int, at: int) -> str:
    """An id for a call without one, by the id of its answer, its choice and its place among the calls there: the same however often it
    is asked for, and another in every answer."""
    return fitted(f"call_{answer}_{choice}_{at}")
