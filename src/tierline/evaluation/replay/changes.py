"""Which decisions change, and why: every change has one kind, found by comparing the two decisions and what they dropped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from tierline.evaluation.replay.again import Again
from tierline.evaluation.replay.logged import Logged
from tierline.routing.explain import explain, short
from tierline.routing.router import Router
from tierline.types.decision import Decision, Drop, Dropped, Why

EXAMPLES = 3
"""Explained examples that are kept of each group."""

_CHOSEN = frozenset({Why.EXPLORED, Why.RULE, Why.PINNED, Why.NAMED_MODEL, Why.NAMED_TIER, Why.ONLY_ONE, Why.STATIC, Why.WEIGHTED,
                     Why.CHEAPEST_ABOVE_BAR, Why.NONE_ABOVE_BAR, Why.BY_DIFFICULTY, Why.FASTEST, Why.BEST_WITHIN_BUDGET,
                     Why.BEST_QUALITY, Why.SESSION_KEPT, Why.SESSION_HELD, Why.LOAD_SHIFTED, Why.LEAST_BAD, Why.COMBINED})  # fmt: skip

_WORDS: Mapping[Why, str] = {
    Why.EXPLORED: "explored",
    Why.RULE: "a rule",
    Why.PINNED: "a pin",
    Why.NAMED_MODEL: "the client's model",
    Why.NAMED_TIER: "the client's tier",
    Why.ONLY_ONE: "the only one that could serve",
    Why.STATIC: "the first of the list",
    Why.WEIGHTED: "drawn by weight",
    Why.CHEAPEST_ABOVE_BAR: "the cheapest above the bar",
    Why.NONE_ABOVE_BAR: "none above the bar",
    Why.BY_DIFFICULTY: "the rung for its difficulty",
    Why.FASTEST: "the fastest",
    Why.BEST_WITHIN_BUDGET: "the best within the cost cap",
    Why.BEST_QUALITY: "the best quality",
}

_CAUSES: Mapping[Drop, str] = {
    Drop.CAPABILITY: "it has no {}",
    Drop.CONTEXT: "its window is too small",
    Drop.GOVERNANCE: "governance",
    Drop.KEY: "the key {} may not use it",
    Drop.RESTING: "it rests after failures",
    Drop.CONCURRENCY: "it is busy",
    Drop.LATENCY: "it is too slow",
    Drop.PRICE: "it is over the cost cap",
    Drop.BUDGET: "the budget {} is spent",
    Drop.RATE: "it has had its rate for now",
}


class Example(msgspec.Struct, frozen=True):
    """One changed decision: the two in a few words, and the new one's whole explanation."""

    request_id: str
    before: str
    after: str
    explanation: tuple[str, ...]


class Change(msgspec.Struct, frozen=True):
    """A group of decisions that changed alike. `cost` is what the first calls are expected to cost more (USD, all of them together, as the
    two decisions reckoned it); `supported` says for how many of them the log has evidence."""

    kind: str
    why: str
    task: str
    before: str
    after: str
    count: int
    cost: float
    supported: int
    examples: tuple[Example, ...]


def differs(before: Decision, after: Decision) -> bool:
    """Whether another model is asked first."""
    return before.target != after.target


def plan_differs(before: Decision, after: Decision) -> bool:
    """Whether the same model is asked first and others, or otherwise, after it."""
    return not differs(before, after) and _plan(before) != _plan(after)


def _plan(decision: Decision) -> tuple[object, ...]:
    steps = tuple((step.targets, step.validators) for step in decision.steps)
    return steps, decision.max_attempts, decision.deadline, decision.combine, decision.hedge


def kind_of(row: Logged, again: Again, router: Router) -> tuple[str, str]:
    """The kind of a change, and what made it, in words. The first that holds: refused, task, gone, dropped, returned, choice."""
    before, after = row.decision, again.decision
    if after is None:
        return "refused", again.refused
    if before.task != after.task:
        return "task", f"taken for {after.task or 'no task'} instead of {before.task or 'no task'}"
    if before.target and before.target not in router.policy.fleet.index:
        return "gone", f"{before.target} is not in the new spec"
    fallen = next((dropped for dropped in after.dropped if dropped.model == before.target), None)
    if fallen is not None:
        return "dropped", f"{before.target} may not or cannot serve: {_cause(fallen)}"
    risen = next((dropped for dropped in before.dropped if dropped.model == after.target), None)
    if risen is not None:
        return "returned", f"{after.target} could not serve then: {_cause(risen)}"
    return "choice", f"{chosen_by(before)} → {chosen_by(after)}"


def chosen_by(decision: Decision) -> str:
    """The reason that settled who is asked first, in a few words."""
    return settled_by([reason.why for reason in decision.reasons])


def settled_by(reasons: Sequence[Why]) -> str:
    """As `chosen_by`, from the kinds of a decision's reasons."""
    why = next((why for why in reversed(reasons) if why in _CHOSEN), None)
    return "nothing eligible" if why is None else _WORDS.get(why, why.value.replace("_", " "))


def example(router: Router, row: Logged, again: Again) -> Example:
    """One change, explained."""
    before = f"{row.decision.target or 'nobody'} ({short(row.decision)})"
    if again.decision is None:
        return Example(row.features.request_id, before, "refused", (again.refused,))
    told = explain(router, row.features, again.scores, row.view, again.decision)
    return Example(row.features.request_id, before, f"{again.decision.target or 'nobody'} ({told.short})", (*told.sentences, *told.flips))


def _cause(dropped: Dropped) -> str:
    """Why a model fell, without the numbers of one request, so that like ones make one group."""
    return _CAUSES[dropped.why].format(dropped.subject)
