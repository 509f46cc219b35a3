"""Whether a request is answered by several models side by side, and what follows where their answers come to nothing."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tierline.routing.belief import Candidate
from tierline.routing.policy import CombinePolicy, Fleet
from tierline.routing.question import Question
from tierline.routing.steps import plan, step_of
from tierline.types.decision import Combine, Reason, Step, Why

JUDGEMENT_TOKENS = 64
"""Tokens that a judge's verdict is taken to need."""


class Combined(msgspec.Struct, frozen=True):
    """How the branches become one answer, and the whole plan: the branches first, then `else`, then the ladder."""

    how: Combine
    steps: tuple[Step, ...]


def combined(
    fleet: Fleet, question: Question, helping: Sequence[Candidate], pool: Sequence[Candidate], order: tuple[int, ...], reasons: list[Reason]
) -> Combined | None:
    """The plan of a route that combines; None where too few of its models can serve, or where asking them all would cost too much.

    `helping` are those of the route's helpers that can serve, `pool` those of the task."""
    policy = question.route.combine
    if policy is None or question.features.operation == "embedding":
        return None
    able = {candidate.index: candidate for candidate in helping}
    branches = [able[index] for index in policy.order if index in able]
    if len(branches) < 2 or (policy.judge >= 0 and policy.judge not in able):
        reasons.append(Reason(Why.COMBINE_TOO_FEW, policy.by, float(len(branches)), 2.0))
        return None
    judging = _judging(fleet, policy, question, len(branches))
    cost = judging + sum(branch.cost for branch in branches)
    caps = [cap for cap in (policy.max_cost, question.max_cost) if cap is not None]
    if caps and cost > min(caps):
        reasons.append(Reason(Why.COMBINE_TOO_DEAR, policy.by, cost, min(caps)))
        return None
    reasons.append(Reason(Why.COMBINED, policy.by, cost, min(caps, default=None)))
    judge = fleet.names[policy.judge] if policy.judge >= 0 else ""
    steps = _steps(fleet, question, branches, able.get(policy.otherwise), pool, order)
    return Combined(Combine(policy.by, policy.normalise, judge, judging), steps)


def _judging(fleet: Fleet, policy: CombinePolicy, question: Question, branches: int) -> float:
    """Expected USD of the judge, who reads the request and every answer."""
    if policy.judge < 0:
        return 0.0
    features, name = question.features, fleet.names[policy.judge]
    read = features.input_tokens * question.view.token_scale.get(name, 1.0) + branches * features.output_tokens
    return read * fleet.price_in[policy.judge] + JUDGEMENT_TOKENS * fleet.price_out[policy.judge]


def _steps(
    fleet: Fleet,
    question: Question,
    branches: Sequence[Candidate],
    otherwise: Candidate | None,
    pool: Sequence[Candidate],
    order: tuple[int, ...],
) -> tuple[Step, ...]:
    """The branches, then the plan of who answers where they do not agree: the given model, or what stands above the highest branch.

    Without a given one, the neighbours of the branches come last: they are no better than those who could not agree."""
    most = question.route.max_attempts
    asked = {branch.index for branch in branches}
    chosen = otherwise or max(branches, key=lambda branch: fleet.level[branch.index])
    others = [candidate for candidate in pool if candidate.index not in asked or candidate.index == chosen.index]
    following, _ = plan(fleet, question, chosen, others, order)
    if otherwise is None:
        first, *above = following
        names = {fleet.names[index] for index in asked}
        beside = [c for c in others if fleet.names[c.index] in first.targets and fleet.names[c.index] not in names]
        following = (*above, *([step_of(fleet, beside, question, most)] if beside else []))
    return (step_of(fleet, branches, question, len(branches)), *following)[:most]
