"""Do the watches tell what has moved, soon, and hold their tongue otherwise? `python -m bench.watch [quarters [runs]]`.

Simulated months, hour by hour: three tasks and three models, a daily and a weekly cycle of traffic, mix, quality, cost and latency, days
that differ from one another beyond chance (traffic by 15 %, shares, pass rates and costs by a few), providers that fail in bursts, and
users who bring prompts of their own. Ten weeks are learnt from; then a quarter is looked at every hour.

    no shift     every watch over whole quarters: how often it is wrong
    shifts       planted at a random hour: how long until the watch that is to tell does
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Mapping

import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table as Shown

from tierline.config.alerts import Watch, watches
from tierline.config.spec import AlertsSpec, WatchName
from tierline.state.pacing import Pace, Plan, learn
from tierline.state.periods import Period
from tierline.watch.budget_pace import overrun
from tierline.watch.detectors import DETECTORS
from tierline.watch.evidence import Floats
from tierline.watch.past import HOUR, Budgeted, Past
from tierline.watch.subject import Subject

WEEK, QUARTER = 168, 90 * 24
LEARNT = 10 * WEEK
WAIT = 14 * 24
"""Hours after a shift in which it has to be told of."""
FIRST = 17_154 * 24
"""The first hour since the epoch: midnight of a Monday."""
QUARTERS, RUNS = 60, 30

VOLUME: Mapping[str, float] = {"support": 60.0, "extraction": 30.0, "research": 8.0}
"""Requests an hour: 2,350 a day."""
MODELS = ("mini", "mid", "big")
TIERS = ("fast", "balanced", "best")
SHARES: Mapping[str, tuple[float, ...]] = {"support": (0.70, 0.22, 0.08), "extraction": (0.85, 0.12, 0.03), "research": (0.10, 0.40, 0.50)}
REJECTED: Mapping[str, tuple[float, ...]] = {"support": (0.06, 0.04, 0.02), "extraction": (0.05, 0.02, 0.01), "research": (0.2, 0.1, 0.05)}
USD = (0.0004, 0.003, 0.02)
MIXES: Mapping[str, tuple[float, ...]] = {
    "operation": (0.5, 0.3, 0.15, 0.05),
    "language": (0.75, 0.15, 0.1),
    "length": (0.1, 0.2, 0.3, 0.25, 0.1, 0.05),
    "difficulty": (0.05, 0.1, 0.15, 0.2, 0.2, 0.15, 0.1, 0.05),
    "complexity": (0.3, 0.3, 0.2, 0.15, 0.05),
}


class Shift(msgspec.Struct, frozen=True, kw_only=True):
    """What is planted: points of the pass rate of mini, points of tier share from fast to best, factors on cost and latency, points of
    provider failures of mini, points of mix from the most frequent part to the rarest."""

    quality: float = 0.0
    tier: float = 0.0
    cost: float = 1.0
    latency: float = 1.0
    fallback: float = 0.0
    mix: float = 0.0
    price: bool = False
    prompt: bool = False
    served: bool = False


STILL = Shift()

PLANTED: tuple[tuple[str, Shift, WatchName, str], ...] = (
    ("pass rate of one model −5 points", Shift(quality=0.05), "quality_drop", "model/mini"),
    ("pass rate of one model −10 points", Shift(quality=0.10), "quality_drop", "model/mini"),
    ("escalations, by the same −5 points", Shift(quality=0.05), "escalation_rate", ""),
    ("10 points of tier share", Shift(tier=0.10), "tier_share_shift", ""),
    ("15 points of the operations", Shift(mix=0.15), "input_mix", "input/operation"),
    ("15 points of the difficulty", Shift(mix=0.15), "score_distribution", "score/difficulty"),
    ("cost of every request +20 %", Shift(cost=1.2), "cost_per_request", "any"),
    ("provider failures of one model, 0.5 → 10 %", Shift(fallback=0.10), "fallback_rate", "model/mini"),
    ("latency × 2 (2 → 16 % late; 5 % may be)", Shift(latency=2.0), "latency_slo", "task/support"),
    ("cost +20 % under a budget with 5 % of room", Shift(cost=1.2), "budget_pace", "budget/month"),
    ("a price", Shift(price=True), "price_change", "model/mini"),
    ("a system prompt", Shift(prompt=True), "prompt_change", "task/support"),
    ("another model is served", Shift(served=True), "served_model", "model/mini"),
)


OF_FACTS = frozenset({"price_change", "prompt_change", "served_model"})


class World:
    """So many hours of one gateway, with what is planted from an hour on. `room` is how much more the budget allows than is spent; `facts`:
    with prompts, served names and prices too."""

    def __init__(
        self, seed: int, length: int, shift: Shift = STILL, at: int | None = None, room: float = 1.3, *, facts: bool = True
    ) -> None:
        self.dice = np.random.default_rng(seed)
        self.hours = np.arange(length)
        self.length = length
        self.since = length if at is None else at
        self.shift, self.room = shift, room
        self.after = (self.hours >= self.since) * 1.0
        self.cells: dict[tuple[str, ...], Floats] = {}
        self.calls: dict[tuple[str, ...], Floats] = {}
        self.requests = np.zeros(length)
        self.of_task: dict[str, Floats] = {}
        for task in VOLUME:
            self._task(task)
        self.past = Past(FIRST, length, self.cells, self.calls, self._mixes(), asked={m: m for m in MODELS})
        if facts:
            self.past = msgspec.structs.replace(self.past, **self._facts())

    def wave(self, size: float, peak: int) -> Floats:
        """A daily cycle around 1."""
        return np.asarray(1.0 + size * np.cos(2 * np.pi * (self.hours % 24 - peak) / 24))

    def days(self, spread: float) -> Floats:
        """A factor for each day, 1 in the mean."""
        return np.repeat(self.dice.lognormal(-spread * spread / 2, spread, -(-self.length // 24)), 24)[: self.length]

    @property
    def weekend(self) -> Floats:
        """1 on Saturdays and Sundays."""
        return np.asarray(((self.hours // 24) % 7 >= 5) * 1.0)

    def shares(self, even: tuple[float, ...], sure: float, cycle: float) -> Floats:
        """Shares by part and hour: a cycle by day and by week, and days that differ (Dirichlet, as if `sure` requests were drawn)."""
        drawn = np.repeat(self.dice.dirichlet(np.array(even) * sure, -(-self.length // 24)), 24, axis=0)[: self.length].T
        tilt = np.linspace(-1, 1, len(even))[:, None] * (cycle * (self.wave(1.0, 3) - 1.0) + cycle * self.weekend)
        tilted = np.maximum(drawn, 1e-6) * np.exp(tilt)
        return np.asarray(tilted / tilted.sum(axis=0))

    def split(self, counts: Floats, shares: Floats) -> Floats:
        """Counts by part and hour."""
        return self.dice.multinomial(counts.astype(int), np.moveaxis(shares, 0, -1)).T.astype(float)

    def _task(self, task: str) -> None:
        dice, shift, after = self.dice, self.shift, self.after
        wanted = VOLUME[task] * self.wave(0.7, 14) * (1.0 - 0.5 * self.weekend) * self.days(0.15)
        requests = dice.poisson(wanted).astype(float)
        shares = self.shares(SHARES[task], 800, 0.15)
        moved = np.minimum(shift.tier * after, shares[0])
        shares = shares + np.array([-1.0, 0.0, 1.0])[:, None] * moved
        by_tier = self.split(requests, np.clip(shares, 0.0, 1.0) / shares.sum(axis=0))
        self.requests += requests
        self.of_task[task] = requests
        for place, (tier, model) in enumerate(zip(TIERS, MODELS, strict=True)):
            self._cell(task, tier, model, place, by_tier[place])

    def _cell(self, task: str, tier: str, model: str, place: int, n: Floats) -> None:
        dice, shift, after, count = self.dice, self.shift, self.after, n.astype(int)
        failing = 0.005 * dice.gamma(0.5, 2.0, self.length) + (shift.fallback * after if model == "mini" else 0.0)
        failed = dice.binomial(count, np.clip(failing, 0.0, 1.0))
        judged = count - failed
        bad = REJECTED[task][place] * self.wave(0.15, 2) * (1.0 + 0.1 * self.weekend) * self.days(0.08)
        rejected = dice.binomial(judged, np.clip(bad + (shift.quality * after if model == "mini" else 0.0), 0.0, 1.0))
        level = USD[place] * self.wave(0.08, 11) * self.days(0.04) * (1.0 + (shift.cost - 1.0) * after)
        cost = level * dice.gamma(np.maximum(0.7 * n, 1e-9)) / 0.7
        squares = n * np.square(level) * (1.0 + 1.0 / 0.7)
        late = 0.02 * self.wave(0.4, 14) * self.days(0.2) * np.where(after > 0, 1.0 + 7.0 * (shift.latency - 1.0), 1.0)
        lates = dice.binomial(count, np.clip(late, 0.0, 1.0))
        self.cells[("auto", task, tier)] = np.array([n, cost * (n > 0), squares, failed, rejected, n, lates], dtype=float)
        self.calls[("auto", task, model)] = np.array([n, failed, judged, rejected], dtype=float)

    def _mixes(self) -> dict[tuple[str, ...], Floats]:
        found = {}
        for facet, even in MIXES.items():
            shares = self.shares(even, 800, 0.1)
            most, least = int(np.argmax(even)), int(np.argmin(even))
            moved = np.minimum(self.shift.mix * self.after, shares[most])
            shares[most], shares[least] = shares[most] - moved, shares[least] + moved
            for part, counts in enumerate(self.split(self.requests, shares)):
                found[("auto", facet, str(part))] = counts
        return found

    def _facts(self) -> dict[str, object]:
        """Prompts, served names and prices: facts, hour by hour. Support has one template and strangers; research has as many as users."""
        prompts: list[Mapping[str, float]] = []
        crowd: list[Mapping[str, float]] = []
        served: list[Mapping[str, float]] = []
        for hour in range(self.length):
            new = hour >= self.since
            count = float(self.of_task["support"][hour])
            strange = float(self.dice.binomial(int(count), 0.03))
            main = {"new" if new and self.shift.prompt else "usual": count - strange}
            prompts.append(main | {f"s{hour}-{one}": 1.0 for one in range(int(strange))})
            crowd.append({f"u{self.dice.integers(3000)}": 1.0 for _ in range(int(self.of_task["research"][hour]))})
            served.append({"mini-2026-08" if new and self.shift.served else "mini-2026-01": count})
        price = [(0.3, 0.4) if hour >= self.since and self.shift.price else (0.25, 0.4) for hour in range(self.length)]
        return {
            "prompts": {("auto", "support"): prompts, ("auto", "research"): crowd},
            "served": {"mini": served},
            "prices": {"mini": price},
        }

    def spending(self) -> Floats:
        """USD by hour."""
        return np.asarray(sum(counts[1] for counts in self.cells.values()))


def alarms(subject: Subject, first: int, end: int) -> list[int]:
    """The hours at which a subject raises an alert, open ones not told again."""
    found: list[int] = []
    moved: tuple[float, float] | None = None
    floor = 0
    for hour in range(first, end):
        verdict = subject.look(hour, moved, floor)
        if verdict.state == "firing":
            found.append(hour)
            moved = (verdict.was, verdict.now)
        elif verdict.state == "calm":
            moved, floor = None, hour
    return found


def budget_alarms(world: World, first: int, end: int, watch: Watch) -> list[int]:
    """The same of a monthly budget (of 28 days), whose plan has learnt the weeks before."""
    spent, found, firing = world.spending(), list[int](), False
    month = 4 * WEEK
    before = float(spent[first - month : first].sum())
    limit = world.room * before
    demand = learn([((FIRST + hour) * HOUR, float(spent[hour])) for hour in range(first - month, first)], "UTC")
    for hour in range(first, end):
        begins = first + (hour - first) // month * month
        used = float(spent[begins : hour + 1].sum())
        period = Period("month", (FIRST + begins) * HOUR, (FIRST + begins + month) * HOUR)
        if hour == begins:
            pace = Pace(Plan(period, "UTC", demand))
            firing = False
        projected, exhausted = pace.projected((FIRST + hour + 1) * HOUR, used, limit)
        budget = Budgeted("month", limit, used, projected, exhausted, period.ends)
        if not firing and overrun(budget, watch.threshold):
            found.append(hour)
            firing = True
        elif firing and projected <= limit:
            firing = False
    return found


def told_after(world: World, watch: Watch, subject: str, at: int) -> int | None:
    """Hours from a shift until it is told of; None where it is not within two weeks. An alarm before it does not count."""
    end = min(at + (4 * WEEK if watch.name == "budget_pace" else WAIT), world.length)
    if watch.name == "budget_pace":
        found = budget_alarms(world, LEARNT, end, watch)
    else:
        those = (one for one in DETECTORS[watch.name](world.past, watch) if subject in ("any", one.name))
        first = [next((hour for hour in range(at, end) if one.look(hour, None, 0).state == "firing"), end) for one in those]
        found = [hour for hour in first if hour < end]
    later = [hour for hour in found if hour >= at]
    return min(later) - at + 1 if later else None


def volume_of(world: World, subject: str) -> Floats:
    """Requests an hour that a subject is about."""
    kind, _, name = subject.partition("/")
    if kind == "model":
        return np.asarray(sum(counts[0] for key, counts in world.calls.items() if key[2] == name))
    return world.of_task[name] if kind == "task" else world.requests


def false_alarms(quarters: int, watched: tuple[Watch, ...], show: Callable[[str], None]) -> dict[str, list[int]]:
    """False alarms of each watch in each quarter without a shift."""
    found: dict[str, list[int]] = {watch.name: [] for watch in watched}
    for seed in range(quarters):
        world = World(seed, LEARNT + QUARTER)
        for watch in watched:
            if watch.name == "budget_pace":
                count = len(budget_alarms(world, LEARNT, world.length, watch))
            else:
                subjects = DETECTORS[watch.name](world.past, watch)
                count = sum(len(alarms(one, LEARNT, world.length)) for one in subjects)
            found[watch.name].append(count)
        if seed % 10 == 9:
            show(f"{seed + 1} quarters")
    return found


def upper(total: int, quarters: int) -> float:
    """The 95 % upper bound of a Poisson rate, by Garwood: the rate at which so few come with a chance of 5 %."""
    low, high = 0.0, 10.0 * (total + 5.0)
    for _ in range(60):
        middle = (low + high) / 2
        chance = sum(math.exp(-middle + k * math.log(middle) - math.lgamma(k + 1)) for k in range(total + 1)) if middle > 0 else 1.0
        low, high = (middle, high) if chance > 0.05 else (low, middle)
    return high / quarters


def main(quarters: int = QUARTERS, runs: int = RUNS) -> None:
    """Both tables."""
    console, began = Console(width=150), time.perf_counter()
    watched = watches(AlertsSpec(watch=list(DETECTORS)))
    by_name = {watch.name: watch for watch in watched}
    counts = false_alarms(quarters, watched, lambda text: console.print(f"  {text}, {time.perf_counter() - began:.0f} s"))
    table = Shown(title=f"no shift: {quarters} quarters each")
    for column in ("watch", "false alarms", "a quarter", "at most (95 %)", "quarters with any", "most in one"):
        table.add_column(column)
    for name, found in counts.items():
        total = sum(found)
        with_any = f"{sum(1 for one in found if one)}"
        table.add_row(name, str(total), f"{total / quarters:.3f}", f"{upper(total, quarters):.2f}", with_any, str(max(found)))
    console.print(table)
    table = Shown(title=f"planted shifts: {runs} runs each")
    for column in ("shift", "watch", "subject", "told within 14 days", "hours, median", "p95", "requests, median", "p95"):
        table.add_column(column)
    for title, shift, name, subject in PLANTED:
        hours: list[float] = []
        requests: list[float] = []
        for seed in range(runs):
            at = LEARNT + int(np.random.default_rng(seed + 9000).integers(0, 2 * WEEK))
            room, facts = 1.05 if name == "budget_pace" else 1.3, name in OF_FACTS
            world = World(seed + 1000, LEARNT + 2 * WEEK + 4 * WEEK, shift, at, room, facts=facts)
            after = told_after(world, by_name[name], subject, at)
            hours.append(math.inf if after is None else after)
            requests.append(math.inf if after is None else float(volume_of(world, subject)[at : at + after].sum()))
        told = sum(1 for one in hours if one < math.inf)
        figures = [f"{np.quantile(values, q, method='higher'):,.0f}" for values in (hours, requests) for q in (0.5, 0.95)]
        table.add_row(title, name, subject or "all", f"{told / runs:.0%}", *figures)
    console.print(table)
    console.print(f"{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
