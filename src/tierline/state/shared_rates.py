"""Rates that several processes keep together: each takes from a lease on the window, and asks the others only where it does not reach.

A `SharedWindow` is a `Window` over two counters, the running span's and the one before. What all hold and have used of the running span,
and what still counts of the one before, is never above the limit: before a process takes a lease in a new span, it asks what all have
used of the old one, leases that are still out counted as used.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence

from tierline.interfaces import Shared
from tierline.state.leases import Counter
from tierline.state.rates import Allowance, Limits
from tierline.types.errors import SharedStateGone

ASK_AGAIN = 0.2
"""Seconds after which a window that had too little left is asked for again."""
MOST_CLAIMED = 250
"""Windows of one claim."""


class SharedWindow:
    """At most `limit` in `seconds`, over all processes. Time is Unix time; where a clock is put back a little it stands still here,
    and by more than a span it is believed."""

    __slots__ = ("_before", "_known", "_now", "at", "limit", "name", "seconds")

    def __init__(self, name: str, limit: int, seconds: float) -> None:
        self.name = name
        self.limit = limit
        self.seconds = seconds
        self.at = 0
        self._known = False
        self._before = self._counter(-1)
        self._now = self._counter(0)

    def wait(self, amount: float, now: float) -> float:
        """Seconds until so much may be taken, 0 when it may now or the others have yet to be asked, infinite when it is more than the
        limit."""
        if amount > self.limit:
            return math.inf
        gone, running = self._gone(now), self._now
        if running.covers(amount, now):
            return 0.0
        used, before = running.used + running.others, self._before.used + self._before.others
        room = self.limit - used - amount
        if before * (1.0 - gone) <= room:
            return max(running.ask_again - now, 0.0) if not running.gone else ASK_AGAIN
        if room >= 0.0:
            return (1.0 - room / before - gone) * self.seconds
        return (1.0 - gone + max(1.0 - (self.limit - amount) / used, 0.0)) * self.seconds

    def take(self, amount: float, now: float) -> int:
        """Count so much as taken; the span it is counted in."""
        self._gone(now)
        self._now.spend(amount)
        return self.at

    def correct(self, by: float, taken_at: int, now: float) -> None:
        """What was taken in a span was so much more, or less: more counts from now on, less is given back where it still counts."""
        self._gone(now)
        if by > 0.0 or taken_at == self.at:
            self._now.spend(by)
        elif taken_at == self.at - 1:
            self._before.spend(by)

    def allowance(self, now: float) -> Allowance:
        """What a client may see of it."""
        gone, used, before = self._gone(now), self._now.used + self._now.others, self._before.used
        left = max(math.floor(self.limit - used - before * (1.0 - gone) + 1e-9), 0)
        spans = 2.0 - gone if used else 1.0 - gone if before else 0.0
        return Allowance(self.limit, left, spans * self.seconds)

    # what the leases ask of it

    def lacks(self, amount: float, now: float) -> bool:
        """Whether the others are to be asked before so much is taken."""
        self._gone(now)
        return now >= self._now.ask_again and not self._now.covers(amount, now)

    @property
    def busy(self) -> bool:
        """Whether there is anything to say or to keep."""
        return bool(self._now.hold or self._now.unsaid or self._before.unsaid or self._before.hold)

    def questions(self, amount: float, now: float) -> list[tuple[Counter, bool, float]]:
        """The counters to claim now, whether it is for the last time, and how much is needed: the span before first, where what all have
        used of it is not known since it ended."""
        gone = self._gone(now)
        before = (self._before, True, 0.0)
        if not self._known:
            return [before]
        self._now.limit = max(self.limit - (self._before.used + self._before.others) * (1.0 - gone), 0.0)
        return [*([before] if self._before.unsaid or self._before.others else []), (self._now, False, amount)]

    def answered(self, amount: float, now: float) -> None:
        """The others were asked, or are away."""
        if not self._known:
            self._known = True
        else:
            self._now.ask_again = now if self._now.covers(amount, now) else now + ASK_AGAIN

    def alone(self, share: float, now: float) -> None:
        """The others cannot be asked any more."""
        self._known = True
        self.questions(0.0, now)
        self._now.alone(share)

    def _gone(self, now: float) -> float:
        at = int(now // self.seconds)
        if at > self.at or at < self.at - 1:
            self._before = self._now if at == self.at + 1 else self._counter(at - 1)
            self._now, self.at, self._known = self._counter(at), at, False
        return min(max(now / self.seconds - self.at, 0.0), 1.0)

    def _counter(self, at: int) -> Counter:
        return Counter(self.name, str(at), float(self.limit), (at + 2) * self.seconds)


class RateLeases:
    """The windows of one process and its leases on them. `share` is the part of a limit that it may use while the others cannot be
    asked; `lease` is in seconds."""

    def __init__(self, shared: Shared, clock: Callable[[], float], lease: float) -> None:
        self.share = 1.0
        self._shared = shared
        self._clock = clock
        self._lease = lease
        self._windows: dict[str, SharedWindow] = {}
        self._asking = asyncio.Lock()

    def window(self, name: str, limit: int, seconds: float) -> SharedWindow:
        """A new window of that name, in place of one that was."""
        made = self._windows[name] = SharedWindow(name, limit, seconds)
        return made

    def forget(self, names: Sequence[str]) -> None:
        """These are no longer limited; what is held of them runs out."""
        for name in names:
            self._windows.pop(name, None)

    async def cover(self, needs: Sequence[tuple[SharedWindow, float]]) -> None:
        """Ask for what these windows need beyond what is held. Nothing is awaited after it was granted, so whoever asked takes it."""
        if any(window.lacks(amount, self._clock()) for window, amount in needs):
            async with self._asking:
                for _ in range(2):  # the span before, then the one that runs
                    lacking = [(window, amount) for window, amount in needs if window.lacks(amount, self._clock())]
                    if lacking:
                        await self._claim(lacking)

    async def ask(self, limits: Limits, requests: float, tokens: float) -> None:
        """Have a lease on what a request needs of these limits, if there is one to be had."""
        needs = [(window, amount) for window, amount in ((limits.requests, requests), (limits.tokens, tokens)) if window is not None]
        await self.cover([(window, min(amount, window.limit)) for window, amount in needs if isinstance(window, SharedWindow)])

    async def renew(self) -> None:
        """Say what was used and keep what is held: called again and again, off the path of requests."""
        async with self._asking:
            windows = [(window, 0.0) for window in self._windows.values() if window.busy]
            for at in range(0, len(windows), MOST_CLAIMED):
                await self._claim(windows[at : at + MOST_CLAIMED])

    async def _claim(self, needs: Sequence[tuple[SharedWindow, float]]) -> None:
        now = self._clock()
        asked = [one for window, amount in needs for one in window.questions(amount, now)]
        claims = [counter.farewell(self._lease) if last else counter.claim(need, self._lease) for counter, last, need in asked]
        try:
            grants = await self._shared.claim(claims)
        except SharedStateGone:
            for window, _ in needs:
                window.alone(self.share, now)
            return
        now = self._clock()
        for (counter, _, _), claim, grant in zip(asked, claims, grants, strict=True):
            counter.granted(claim, grant, now)
        for window, amount in needs:
            window.answered(amount, now)
