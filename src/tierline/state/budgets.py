"""What may still be spent: every budget's counters in their periods, promised before a call and settled after it.

    see    → what is left of the budgets that concern a request, and their pace: a part of the view that it is decided by
    purse  → one request's way to spend: it takes what a call may need of every budget that pays for it, and settles what it took

A request is counted in the periods in which it began. Where the lease of a counter covers a call nothing is asked; where it does not, one
claim asks for all counters that lack. Counters are bounded: past `MOST_COUNTERS` those idle longest are given back.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from tierline.config.budgets import Budget, budgets_of
from tierline.config.loaded import Loaded
from tierline.interfaces import Shared
from tierline.state.leases import LEASE, Counter
from tierline.state.local_shared import LocalShared, Table
from tierline.state.pacing import EVEN, Demand, Pace, Plan
from tierline.state.periods import Period, period_at
from tierline.state.purse import Purse
from tierline.types.errors import SharedStateGone
from tierline.types.features import Features
from tierline.types.shared import Logged
from tierline.types.view import View

_logger = logging.getLogger("tierline.state")

MOST_COUNTERS = 10_000
"""Counters of one process, over all budgets."""
MOST_CLAIMED = 500
"""Counters of one claim."""
REFRESH = 2.0
"""Seconds after which it is asked what the others have used, also of a counter that is not used here."""
ASK_AGAIN = 0.2
"""Seconds after which a counter that had too little left is asked for again: until then what is given back here is what there is."""


class BudgetSeen(msgspec.Struct, frozen=True):
    """One budget to be looked at. Amounts in USD (or tokens); of one with a counter for each key, team, session or tag they are sums, and
    `most_used` is the share of the limit that the one nearest to it has used. `pace` in [-1, 1], above 0: ahead of its plan.

    `projected` is what will have been used at the period's end, `exhausted_at` when the limit is reached (Unix seconds, None: not in this
    period); both None where nothing is paced. `exact`: every process's use is counted in; else only what this one knew and holds."""

    name: str
    limit: float
    unit: str
    per: str
    period: str
    ends: float
    used: float
    reserved: float
    left: float
    counters: int
    most_used: float
    at_limit: str
    pace: float
    projected: float | None = None
    exhausted_at: float | None = None
    exact: bool = True


