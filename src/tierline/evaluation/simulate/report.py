"""What a simulation says: quality, money, time and the calls that it took, with what was assumed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from tierline.evaluation.interval import Figure, mean_of
from tierline.evaluation.simulate.simulate import Happened
from tierline.routing.router import Router

VERSION = 1
"""Of the layout."""


class Latency(msgspec.Struct, frozen=True):
    """Seconds from a request's arrival to its answer or its failure; waits for a place and retries included."""

    mean: float
    p50: float
    p95: float
    p99: float


class ModelUse(msgspec.Struct, frozen=True):
    """One model: the share of requests that it was asked first for, and that it answered; calls, failed calls, USD and mean seconds a
    call."""

    tier: str
    first: float
    answered: float
    calls: int
    failed: int
    cost: float
    seconds: float | None


class Simulation(msgspec.Struct, frozen=True, kw_only=True):
    """The whole simulation. Rates are shares of requests. `quality`: mean score, a request that nobody answered counting 0; `cost`: USD a
    request; `wasted`: the share of the money that went to answers which were not given; `calls`: a request, those of judges included."""

    version: int = VERSION
    spec: str
    fingerprint: str
    workload: str
    seed: int
    requests: int
    span: float
    quality: Figure
    cost: Figure
    total_cost: float
    wasted: float | None
    latency: Latency
    escalated: float
    fell_back: float
    retried: float
    hedged: float
    combined: float
    flagged: float
    failed: float
    calls: float
    stopped: Mapping[str, int]
    errors: Mapping[str, int]
    tiers: Mapping[str, float]
    models: Mapping[str, ModelUse]
    tasks: Mapping[str, Figure]
    reasons: Mapping[str, int]
    assumed: tuple[str, ...]


def summary(router: Router, happened: Sequence[Happened], *, workload: str, seed: int, assumed: Sequence[str]) -> Simulation:
    """The figures of everything that happened; there is at least one request."""
    count = len(happened)
    quality = np.array([one.score or 0.0 for one in happened])
    cost = np.array([one.result.cost for one in happened])
    elapsed = np.array([one.elapsed for one in happened])
    given = sum(one.result.outcome.cost for one in happened if one.result.outcome is not None)
    total = float(cost.sum())
    causes = [{attempt.cause for attempt, _ in one.result.attempts} for one in happened]
    fleet = router.policy.fleet
    tier_of = dict(zip(fleet.names, (fleet.tiers[level] for level in fleet.level), strict=True))
    answered = Counter(one.result.model for one in happened)
    tiers = Counter(tier_of.get(one.result.model, "nobody") for one in happened)
    return Simulation(
        spec=str(router.loaded.path),
        fingerprint=router.policy.fingerprint,
        workload=workload,
        seed=seed,
        requests=count,
        span=max(((one.sent.at or 0.0) + one.elapsed for one in happened), default=0.0),
        quality=mean_of(quality, bounds=(0.0, 1.0)),
        cost=mean_of(cost),
        total_cost=total,
        wasted=max(1.0 - given / total, 0.0) if total > 0 else None,
        latency=Latency(float(elapsed.mean()), *(float(value) for value in np.quantile(elapsed, (0.5, 0.95, 0.99)))),
        escalated=sum("escalation" in found for found in causes) / count,
        fell_back=sum("fallback" in found for found in causes) / count,
        retried=sum("retry" in found for found in causes) / count,
        hedged=sum("hedge" in found for found in causes) / count,
        combined=sum("branch" in found for found in causes) / count,
        flagged=sum(one.result.flagged for one in happened) / count,
        failed=sum(one.result.winner is None for one in happened) / count,
        calls=sum(bool(attempt.target) for one in happened for attempt, _ in one.result.attempts) / count,
        stopped=dict(Counter(one.result.stopped for one in happened if one.result.stopped)),
        errors=dict(Counter(outcome.error for one in happened for _, outcome in one.result.attempts if outcome.error).most_common()),
        tiers={tier: tiers[tier] / count for tier in (*fleet.tiers, "nobody") if tiers[tier]},
        models={name: _use(name, tier_of[name], happened, answered[name] / count) for name in fleet.names},
        tasks=_by_task(happened),
        reasons=dict(Counter(reason.why.value for one in happened for reason in one.decision.reasons).most_common()),
        assumed=tuple(assumed),
    )


def _use(name: str, tier: str, happened: Sequence[Happened], answered: float) -> ModelUse:
    calls = [outcome for one in happened for attempt, outcome in one.result.attempts if attempt.target == name]
    took = [outcome.elapsed for outcome in calls if outcome.ok]
    return ModelUse(
        tier,
        sum(one.decision.target == name for one in happened) / len(happened),
        answered,
        len(calls),
        sum(not outcome.ok for outcome in calls),
        sum(outcome.cost for outcome in calls),
        sum(took) / len(took) if took else None,
    )


def _by_task(happened: Sequence[Happened]) -> dict[str, Figure]:
    scores: dict[str, list[float]] = {}
    for one in happened:
        scores.setdefault(one.sent.task, []).append(one.score or 0.0)
    return {task: mean_of(np.array(found), bounds=(0.0, 1.0)) for task, found in sorted(scores.items())}
