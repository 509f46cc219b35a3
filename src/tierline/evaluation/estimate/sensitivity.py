"""Which input moves the answer most: each in turn between its 10th and its 90th percentile, all others as they stand (a tornado).

One at a time, so what two inputs do together is not seen; the ranges, where all are drawn at once, hold that too."""

from __future__ import annotations

from collections.abc import Set

from tierline.evaluation.estimate.document import Swing
from tierline.evaluation.estimate.inputs import SHARES, moved
from tierline.evaluation.estimate.number import Number, quantile
from tierline.evaluation.estimate.policies import BEST, SPEC
from tierline.evaluation.estimate.subject import Subject, totals

LOW, HIGH = 0.1, 0.9
NOTHING = 1e-6
"""A swing smaller than this part of the whole cost is none."""


def swings(subject: Subject) -> tuple[Swing, ...]:
    """Every input that moves something, the largest swing first."""
    called = _called(subject)
    ends = {
        name: (quantile(number, LOW), quantile(number, HIGH)) for name, number in subject.numbers.items() if _matters(called, name, number)
    }
    inputs = moved(subject.numbers, ends)
    ours, base = totals(subject, subject.policy(SPEC), inputs), totals(subject, subject.policy(BEST), inputs)
    saved, found = base.cost - ours.cost, []
    for place, (name, (low, high)) in enumerate(ends.items()):
        at = [1 + 2 * place, 2 + 2 * place]
        cost, quality, saving, whole = (tuple(values[at].tolist()) for values in (ours.cost, ours.quality, saved, ours.whole))
        if _moves(whole, ours.whole[0]) or _moves(quality, 1.0) or _moves(saving, base.whole[0]):
            found.append(Swing(name=name, low=low, high=high, cost=cost, quality=quality, saving=saving, whole=whole))
    return tuple(sorted(found, key=lambda swing: -abs(swing.whole[1] - swing.whole[0])))


def _called(subject: Subject) -> set[tuple[str, str]]:
    """Task and model of every call that the spec, or everything to the best model, may make."""
    plans = [(task, plan) for policy in (SPEC, BEST) for task, found in subject.policy(policy).plans.items() for plan in found]
    return {(task, model) for task, plan in plans for model in plan.models}


def _matters(called: Set[tuple[str, str]], name: str, number: Number) -> bool:
    """Whether it is uncertain, and any plan of the two policies reads it. Seconds move no money, and one task alone has no share to
    move."""
    kind, *rest = name.split("/")
    if number.like == "fixed" or kind == "latency" or (name.startswith(SHARES) and len({task for task, _ in called}) == 1):
        return False
    if kind == "fails":
        return any(model == rest[0] for _, model in called)
    return len(rest) < 2 or (rest[0], "/".join(rest[1:])) in called


def _moves(ends: tuple[float, ...], whole: float) -> bool:
    return abs(ends[1] - ends[0]) > NOTHING * abs(whole)
