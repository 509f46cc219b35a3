"""What workers and replicas tell each other of what they have used and what they may still use.

Every amount that several processes count together (USD of a budget, requests and tokens of a rate limit, places at a model) is a
counter with a limit in a window of time. A process does not ask before each request: it holds a lease on a part of the limit, spends
from it on its own, and says from time to time what it has used and what it would hold next. What all of them hold and have used
together is never above the limit, so the overshoot is bounded by what a request costs more than was reserved for it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class Claim(msgspec.Struct, frozen=True):
    """One process's word on one counter. `window` names the span of time that it counts in (another window begins at zero), `limit` is of
    all processes together; `used` is what this process has used since its last claim, `hold` what it would have at hand from now on
    (replacing what it held), `lease` for how many seconds; after `ends` (Unix seconds) the window may be forgotten."""

    counter: str
    window: str
    limit: float
    used: float
    hold: float
    lease: float
    ends: float


class Grant(msgspec.Struct, frozen=True):
    """What came of a claim: what this process holds now (at most its wish), what all have used in the window, and what the others hold."""

    hold: float
    used: float
    others: float


class Logged(msgspec.Struct, frozen=True):
    """What the decision log knows one process (`member`) to have used of a counter in a window, in all. It is counted where that process
    has said less: what it used last before it was killed."""

    counter: str
    window: str
    member: str
    used: float
    ends: float


class Heard(msgspec.Struct, frozen=True):
    """What a process hears of the others: how each stands now (one text each, by its name), what they had to tell since it heard them last,
    and when the table was `born`: another name means that it has begun anew and has forgotten what was said."""

    standings: Mapping[str, bytes]
    news: tuple[bytes, ...]
    born: str
