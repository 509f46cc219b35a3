"""Break-even points: how good, how cheap, how often or how many before the other choice is the better one.

For each task whose plan climbs (its first answer is checked, and a stronger model follows), against going straight to the next step:

    pass rate     of the primary, at which cost and risk of both are the same; the answer is searched for on the plan's own paths
    price         by what its price may be multiplied until the first calls cost what they save:  (straight − after) / first
    escalations   the share of requests that may climb until calls cost as much as going straight:  1 − first / straight    (one step up)

and over all traffic the volume at which the saving against the best model pays for a fixed monthly cost:  fixed / saving a request.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec
import numpy as np

from tierline.evaluation.estimate.document import BreakEven, PolicyEstimate
from tierline.evaluation.estimate.inputs import Inputs
from tierline.evaluation.estimate.number import Values
from tierline.evaluation.estimate.paths import paths_of
from tierline.evaluation.estimate.plans import Plan
from tierline.evaluation.estimate.policies import SPEC
from tierline.evaluation.estimate.reckon import reckon
from tierline.evaluation.estimate.subject import Subject
from tierline.evaluation.estimate.worksheet import Row

GRID = 201


def break_even(subject: Subject, policies: Sequence[PolicyEstimate], fixed: float) -> tuple[BreakEven, ...]:
    """Every point there is: of each task that climbs, then of the whole."""
    found: list[BreakEven] = []
    for row in subject.worksheet.rows:
        plan = max(subject.policy(SPEC).plans[row.task], key=lambda plan: plan.share)
        if climbs(plan):
            found += _of_task(subject, row, plan)
    return (*found, _volume(next(policy for policy in policies if policy.name == SPEC), fixed))


def climbs(plan: Plan) -> bool:
    """Whether its first answer is checked and a stronger step follows."""
    steps = plan.decision.steps
    return len(steps) > 1 and bool(steps[0].validators) and not steps[1].lower and plan.decision.combine is None


def _of_task(subject: Subject, row: Row, plan: Plan) -> Iterator[BreakEven]:
    first, following = plan.decision.steps[0].targets[0], plan.decision.steps[1].targets[0]
    straight = _straight(subject, row, plan)
    grid = np.concatenate(([row.models[first].pass_rate.value], np.linspace(0.0, 1.0, GRID)))
    inputs = Inputs(subject.numbers, {f"pass rate/{row.task}/{first}": grid}, len(grid))
    ours, other = (reckon(subject.loaded, subject.worksheet, row, [one], inputs, asks=True) for one in (plan, straight))
    whole, rival = (one.cost + (1.0 - one.quality) * row.failure_cost.value for one in (ours, other))
    yield _pass_rate(row.task, first, following, grid, whole - rival)
    calls = ours.costs["first"] + ours.costs["retry"]
    yield _price(row.task, first, following, float(calls[0]), float(other.cost[0] - ours.cost[0]))
    yield _escalations(row.task, first, following, ours.costs, other.costs, float(ours.shares["escalated"][0]))


def _straight(subject: Subject, row: Row, plan: Plan) -> Plan:
    """The same plan without its first step."""
    decision = msgspec.structs.replace(plan.decision, steps=plan.decision.steps[1:])
    seconds = {model: believed.latency_p50.value for model, believed in row.models.items()}
    fails = {name: model.fails.value for name, model in subject.worksheet.models.items()}
    return msgspec.structs.replace(plan, decision=decision, share=1.0, paths=paths_of(decision, seconds, fails))


class _Question(msgspec.Struct, frozen=True):
    """What a point is about."""

    kind: str
    task: str
    subject: str
    now: float

    def answer(self, at: float | None, says: str) -> BreakEven:
        """The point, or that there is none."""
        return BreakEven(kind=self.kind, task=self.task, subject=self.subject, at=at, now=self.now, says=says)


def _pass_rate(task: str, first: str, following: str, grid: Values, more: Values) -> BreakEven:
    """The lowest pass rate from which on it pays to ask the primary first. `more` is what that costs more, the first entry as things
    stand."""
    now, rates, differences = float(grid[0]), grid[1:], more[1:]
    question, worse = _Question("pass rate", task, first, now), np.flatnonzero(differences > 0)
    if not len(worse):
        return question.answer(None, f"asking {first} before {following} pays however seldom it is good enough")
    last = int(worse[-1])
    if last == len(rates) - 1:
        return question.answer(None, f"asking {first} before {following} never pays: go straight to {following}")
    left, right = differences[last], differences[last + 1]
    at = float(rates[last] + (rates[last + 1] - rates[last]) * left / (left - right))
    verb = "pays" if now >= at else "does not pay"
    return question.answer(at, f"asking {first} before {following} {verb} at {now:.1%}: it does from {at:.1%} on")


def _price(task: str, first: str, following: str, calls: float, saved: float) -> BreakEven:
    """By what the primary's price may be multiplied before its calls cost more than they save."""
    question = _Question("price", task, first, 1.0)
    if calls <= 0:
        return question.answer(None, f"calls to {first} cost nothing")
    at = 1.0 + saved / calls
    if at <= 0:
        return question.answer(None, f"not even for nothing would {first} before {following} be cheaper")
    return question.answer(at, f"{first} before {following} is the cheaper way while {first} costs less than {at:.2g} times its price")


def _escalations(task: str, first: str, following: str, ours: Mapping[str, Values], other: Mapping[str, Values], now: float) -> BreakEven:
    """How many requests may climb until calls cost as much as going straight to the next model."""
    question = _Question("escalations", task, f"{first} → {following}", now)
    begin, straight = float(ours["first"][0] + ours["retry"][0] + ours["checks"][0]), float(other["first"][0])
    if straight <= 0 or begin >= straight:
        return question.answer(None, f"{first} costs no less than {following}")
    at = 1.0 - begin / straight
    return question.answer(at, f"cheaper than going straight to {following} while fewer than {at:.0%} of requests climb")


def _volume(policy: PolicyEstimate, fixed: float) -> BreakEven:
    saved, question = policy.saving.request.value, _Question("volume", "", "requests a month", 0.0)
    if saved <= 0:
        return question.answer(None, "the spec saves nothing against the best model, at any volume")
    at = fixed / saved
    return question.answer(at, f"the saving pays for ${fixed:,.0f} a month from {at:,.0f} requests a month on")
