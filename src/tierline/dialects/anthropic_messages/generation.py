"""What Claude models of which generation take: the same field is required by one, and refused by the next.

    before 3.7   no thinking
    3.7 … 4.5    thinking with a budget only
    4.6          thinking with a budget or adaptive; no answer begun by the client from here on
    4.7 onwards  adaptive thinking only, and no sampling parameters

A name without a version that says Claude counts as the newest. Of a model that is no Claude nothing is known, and nothing changed.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tierline.types.catalog import Model

THINKS, ADAPTIVE, FIXED = (3, 7), (4, 6), (4, 7)
EFFORT_OF_OPUS = (4, 5)
"""Opus took an effort from here on, the others from 4.6 on."""
ONE_OF_TWO = (4, 1)
"""From here on temperature and top_p may not both be set."""
UNKNOWN_OUTPUT = 8192
_VERSION = re.compile(r"claude-(?:[a-z]+-)*(\d{1,2})(?!\d)(?:[-.](\d{1,2})(?!\d))?")


class Generation(NamedTuple):
    """A Claude model's version; it compares with plain pairs."""

    major: int
    minor: int
    opus: bool = False


def generation(upstream: str) -> Generation | None:
    """The version in a model's upstream name, such as (4, 5); None for a model that is no Claude."""
    found = _VERSION.search(upstream)
    if found is not None:
        return Generation(int(found[1]), int(found[2] or 0), "opus" in upstream)
    return Generation(99, 0) if "claude" in upstream else None


def takes_effort(version: Generation) -> bool:
    """Whether such a model takes `output_config.effort`."""
    return version >= ADAPTIVE or (version.opus and version >= EFFORT_OF_OPUS)


def within_output(wanted: int | None, model: Model) -> int:
    """`max_tokens` for a request that wants so many: no more than the model's own limit, where that is known.

    One that names none gets that limit, or else 32,000 for Claude from 3.7 on, 8,192 for 3.5 and for models that are no Claude, and
    4,096 for older ones."""
    if wanted is not None:
        return min(wanted, model.max_output) if model.max_output else wanted
    version = generation(model.upstream)
    if model.max_output or version is None:
        return model.max_output or UNKNOWN_OUTPUT
    if version >= THINKS:
        return 32000
    return UNKNOWN_OUTPUT if version >= (3, 5) else 4096
