"""What workers hold in common, in the memory of one process: for a gateway that runs alone, for the workers of one machine
(`state/host_shared`), and for tests of several.

Several members of one table stand for several processes: what one of them says and holds, the others see.
"""

from __future__ import annotations

import secrets
import time
from collections import deque
from collections.abc import Callable, Sequence

from tierline.state.uses import Uses
from tierline.types.shared import Claim, Grant, Heard, Logged

MOST_COUNTERS = 100_000
"""Counters that are remembered; past it those whose window ends first are forgotten."""
MOST_NEWS = 256
"""Pieces of news that are kept for those who have not heard them."""
STANDS = 3.0
"""Seconds after which one who says nothing counts as gone."""


def new_member() -> str:
    """A name for a process among others."""
    return secrets.token_hex(4)[:7]


class _Count:
    """One counter in one window: what was used by whom, and what each member holds until when."""

    __slots__ = ("by", "ends", "holds", "used")

    def __init__(self, ends: float) -> None:
        self.ends = ends
        self.used = 0.0
        self.by: dict[str, float] = {}
        self.holds: dict[str, tuple[float, float]] = {}

    def held_by_others(self, member: str, now: float) -> float:
        """What is held, by leases that have not run out."""
        return sum(hold for who, (hold, until) in self.holds.items() if who != member and now < until)

    def spent(self, member: str, whole: float) -> None:
        """A member has used so much in all."""
        self.used += whole - self.by.get(member, 0.0)
        if whole:
            self.by[member] = whole


class Table:
    """The counters and words of all members. `clock` gives Unix seconds."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self.born = secrets.token_hex(8)
        self._counts: dict[tuple[str, str], _Count] = {}
        self._standings: dict[str, tuple[bytes, float]] = {}
        self._news: deque[tuple[int, str, bytes]] = deque(maxlen=MOST_NEWS)
        self._heard: dict[str, int] = {}
        self._told = 0

    def settle(self, member: str, claim: Claim, whole: float | None) -> tuple[Grant, float]:
        """One claim of one member, which has used so much in all (None: it has forgotten), and its whole use."""
        now = self.clock()
        count = self._count(claim.counter, claim.window, claim.ends)
        whole = count.by.get(member, 0.0) + claim.used if whole is None else whole
        count.spent(member, whole)
        others = count.held_by_others(member, now)
        hold = max(min(claim.hold, claim.limit - count.used - others), 0.0)
        if hold > 0:
            count.holds[member] = (hold, now + claim.lease)
        else:
            count.holds.pop(member, None)
        return Grant(hold, count.used, others), whole

    def credit(self, logged: Logged) -> None:
        """Count what a member is known to have used, where it has said less."""
        count = self._count(logged.counter, logged.window, logged.ends)
        count.spent(logged.member, max(logged.used, count.by.get(logged.member, 0.0)))

    def exchange(self, member: str, standing: bytes, news: bytes) -> Heard:
        """One member's word, and what the others had to say."""
        now, since = self.clock(), self._heard.get(member, 0)
        self._standings[member] = (standing, now + STANDS)
        if news:
            self._told += 1
            self._news.append((self._told, member, news))
        for gone in [who for who, (_, until) in self._standings.items() if now >= until]:
            self._standings.pop(gone)
            self._heard.pop(gone, None)
        self._heard[member] = self._told
        others = {who: said for who, (said, _) in self._standings.items() if who != member}
        return Heard(others, tuple([said for at, who, said in self._news if at > since and who != member]), self.born)

    def leave(self, member: str) -> None:
        """Give back whatever a member holds."""
        for count in self._counts.values():
            count.holds.pop(member, None)
        self._standings.pop(member, None)
        self._heard.pop(member, None)

    def _count(self, counter: str, window: str, ends: float) -> _Count:
        count = self._counts.get((counter, window))
        if count is None:
            if len(self._counts) >= MOST_COUNTERS:
                self._forget(self.clock())
            count = self._counts[counter, window] = _Count(ends)
        return count

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
        self._uses = Uses()
        self.member = new_member()

    async def claim(self, claims: Sequence[Claim]) -> Sequence[Grant]:
        """Settle them one after another. It never waits."""
        return [self._settled(claim) for claim in claims]

    def _settled(self, claim: Claim) -> Grant:
        grant, whole = self._table.settle(self.member, claim, self._uses.whole(claim))
        self._uses.keep(claim, whole)
        return grant

    async def credit(self, logged: Sequence[Logged]) -> None:
        """Count what the log knows of processes that have said less."""
        for one in logged:
            self._table.credit(one)

    async def exchange(self, standing: bytes, news: bytes) -> Heard:
        """Say how this process stands and what is new, and hear the others."""
        return self._table.exchange(self.member, standing, news)

    async def close(self) -> None:
        """Give back every lease."""
        self._table.leave(self.member)
