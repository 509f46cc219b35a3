"""What an estimate says: policies side by side, task by task, with ranges; what is saved; what moves it; where it stops paying.

The shape is read by `--json`, the report and the dashboard. Costs are USD a request, latencies seconds, rates shares of requests."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import numpy as np

from tierline.evaluation.estimate.number import HIGH, LOW, Values
from tierline.evaluation.estimate.volume import Volume
from tierline.evaluation.estimate.worksheet import Worksheet

VERSION = 1
"""Of the layout."""


class Range(msgspec.Struct, frozen=True):
    """What the numbers as they stand give, and between what it lies nine times out of ten when they are drawn."""

    value: float
    low: float
    high: float


def ranged(values: Values) -> Range:
    """The first value, and the range of the others."""
    low, high = np.quantile(values[1:], (LOW, HIGH)) if len(values) > 1 else (values[0], values[0])
    return Range(float(values[0]), float(min(low, values[0])), float(max(high, values[0])))


class Way(msgspec.Struct, frozen=True):
    """One way in which requests of a task are decided: its share of the task, whom each step asks in their order, and what answers
    must pass."""

    share: float
    steps: tuple[tuple[str, ...], ...]
    checks: tuple[str, ...] = ()


class TaskEstimate(msgspec.Struct, frozen=True, kw_only=True):
    """One task under one policy. `risk`: USD a request, (1 − quality) · failure cost; `costs`: USD a request by what they are for;
    `meets_bar`: how often, over the draws, quality reaches the threshold; `in_time`: the share of requests within the task's latency
    budget, None without one."""

    task: str
    share: float
    cost: Range
    risk: Range
    quality: Range
    latency_p50: Range
    latency_p95: Range
    costs: Mapping[str, float]
    escalated: float
    retried: float
    fell_back: float
    flagged: float
    unanswered: float
    calls: float
    meets_bar: float
    in_time: float | None
    ways: tuple[Way, ...]


class Saving(msgspec.Struct, frozen=True, kw_only=True):
    """Against everything to the best model: USD a request, as a share of its cost, and at the stated volume; `quality`: the change of
    quality, a difference of shares; `whole`: USD a request, the risk included."""

    request: Range
    share: Range
    day: Range
    month: Range
    year: Range
    quality: Range
    whole: Range


class PolicyEstimate(msgspec.Struct, frozen=True, kw_only=True):
    """One policy over all traffic. `whole` is cost and risk together; `tiers` and `tier_costs` are shares of requests (by the model
    asked first) and of the cost of calls (by the model called)."""

    name: str
    about: str
    cost: Range
    risk: Range
    whole: Range
    quality: Range
    latency_p50: Range
    latency_p95: Range
    costs: Mapping[str, float]
    tiers: Mapping[str, float]
    tier_costs: Mapping[str, float]
    escalated: float
    unanswered: float
    saving: Saving
    tasks: tuple[TaskEstimate, ...]


class Swing(msgspec.Struct, frozen=True, kw_only=True):
    """One input moved between its 10th and 90th percentile, all others as they stand: what the spec's cost, quality and saving a
    request become. `whole` is cost and risk together, by which swings are ordered."""

    name: str
    low: float
    high: float
    cost: tuple[float, float]
    quality: tuple[float, float]
    saving: tuple[float, float]
    whole: tuple[float, float]


class BreakEven(msgspec.Struct, frozen=True, kw_only=True):
    """A point at which the better choice changes. `at` is that point (None: there is none, and `says` why), `now` where it stands today."""

    kind: str
    task: str
    subject: str
    at: float | None
    now: float
    says: str


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """The whole estimate. `policies` end with the spec, after it those of `--against`; `absent` says why a policy is not among them;
    `assumed` is what was taken for granted."""

    version: int = VERSION
    spec: str
    fingerprint: str
    volume: Volume
    draws: int
    seed: int
    worksheet: Worksheet
    policies: tuple[PolicyEstimate, ...]
    absent: Mapping[str, str]
    sensitivity: tuple[Swing, ...]
    break_even: tuple[BreakEven, ...]
    assumed: tuple[str, ...]

    @property
    def chosen(self) -> PolicyEstimate:
        """The spec as it is written."""
        return self.policy("spec")

    def policy(self, name: str) -> PolicyEstimate:
        """One policy by its name."""
        return next(policy for policy in self.policies if policy.name == name)
