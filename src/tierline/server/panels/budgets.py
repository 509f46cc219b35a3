"""One budget over its period: the demand that its plan follows, what was used so far, and where that leads."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping

import msgspec

from tierline.config.budgets import Budget
from tierline.decision_log.reader import LogReader
from tierline.decision_log.sums.read import MIDDLING, read_sums
from tierline.decision_log.sums.table import FIGURES
from tierline.server.errors import NotFound
from tierline.server.exchange import Exchange
from tierline.server.panels.ground import Ground
from tierline.server.route import Route, Routes
from tierline.state.pacing import Plan
from tierline.state.periods import Period

_PLACES = {name: place for place, name in enumerate(FIGURES)}


class Course(msgspec.Struct, frozen=True):
    """A budget's period at `times` (Unix seconds). `planned`: what its plan has used by then; `used`: what the log knows of, None for
    times to come; `expected`: where it goes on to from now, if it is spent on as so far. USD or tokens. `unknown` says why the log cannot
    tell what was used."""

    name: str
    begins: float
    ends: float
    now: float
    times: tuple[float, ...]
    planned: tuple[float, ...]
    used: tuple[float | None, ...]
    expected: tuple[float | None, ...]
    unknown: str = ""


class Budgets:
    """Handlers for keys with the scope `read`."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def one(self, exchange: Exchange) -> None:
        """GET /admin/budgets/{name}: one budget over the period that runs: its plan by the demand of its hours, what was used by then, and
        where that leads. What shadows cost is in the budget, and not in this course."""
        budgets, now = self._ground.live.world.budgets, time.time()
        budget = budgets.by_name.get(exchange.rest)
        if budget is None:
            raise NotFound(f"the spec has no budget over time that is called {exchange.rest[:100]!r}")
        period, plan = budgets.planned(budget)
        unknown = _unknown(budget)
        spent = {} if unknown else await self._ground.read(lambda log: _spent(log, budget, period, now))
        exchange.json(course(budget, period, plan, spent, now, unknown))


def routes(ground: Ground) -> Routes:
    """The one address."""
    return Routes({}, {("GET", "/admin/budgets/"): Route(Budgets(ground).one, "read")})


def course(budget: Budget, period: Period, plan: Plan, spent: Mapping[float, float], now: float, unknown: str = "") -> Course:
    """The course of a budget, of which `spent` says what was used in the stretches that begin at these times."""
    times = tuple(_marks(period, now))
    shares = [plan.share(at) for at in times]
    used: list[float | None] = []
    for at in times:
        used.append(None if unknown or at > now else sum(amount for begin, amount in spent.items() if begin < at))
    total = None if unknown else sum(spent.values())
    share = plan.share(now)
    leads = total is not None and share > 0.0
    return Course(
        budget.name,
        period.begins,
        period.ends,
        now,
        times,
        tuple(budget.limit * part for part in shares),
        tuple(used),
        tuple((total or 0.0) * part / share if leads and at >= now else None for at, part in zip(times, shares, strict=True)),
        unknown,
    )


def _marks(period: Period, now: float) -> Iterator[float]:
    """The ends of its stretches, and now: five minutes of an hour, hours of a day or a week, six hours of a month."""
    length = period.ends - period.begins
    step = 300.0 if length <= 3600.0 else 3600.0 if length <= 8 * 86400.0 else 6 * 3600.0
    at = period.begins
    while at < period.ends:
        yield at
        if at < now < min(at + step, period.ends):
            yield now
        at += step
    yield period.ends


def _spent(log: LogReader, budget: Budget, period: Period, now: float) -> Mapping[float, float]:
    """What was used of it, by the minutes or hours in which it was."""
    spent: dict[float, float] = defaultdict(float)
    narrowed = {"route": budget.route, "task": budget.task}
    names = ("input_tokens", "output_tokens") if budget.counts_tokens else ("cost",)
    begin = period.begins
    while begin < min(now, period.ends):
        end = min(begin + MIDDLING, period.ends)
        found = read_sums(log, begin, end, now, narrowed)
        for key, total in found.sums:
            if begin <= float(key[1]) < end:
                spent[float(key[1])] += sum(total.figures[_PLACES[name]] for name in names)
        begin = end
    return spent


def _unknown(budget: Budget) -> str:
    """Why the log's sums cannot tell what was used of a budget over time; empty where they can."""
    if budget.each:
        return f"There is one for each {budget.each}, and each has a course of its own."
    narrow = [word for word, given in (("key", budget.key), ("team", budget.team), ("tag", budget.tag), ("model", budget.models)) if given]
    return (
        f"The log is added up by route and task, not by {narrow[0]}: what was used over time is not known, only what is used by now."
        if narrow
        else ""
    )
