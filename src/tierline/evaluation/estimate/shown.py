"""A policy's totals as the document shows them: ranges, seconds, shares by tier, savings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tierline.evaluation.estimate.document import PolicyEstimate, Saving, TaskEstimate, Way, ranged
from tierline.evaluation.estimate.latency import Stream, quantiles, seconds_of
from tierline.evaluation.estimate.number import Values
from tierline.evaluation.estimate.plans import Plan
from tierline.evaluation.estimate.reckon import KINDS, Reckoned
from tierline.evaluation.estimate.subject import Planned, Subject, Totals
from tierline.evaluation.estimate.volume import DAYS, Volume
from tierline.evaluation.estimate.worksheet import Row

SLOW_DRAWS = 40
"""Of the inputs, for the ranges of seconds."""
REQUESTS = 4096
"""Drawn for the seconds of a policy in each draw of the inputs, over all its tasks."""
FEWEST, MOST = 256, 1024
"""Requests drawn for one task."""

Seconds = list[tuple[float, Values]]
"""By plan: its share and the seconds of its requests, a row a draw of the inputs."""


def shown(subject: Subject, one: Planned, found: Totals, base: Totals, volume: Volume, seed: int) -> PolicyEstimate:
    """A policy beside `base`, which is everything to the best model."""
    rows = subject.worksheet.rows
    count = min(max(REQUESTS // len(rows), FEWEST), MOST)
    seconds = {row.task: _seconds(found.tasks[row.task].streams, count, seed) for row in rows}
    tasks = tuple(_task(row, one.plans[row.task], found, seconds[row.task]) for row in rows)
    all_seconds = [(task.share * share, values) for task in tasks for share, values in seconds[task.task]]
    slow = quantiles(all_seconds, (0.5, 0.95))
    return PolicyEstimate(
        name=one.policy.name,
        about=one.policy.about,
        cost=ranged(found.cost),
        risk=ranged(found.risk),
        whole=ranged(found.whole),
        quality=ranged(found.quality),
        latency_p50=ranged(slow[:, 0]),
        latency_p95=ranged(slow[:, 1]),
        costs=_summed(tasks),
        tiers=_first_asked(subject, one, found.shares),
        tier_costs=_tier_costs(rows, found),
        escalated=sum(task.share * task.escalated for task in tasks),
        unanswered=sum(task.share * task.unanswered for task in tasks),
        saving=_saving(found, base, volume),
        tasks=tasks,
    )


def _task(row: Row, plans: Sequence[Plan], totals: Totals, seconds: Seconds) -> TaskEstimate:
    found = totals.tasks[row.task]
    slow = quantiles(seconds, (0.5, 0.95))
    enough = found.quality[1:] if len(found.quality) > 1 else found.quality
    return TaskEstimate(
        task=row.task,
        share=float(totals.shares[row.task][0]),
        cost=ranged(found.cost),
        risk=ranged((1.0 - found.quality) * row.failure_cost.value),
        quality=ranged(found.quality),
        latency_p50=ranged(slow[:, 0]),
        latency_p95=ranged(slow[:, 1]),
        costs={name: float(usd[0]) for name, usd in found.costs.items() if usd[0] > 0},
        meets_bar=float((enough >= row.quality_threshold.value).mean()),
        in_time=_in_time(row, seconds),
        ways=tuple(_way(plan) for plan in sorted(plans, key=lambda plan: -plan.share)),
        **{kind: float(found.shares[kind][0]) for kind in KINDS},
    )


def _way(plan: Plan) -> Way:
    steps = [step for step in plan.decision.steps if not step.lower]
    return Way(plan.share, tuple(step.targets for step in steps), steps[0].validators if steps else ())


def _seconds(streams: Sequence[Stream], count: int, seed: int) -> Seconds:
    return [(stream.share, seconds_of(stream, max(round(count * stream.share), 32), SLOW_DRAWS + 1, seed)) for stream in streams]


def _in_time(row: Row, seconds: Seconds) -> float | None:
    """As the numbers stand."""
    if row.latency_budget is None:
        return None
    return sum(share * float((values[0] <= row.latency_budget).mean()) for share, values in seconds)


def _summed(tasks: Sequence[TaskEstimate]) -> dict[str, float]:
    causes = dict.fromkeys(cause for task in tasks for cause in task.costs)
    return {cause: sum(task.share * task.costs.get(cause, 0.0) for task in tasks) for cause in causes}


def _first_asked(subject: Subject, one: Planned, shares: Mapping[str, Values]) -> dict[str, float]:
    """The share of requests by the tier that is asked first."""
    found = dict.fromkeys(subject.loaded.spec.tiers, 0.0)
    for task, plans in one.plans.items():
        for plan in plans:
            if plan.decision.tier:
                found[plan.decision.tier] += float(shares[task][0]) * plan.share
    return found


def _tier_costs(rows: Sequence[Row], found: Totals) -> dict[str, float]:
    """The share of the cost of calls by the tier that is called."""
    usd: dict[str, float] = {}
    for row in rows:
        task: Reckoned = found.tasks[row.task]
        for tier, cost in task.tier_costs.items():
            usd[tier] = usd.get(tier, 0.0) + float(found.shares[row.task][0] * cost[0])
    whole = sum(usd.values())
    return {tier: cost / whole if whole else 0.0 for tier, cost in usd.items()}


def _saving(found: Totals, base: Totals, volume: Volume) -> Saving:
    """Draw by draw, so that what both have in common does not widen the range."""
    saved = base.cost - found.cost
    by_period = {period: ranged(saved * volume.per_day * DAYS[period]) for period in ("day", "month", "year")}
    return Saving(
        request=ranged(saved),
        share=ranged(saved / np.maximum(base.cost, 1e-12)),
        quality=ranged(found.quality - base.quality),
        whole=ranged(base.whole - found.whole),
        **by_period,
    )