class Budgets:
    """The budgets of one process. `clock` gives Unix seconds; `shared` is what other processes count together with this one, by default
    nobody. `active`: the spec has any that are counted over time; `queued` counts the requests that wait for a period to turn. `lease` is
    in seconds; `share` is the part of what was left that this process may use while the others cannot be asked."""

    def __init__(self, loaded: Loaded, clock: Callable[[], float] = time.time, shared: Shared | None = None, lease: float = LEASE) -> None:
        self.clock = clock
        self.lease = lease
        self.share = 1.0
        self._shared: Shared = shared or LocalShared(Table(clock))
        self.member = self._shared.member
        self._counters: dict[tuple[str, str], Counter] = {}
        self._paces: dict[tuple[str, str], Pace] = {}
        self._periods: dict[tuple[str, str], Period] = {}
        self._plans: dict[str, tuple[str, Plan]] = {}
        self._demand: Mapping[str, Demand] = {}
        self._leaving: dict[tuple[str, str], Counter] = {}
        self._asking = asyncio.Lock()
        self.active = False
        self.queued = 0
        self.all: tuple[Budget, ...] = ()
        self.by_name: Mapping[str, Budget] = {}
        self.adopt(loaded)

    def adopt(self, loaded: Loaded) -> None:
        """Take a new spec: what was counted stays with the budgets that keep their name and period."""
        self.all = tuple([budget for budget in budgets_of(loaded.spec, loaded.models) if budget.per != "request"])
        self.by_name = {budget.name: budget for budget in self.all}
        self.active = bool(self.all)
        for key in [key for key in self._counters if key[0] not in self.by_name]:
            self._let_go(key)
        for (name, _), counter in self._counters.items():
            counter.limit, counter.ask_again = self.by_name[name].limit, 0.0
        self._plans.clear()
        self._paces.clear()

    # what is read of them

    def see(self, view: View, features: Features) -> View:
        """The view with what is left of the budgets that concern a request, those of its task to be picked out, and how they are paced. Of
        several counters of one budget the one with least left, and the pace furthest ahead."""
        left: dict[str, float] = {}
        pace: dict[str, float] = {}
        now = self.clock()
        for budget in self.all:
            for value in budget.values(features):
                counter = self._counter(budget, value, now)
                left[budget.name] = min(left.get(budget.name, counter.left), counter.left)
                if budget.spread:
                    step = self._pace(budget, value, now).look(now, counter.used, counter.limit)
                    pace[budget.name] = max(pace.get(budget.name, step), step)
        return msgspec.structs.replace(view, budgets=left, pace=pace) if left else view

    def ends(self, names: Iterable[str]) -> float:
        """The seconds until the last of these budgets' periods ends."""
        now = self.clock()
        return max((self._period(self.by_name[name], now).ends - now for name in names if name in self.by_name), default=0.0)

    def seen(self) -> list[BudgetSeen]:
        """Every budget as this process sees it now."""
        now = self.clock()
        return [self._seen(budget, now) for budget in self.all]

    def planned(self, budget: Budget) -> tuple[Period, Plan]:
        """The period that runs, and how a budget's demand is spread over it: evenly where it is not paced, or nothing was learnt yet."""
        period = self._period(budget, self.clock())
        return period, self._plan(budget, period)

    # what is spent of them

    def purse(self, features: Features) -> Purse:
        """A request's own way to spend."""
        return Purse(self, features)

    def counters(self, features: Features, task: str) -> list[tuple[Budget, Counter]]:
        """Every counter that a request of that task counts in, whichever model it calls."""
        now = self.clock()
        return [
            (budget, self._counter(budget, value, now)) for budget in self.all if budget.of_task(task) for value in budget.values(features)
        ]

    async def cover(self, needs: Sequence[tuple[Counter, float]]) -> None:
        """Ask for what these counters need beyond what is held: one claim. Whether it was granted the counters tell. It is not undone when
        whoever waits for it is cancelled."""
        await asyncio.shield(asyncio.ensure_future(self._cover(needs)))

    async def _cover(self, needs: Sequence[tuple[Counter, float]]) -> None:
        async with self._asking:
            now = self.clock()
            lacking = [(counter, need) for counter, need in needs if now >= counter.ask_again and not counter.covers(need, now)]
            if lacking:
                await self._claim(lacking)

    async def renew(self) -> None:
        """Say what was used and keep what is held: called again and again, off the path of requests."""
        async with self._asking:
            soon = self.clock() + max(self.lease / 2, self.lease - REFRESH)
            counters = [
                (counter, 0.0) for counter in self._counters.values() if counter.unsaid or counter.gone or counter.holds_until < soon
            ]
            for at in range(0, len(counters), MOST_CLAIMED):
                await self._claim(counters[at : at + MOST_CLAIMED])

    async def reconcile(self, spent: Mapping[tuple[str, str, str], float]) -> None:
        """Count what a log knows to have been spent in the periods that run, by budget, value and process, where a process has said less:
        it was killed, or what it said was lost. However many processes read the log, and however often, it is counted once."""
        now, known = self.clock(), []
        for (name, value, member), amount in spent.items():
            if name in self.by_name and amount > 0.0 and member != self.member:  # its own use a process knows itself
                counter = self._counter(self.by_name[name], value, now)
                known.append((counter, Logged(counter.name, counter.window, member, amount, counter.ends)))
        counters = list({id(counter): (counter, 0.0) for counter, _ in known}.values())
        async with self._asking:
            with contextlib.suppress(SharedStateGone):
                for at in range(0, len(counters), MOST_CLAIMED):
                    await self._claim(counters[at : at + MOST_CLAIMED])
                for at in range(0, len(known), MOST_CLAIMED):
                    await self._shared.credit([logged for _, logged in known[at : at + MOST_CLAIMED]])
            for at in range(0, len(counters), MOST_CLAIMED):
                await self._claim(counters[at : at + MOST_CLAIMED])

    def demand(self, learnt: Mapping[str, Demand]) -> None:
        """Plan by what was learnt of each paced budget's demand; of one that is not among them by an even one."""
        self._demand = learnt
        self._plans.clear()
        for (name, _), pace in self._paces.items():
            pace.follow(self._plan(self.by_name[name], self._period(self.by_name[name], self.clock())))

    def warn(self, budget: Budget, counter: Counter) -> None:
        """Say once a period that a budget is near its limit."""
        if not counter.warned and counter.used >= budget.soft * counter.limit:
            counter.warned = True
            share, unit = counter.used / counter.limit, "tokens" if budget.counts_tokens else "USD"
            _logger.warning(
                "the budget %s has used %.0f %% of its %g %s per %s (warnings begin at %.0f %%)",
                budget.name, share * 100, counter.limit, unit, budget.per, budget.soft * 100,
            )  # fmt: skip

    async def close(self) -> None:
        """Say the last of what was used, and give every lease back."""
        try:
            async with self._asking:
                for key in list(self._counters):
                    self._let_go(key)
                for _ in range(0, len(self._leaving), MOST_CLAIMED):
                    await self._claim([])
        except SharedStateGone:
            _logger.warning("what was used last of the budgets could not be said: it is read from the log again")
        await self._shared.close()

    # counters and their periods

    async def _claim(self, needs: Sequence[tuple[Counter, float]]) -> None:
        """One round trip, which takes the counters that are no longer needed along."""
        going = list(itertools.islice(self._leaving.items(), MOST_CLAIMED))
        lease = self.lease
        claims = [*[counter.farewell(lease) for _, counter in going], *[counter.claim(need, lease) for counter, need in needs]]
        if not claims:
            return
        counters = [*[counter for _, counter in going], *[counter for counter, _ in needs]]
        try:
            grants = await self._shared.claim(claims)
        except SharedStateGone:
            for counter in counters:
                counter.alone(self.share)
            return
        now = self.clock()
        for counter, claim, grant in zip(counters, claims, grants, strict=True):
            counter.granted(claim, grant, now)
        for counter, need in needs:
            counter.ask_again = now if counter.covers(need, now) else now + ASK_AGAIN
        for key, counter in going:
            if self._leaving.get(key) is counter and not (counter.open or counter.unsaid):
                del self._leaving[key]

    def _counter(self, budget: Budget, value: str, now: float) -> Counter:
        key = (budget.name, value)
        found = self._counters.get(key)
        if found is not None and now < found.ends:
            return found
        period = self._period(budget, now)
        if found is not None and found.window == period.name:
            return found
        self._let_go(key)
        if len(self._counters) >= MOST_COUNTERS:
            self._let_go(next(iter(self._counters)))
        name = f"{budget.name}/{value}" if budget.each else budget.name
        known = self._leaving.pop((name, period.name), None)
        made = self._counters[key] = known or Counter(name, period.name, budget.limit, period.ends)
        return made

    def _let_go(self, key: tuple[str, str]) -> None:
        counter = self._counters.pop(key, None)
        self._paces.pop(key, None)
        if counter is not None and (counter.hold or counter.unsaid or counter.open):
            self._leaving[counter.name, counter.window] = counter

    def _period(self, budget: Budget, now: float) -> Period:
        key = (budget.per, budget.zone)
        period = self._periods.get(key)
        if period is None or not period.begins <= now < period.ends:
            period = self._periods[key] = period_at(now, budget.per, budget.zone)
        return period

    def _pace(self, budget: Budget, value: str, now: float) -> Pace:
        key = (budget.name, value)
        pace = self._paces.get(key)
        if pace is None:
            pace = self._paces[key] = Pace(self._plan(budget, self._period(budget, now)))
        return pace

    def _plan(self, budget: Budget, period: Period) -> Plan:
        known = self._plans.get(budget.name)
        if known is None or known[0] != period.name:
            known = self._plans[budget.name] = (period.name, Plan(period, budget.zone, self._demand.get(budget.name, EVEN)))
        return known[1]

    def _seen(self, budget: Budget, now: float) -> BudgetSeen:
        period = self._period(budget, now)
        counters = {value: c for (name, value), c in self._counters.items() if name == budget.name and c.window == period.name}
        used, reserved = (sum([getattr(c, what) for c in counters.values()], 0.0) for what in ("used", "reserved"))
        steps = [pace.step for (name, _), pace in self._paces.items() if name == budget.name]
        projected, exhausted = None, None
        if budget.spread and not budget.each:
            projected, exhausted = self._pace(budget, "", now).projected(now, used, budget.limit)
        return BudgetSeen(
            budget.name,
            budget.limit,
            "tokens" if budget.counts_tokens else "usd",
            budget.per,
            period.name,
            period.ends,
            used,
            reserved,
            min((c.left for c in counters.values()), default=budget.limit),
            len(counters),
            max((c.used / c.limit for c in counters.values()), default=0.0),
            budget.at_limit,
            max(steps, default=0.0),
            projected,
            exhausted,
            not any(c.gone for c in counters.values()),
        )
