"""Pacing: how far spending runs ahead of a plan that follows the demand of a week, and what that asks of the bar.

    plan(t)  the share of a period's demand that lies before t, by the learnt shares of the hours of a week
    ahead    1 − (what is left ÷ the limit) ÷ (the demand that is left): by how much slower the rest has to be spent; below 0 faster
    pace     GAIN × ahead, cut to [−1, 1] and held to steps of STEP, which change only when it is well past the middle between two

The nearer the end, the less demand is left and the more a gap weighs, so what is spent meets the limit where the period ends.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from zoneinfo import ZoneInfo

import msgspec

from tierline.state.periods import Period, hour_of_week

HOURS = 168
GAIN = 10.0
"""The pace for each share by which the rest is to be spent slower: at a tenth it is at its most."""
STEP = 0.125
STAY = 0.75
"""A step is left when the pace is more than so many steps away from it."""
BELIEVED = 0.1
"""How many weeks of even demand the learnt one is mixed with."""
_HOUR = 3600.0
_LEAST = 1e-6


class Demand(msgspec.Struct, frozen=True):
    """Shares of the hours of a week, which add up to 1, the first that of Monday's first hour."""

    shares: tuple[float, ...] = (1.0 / HOURS,) * HOURS


EVEN = Demand()
"""What is assumed until something is known."""


def learn(seen: Iterable[tuple[float, float]], zone: str) -> Demand:
    """The demand of a week out of what was asked for in hours past: pairs of an hour's begin (Unix seconds) and its demand in any unit.

    Each hour of the week is mixed with an even one as if `BELIEVED` weeks of that had been seen too:
    share ∝ (Σ demand + BELIEVED · mean) / (weeks + BELIEVED)."""
    sums, clock, hours, total = [0.0] * HOURS, ZoneInfo(zone), set[float](), 0.0
    for begins, amount in seen:
        sums[hour_of_week(begins, clock)] += amount
        hours.add(begins // _HOUR)
        total += amount
    if total <= 0.0:
        return EVEN
    weeks = max((max(hours) - min(hours) + 1) / HOURS, 1.0)
    mean = total / weeks / HOURS
    mixed = [(amount + BELIEVED * mean) / (weeks + BELIEVED) for amount in sums]
    whole = sum(mixed)
    return Demand(tuple(share / whole for share in mixed))


class Plan:
    """How the demand of one period is spread over it: the share that lies before a time."""

    __slots__ = ("_begins", "_ends", "_marks", "_sums")

    def __init__(self, period: Period, zone: str, demand: Demand) -> None:
        clock = ZoneInfo(zone)
        self._begins, self._ends = period.begins, period.ends
        inner = range(int(period.begins // _HOUR) + 1, int(-(-period.ends // _HOUR)))
        self._marks = [period.begins, *(hour * _HOUR for hour in inner), period.ends]
        parts = [demand.shares[hour_of_week(begin, clock)] * (end - begin) / _HOUR for begin, end in itertools.pairwise(self._marks)]
        whole = sum(parts) or 1.0
        self._sums = [0.0, *(part / whole for part in itertools.accumulate(parts))]

    def share(self, at: float) -> float:
        """The share of the period's demand that lies before a time, from 0 to 1."""
        if at <= self._begins:
            return 0.0
        if at >= self._ends:
            return 1.0
        place = self._place(at)
        begin, end = self._marks[place], self._marks[place + 1]
        return self._sums[place] + (self._sums[place + 1] - self._sums[place]) * (at - begin) / (end - begin)

    def reached(self, share: float) -> float:
        """The time before which that share of the demand lies; the period's end for 1 and more."""
        if share >= 1.0:
            return self._ends
        place = next(at for at in range(len(self._sums) - 1) if self._sums[at + 1] >= share)
        low, high = self._sums[place], self._sums[place + 1]
        part = 0.0 if high <= low else (max(share, low) - low) / (high - low)
        return self._marks[place] + part * (self._marks[place + 1] - self._marks[place])

    def _place(self, at: float) -> int:
        """The stretch that a time lies in: all but the first and the last are whole hours."""
        if at < self._marks[1]:
            return 0
        return min(1 + int((at - self._marks[1]) // _HOUR), len(self._marks) - 2)


class Pace:
    """The controller of one paced counter: it remembers the step that it is on."""

    __slots__ = ("_plan", "step")

    def __init__(self, plan: Plan, step: float = 0.0) -> None:
        self._plan = plan
        self.step = step

    def follow(self, plan: Plan) -> None:
        """Go on with another plan for the same period."""
        self._plan = plan

    def look(self, at: float, used: float, limit: float) -> float:
        """The pace at this time in [-1, 1], in steps: above 0 where spending runs ahead of its plan."""
        wanted = min(max(GAIN * ahead(self._plan, at, used, limit), -1.0), 1.0)
        if abs(wanted - self.step) > STAY * STEP:
            self.step = round(wanted / STEP) * STEP
        return self.step

    def projected(self, at: float, used: float, limit: float) -> tuple[float, float | None]:
        """What will have been used at the period's end if demand goes as planned and is spent on as so far, and the time at which the limit
        is reached then, None where it is not."""
        share = self._plan.share(at)
        if share < _LEAST or used <= 0.0:
            return used, None
        return used / share, self._plan.reached(share * limit / used) if used / share > limit else None


def ahead(plan: Plan, at: float, used: float, limit: float) -> float:
    """By which share the rest has to be spent slower than planned; below 0: faster."""
    demand_left = 1.0 - plan.share(at)
    if demand_left < _LEAST:
        return 0.0 if used <= limit else 1.0
    return 1.0 - (limit - used) / limit / demand_left
