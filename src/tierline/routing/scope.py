"""Whom a request is for: the named model or tier, the operator's pin, a model rule, or its task's own list."""

from __future__ import annotations

import msgspec

from tierline.routing.budgets import afforded, cheapest_of
from tierline.routing.eligibility import Standing, eligible
from tierline.routing.policy import Policy, Use
from tierline.routing.question import Question
from tierline.types.decision import Drop, Reason, Why


class Scope(msgspec.Struct, frozen=True, gc=False):
    """`first` is the mask of models to choose among, `wider` adds those that may help when they fail, `order` is the order of a given
    list. `ruled`, `pinned` and `held` (by a session): somebody has chosen, so nothing is explored, combined or moved by load."""

    first: int
    wider: int
    order: tuple[int, ...] = ()
    ruled: bool = False
    pinned: bool = False
    held: bool = False


def scope_of(policy: Policy, question: Question, reasons: list[Reason]) -> Scope:
    """The first of these that speaks: the client, the operator, a rule, the task."""
    fleet, task = policy.fleet, question.task
    if question.model:
        reasons.append(Reason(Why.NAMED_MODEL, question.model))
        only = 1 << fleet.index[question.model]
        return Scope(only, only)
    if question.tier:
        reasons.append(Reason(Why.NAMED_TIER, question.tier))
        rung = fleet.on_level[fleet.tiers.index(question.tier)]
        return Scope(rung, rung)
    wider = task.mask | task.fallback_mask
    pin = question.view.pins.get(question.route.name, "")
    if pin in fleet.index:
        only = 1 << fleet.index[pin]
        return Scope(only, wider | only, task.order, pinned=True)
    use = _rule(question)
    if use is not None:
        reasons.append(Reason(Why.RULE, use.subject, float(use.number)))
        return Scope(use.mask, wider | use.mask, use.order or task.order, ruled=True)
    return Scope(task.mask, wider, task.order)


def standing_in(policy: Policy, question: Question, mask: int, *, whole: bool = True) -> Standing:
    """Those of `mask` that can serve the question. `whole`: they are all whom the request may choose among, so the cheapest of them stays
    when a budget that means so is spent; what a client named stays only where it is the cheapest of all."""
    standing = _able(policy, question, mask)
    if not (question.view.budgets or question.token_cap):
        return standing
    among = 0
    if question.named:
        among = _able(policy, question, policy.fleet.everyone).mask
    elif whole:
        among = standing.mask
    return afforded(policy, question, standing, cheapest_of(policy, question, among))


def _able(policy: Policy, question: Question, mask: int) -> Standing:
    return eligible(
        policy,
        question.features,
        question.view,
        mask,
        task=question.task.name,
        risk=question.risk,
        latency_budget=question.latency_budget,
        max_cost=question.max_cost,
        costs=question.scores.cost,
    )


def widened(policy: Policy, question: Question, scope: Scope, standing: Standing, reasons: list[Reason]) -> tuple[Scope, Standing]:
    """Nobody of the first choice can serve: the pin or the rule gives way, then the task's own list, for any answer beats an
    error. What a client named never gives way."""
    if question.named:
        return scope, standing
    task, everyone = question.task, policy.fleet.everyone
    if scope.pinned or scope.ruled:
        reasons.append(Reason(Why.PIN_UNUSABLE if scope.pinned else Why.RULE_UNUSABLE))
        if standing.mask & task.mask:
            return Scope(task.mask, scope.wider, task.order), standing
    if standing.mask:
        return Scope(standing.mask, scope.wider), standing
    if scope.wider == everyone or any(fallen.why == Drop.BUDGET for fallen in standing.dropped):
        return scope, standing  # a spent budget is no reason to ask whom the task was not meant for
    standing = standing_in(policy, question, everyone)
    if standing.mask:
        reasons.append(Reason(Why.OUTSIDE_TASK, task.name))
    return Scope(everyone, everyone), standing


def _rule(question: Question) -> Use | None:
    route = question.route
    if not route.uses:
        return None
    found = route.model_rules.first(question.features, question.task.name, question.risk)
    return None if found < 0 else route.uses[found]
