"""What workers hold in common, in the memory of one process: for a gateway that runs alone, and for tests of several.

Several members of one table stand for several processes: what one of them says and holds, the others see.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from tierline.types.shared import Claim, Grant

MOST_COUNTERS = 100_000
"""Counters that are remembered; past it those whose window ends first are forgotten."""


class _Count:
    """One counter in one window: what was used, and what each member holds until when."""

    __slots__ = ("ends", "holds", "used")

    def __init__(self, ends: float) -> None:
        self.ends = ends
        self.used = 0.0
        self.holds: dict[int, tuple[float, float]] = {}

    def held_by_others(self, member: int, now: float) -> float:
        """What is held, by leases that have not run out."""
        return sum(hold for who, (hold, until) in self.holds.items() if who != member and now < until)


class Table:
    """The counters of all members. `clock` gives Unix seconds."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self._counts: dict[tuple[str, str], _Count] = {}
        self._members = 0

    def join(self) -> int:
        """The number of a new member."""
        self._members += 1
        return self._members

    def settle(self, member: int, claim: Claim) -> Grant:
        """One claim of one member."""
        now, key = self.clock(), (claim.counter, claim.window)
        count = self._counts.get(key)
        if count is None:
            if len(self._counts) >= MOST_COUNTERS:
                self._forget(now)
            count = self._counts[key] = _Count(claim.ends)
        count.used += claim.used
        others = count.held_by_others(member, now)
        hold = max(min(claim.hold, claim.limit - count.used - others), 0.0)
        if hold > 0:
            count.holds[member] = (hold, now + claim.lease)
        else:
            count.holds.pop(member, None)
        return Grant(hold, count.used, others)

    def leave(self, member: int) -> None:
        """Give back whatever a member holds."""
        for count in self._counts.values():
            count.holds.pop(member, None)

    def _forget(self, now: float) -> None:
        """Those whose window is over; where there are none, the tenth that ends first."""
        over = [key for key, count in self._counts.items() if count.ends <= now]
        ranked = over or sorted(self._counts, key=lambda key: self._counts[key].ends)[: MOST_COUNTERS // 10]
        for key in ranked:
            del self._counts[key]


class LocalShared:
    """A member of a table: of one of its own where none is given."""

    def __init__(self, table: Table | None = None) -> None:
        self._table = table or Table()
        self._member = self._table.join()

    async def claim(self, claims: Sequence[Claim]) -> Sequence[Grant]:
        """Settle them one after another. It never waits."""
        return [self._table.settle(self._member, claim) for claim in claims]

    async def close(self) -> None:
        """Give back every lease."""
        self._table.leave(self._member)
