"""What was sent and what came back → the figures of the demo, ready to be shown or written as JSON."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from tierline.demo.figures import Single, best, cheapest, random_mix, zero_router
from tierline.demo.truth import Scored, singles


class TierShare(msgspec.Struct, frozen=True):
    """One tier: requests it answered, their share of all, USD, and its share of what everything cost."""

    tier: str
    requests: int
    share: float
    cost: float
    cost_share: float


class TaskRow(msgspec.Struct, frozen=True):
    """One task: requests, who answered how many of them, USD of all, and the share that was right."""

    task: str
    requests: int
    models: Mapping[str, int]
    cost: float
    right: float


class Policy(msgspec.Struct, frozen=True):
    """One way to send the same requests: USD of all of them, and the share that is answered rightly."""

    name: str
    cost: float
    right: float


class Report(msgspec.Struct, frozen=True):
    """The whole demo in numbers. `fallbacks` counts `model (error) → model`; `unanswered` requests that got an error."""

    requests: int
    seconds: float
    tiers: Sequence[TierShare]
    tasks: Sequence[TaskRow]
    policies: Sequence[Policy]
    fallbacks: Mapping[str, int]
    failed_calls: int
    unanswered: int


def report(scored: Sequence[Scored], tiers: Sequence[str], seconds: float) -> Report:
    """`scored` holds at least one request; `tiers` is the ladder, `seconds` what sending took."""
    tried = [attempt for one in scored for attempt in one.record.tried]
    return Report(
        requests=len(scored),
        seconds=seconds,
        tiers=[_tier(tier, scored) for tier in tiers],
        tasks=_tasks(scored),
        policies=_policies(scored),
        fallbacks=_fallbacks(scored),
        failed_calls=sum(not attempt.ok for attempt in tried),
        unanswered=sum(one.record.winner is None for one in scored),
    )


def _tier(tier: str, scored: Sequence[Scored]) -> TierShare:
    mine = [one for one in scored if one.sent.tier == tier]
    cost, whole = sum(one.record.cost for one in mine), sum(one.record.cost for one in scored)
    return TierShare(tier, len(mine), len(mine) / len(scored), cost, cost / whole if whole else 0.0)


def _tasks(scored: Sequence[Scored]) -> list[TaskRow]:
    by_task: dict[str, list[Scored]] = {}
    for one in scored:
        by_task.setdefault(one.record.decision.task, []).append(one)
    rows = [
        TaskRow(
            task,
            len(mine),
            dict(Counter(one.record.model for one in mine if one.record.model).most_common()),
            sum(one.record.cost for one in mine),
            sum(one.right for one in mine) / len(mine),
        )
        for task, mine in by_task.items()
    ]
    return sorted(rows, key=lambda row: (not row.task, -row.requests))


def _policies(scored: Sequence[Scored]) -> list[Policy]:
    """The dearest way first. Every one is about the very same requests; random mixes are expectations."""
    count, fleet = len(scored), singles(scored)
    low, high = cheapest(fleet), best(fleet)
    ours = Single("Tierline", sum(one.record.cost for one in scored) / count, sum(one.right for one in scored) / count)
    rows = [
        (f"everything to {high.model}, the best", high.cost, high.quality),
        (ours.model, ours.cost, ours.quality),
        (f"a coin between {low.model} and {high.model} that costs the same", ours.cost, random_mix(low, high, ours.cost)),
        ("the best random mix of all models that costs the same", ours.cost, zero_router(fleet, ours.cost)),
        (f"everything to {low.model}, the cheapest", low.cost, low.quality),
    ]
    return [Policy(name, cost * count, right) for name, cost, right in rows]


def _fallbacks(scored: Sequence[Scored]) -> dict[str, int]:
    """Each failure and who took over, most frequent first."""
    seen: Counter[str] = Counter()
    for one in scored:
        tried = one.record.tried
        for before, after in itertools.pairwise(tried):
            seen[f"{before.target} ({before.error.replace('_', ' ')}) → {after.target}"] += after.cause == "fallback"
    return dict(seen.most_common())
