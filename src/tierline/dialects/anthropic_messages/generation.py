"""What Claude models of which generation take: the same field is required by one, and refused by the next.

    before 3.7          no thinking
    3.7 … 4.5           thinking with a budget only
    4.6                 thinking with a budget or adaptive; no answer begun by the client from here on
    4.7 onwards         adaptive thinking only, and no sampling parameters
    5 onwards           thinks unless it is told not to
    Opus from 5.5 on,   always think, and cannot be made to call a tool
    Fable, Mythos
    Sonnet from 5.5 on  thinks at least between tool calls

A name without a version that says Claude counts as the newest. Of a model that is no Claude nothing is known, and nothing changed.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tierline.types.catalog import Model

THINKS, ADAPTIVE, FIXED, ON_BY_DEFAULT = (3, 7), (4, 6), (4, 7), (5, 0)
ALWAYS_ON = (5, 5)
"""From here on Opus always thinks, and Sonnet at least between tool calls."""
EFFORT_OF_OPUS = (4, 5)
"""Opus took an effort from here on, the others from 4.6 on."""
ONE_OF_TWO = (4, 1)
"""From here on temperature and top_p may not both be set."""
_ALWAYS_THINKING = ("fable", "mythos")
_VERSION = re.compile(r"claude-(?:[a-z]+-)*(\d{1,2})(?!\d)(?:[-.](\d{1,2})(?!\d))?")
_FAMILY = re.compile(r"opus|sonnet|haiku|fable|mythos")
_OUTPUTS = (((4, 5), 64000), (THINKS, 32000), ((3, 5), 8192), ((0, 0), 4096))
_UNKNOWN_OUTPUT = 8192


class Generation(NamedTuple):
    """A Claude model's version and family; it compares with plain pairs."""

    major: int
    minor: int
    family: str = ""

    @property
    def always_thinks(self) -> bool:
        """Whether thinking cannot be turned off, and no tool call be demanded."""
        return self.family in _ALWAYS_THINKING or (self.family in ("opus", "") and self >= ALWAYS_ON)

    @property
    def thinks_between_tools(self) -> bool:
        """Whether thinking between tool calls is the least there is."""
        return self.family == "sonnet" and self >= ALWAYS_ON

    @property
    def takes_effort(self) -> bool:
        """Whether `output_config.effort` is known."""
        return self >= ADAPTIVE or (self.family == "opus" and self >= EFFORT_OF_OPUS)


def generation(upstream: str) -> Generation | None:
    """The version in a model's upstream name, such as (4, 5); None for a model that is no Claude."""
    family = _FAMILY.search(upstream)
    found = _VERSION.search(upstream)
    if found is not None:
        return Generation(int(found[1]), int(found[2] or 0), family[0] if family else "")
    return Generation(99, 0, family[0] if family else "") if "claude" in upstream else None


def within_output(wanted: int | None, model: Model) -> int:
    """`max_tokens` for a request that wants so many: no more than the model's own limit, where that is known.

    One that names none gets that limit, or else what its generation can say: 64,000 for Claude from 4.5 on, 32,000 from 3.7 on, 8,192
    for 3.5 and for models that are no Claude, and 4,096 for older ones."""
    if wanted is not None:
        return min(wanted, model.max_output) if model.max_output else wanted
    version = generation(model.upstream)
    if model.max_output or version is None:
        return model.max_output or _UNKNOWN_OUTPUT
    return next(tokens for since, tokens in _OUTPUTS if version >= since)
