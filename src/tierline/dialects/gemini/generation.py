"""What Gemini models of which generation take: the same field is required by one, and refused by the next.

    before 2.5   no thinking
    2.5          thinking with a budget in tokens; Pro cannot be stopped from it
    3 onwards    thinking with a level; calls of functions must come back with the signature they were made with

A Gemini model without a version in its name (`gemini-flash-latest`) counts as the newest. Of a model that is no Gemini nothing is known.
"""

from __future__ import annotations

import re
from typing import NamedTuple

SKIP_SIGNATURE = "skip_thought_signature_validator"
"""What Google takes in place of a signature for a call that another model made."""
_VERSION = re.compile(r"gemini-(?:[a-z]+-)*?(\d{1,2})(?:\.(\d{1,2}))?(?![\d.])")
BUDGETED, LEVELLED, MEDIUM_OF_PRO = (2, 5), (3, 0), (3, 1)


class Generation(NamedTuple):
    """A Gemini model's version and size; it compares with plain pairs."""

    major: int
    minor: int
    size: str = ""


def generation(upstream: str) -> Generation | None:
    """The version in a model's upstream name, such as (2, 5); None for a model that is no Gemini."""
    if "gemini" not in upstream:
        return None
    size = "lite" if "flash-lite" in upstream else "flash" if "flash" in upstream else "pro"
    found = _VERSION.search(upstream)
    return Generation(int(found[1]), int(found[2] or 0), size) if found is not None else Generation(99, 0, size)


def must_sign(upstream: str) -> bool:
    """Whether a function call without a signature is refused."""
    version = generation(upstream)
    return version is not None and version >= LEVELLED
