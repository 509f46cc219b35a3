"""From the chosen model to the whole plan: its fallbacks, the ladder above it, and what is left when all of that fails."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence

from tierline.routing.belief import Candidate
from tierline.routing.policy import Fleet, TaskPolicy
from tierline.routing.question import Question
from tierline.types.decision import Step

_EXPECTED = operator.attrgetter("expected")


def plan(
    fleet: Fleet, question: Question, chosen: Candidate, pool: Sequence[Candidate], order: tuple[int, ...]
) -> tuple[tuple[Step, ...], bool]:
    """The steps of a routed request, and whether a last resort below the chosen rung is among them.

    First the chosen model with its fallbacks: the task's own, or else its neighbours on the rung, those of other providers
    first. Then the ladder: what the order lists after it, or else the rungs above. Last the rest of `pool`, highest rung first: any
    answer beats an error. The route's attempts bound the steps and the targets of each."""
    task, most = question.task, question.route.max_attempts
    others = sorted([c for c in pool if c.index != chosen.index], key=_EXPECTED)
    if order or task.fallback:
        helping, ladder, rest = _as_listed(fleet, task, chosen, others, order)
    else:
        helping, ladder, rest = _by_rung(fleet, chosen, others)
    steps = [step_of(fleet, [chosen, *helping], question, most)]
    for rung in ladder:
        steps.append(step_of(fleet, rung, question, most))
    last_resort = bool(rest) and len(steps) < most
    if last_resort:
        lower = fleet.level[rest[0].index] < fleet.level[chosen.index]
        steps.append(step_of(fleet, rest, question, most, lower=lower))
    return tuple(steps[:most]), last_resort


def confined(fleet: Fleet, question: Question, chosen: Candidate, pool: Iterable[Candidate]) -> tuple[Step, ...]:
    """The one step of a request whose client named the model or the tier: nothing outside of what it named."""
    rest = sorted((c for c in pool if c.index != chosen.index), key=_EXPECTED)
    return (step_of(fleet, [chosen, *rest], question, question.route.max_attempts),)


_Parts = tuple[list[Candidate], list[list[Candidate]], list[Candidate]]
"""Who helps on the chosen rung, the ladder after it, and the rest."""


def _by_rung(fleet: Fleet, chosen: Candidate, others: Sequence[Candidate]) -> _Parts:
    """Where neither the task nor a rule lists anybody: the rungs of the fleet, cheapest first within each."""
    level, here = fleet.level, fleet.level[chosen.index]
    rungs: list[list[Candidate]] = [[] for _ in fleet.tiers]
    for candidate in others:
        rungs[level[candidate.index]].append(candidate)
    ladder = [rung for rung in rungs[here + 1 :] if rung]
    below = [c for rung in reversed(rungs[:here]) for c in rung] if here else []
    return _neighbours(fleet, chosen, rungs[here]), ladder, below


def _as_listed(fleet: Fleet, task: TaskPolicy, chosen: Candidate, others: Sequence[Candidate], order: tuple[int, ...]) -> _Parts:
    """Where the ladder or the fallbacks are listed: those, and the rungs of the fleet for what is not."""
    level, here = fleet.level, fleet.level[chosen.index]
    ladder = _after(chosen, others, order) if order else _by_rung(fleet, chosen, others)[1]
    climbing = {c.index for rung in ladder for c in rung}
    left = [c for c in others if c.index not in climbing]
    if task.fallback:
        helping = sorted((c for c in left if c.index in task.fallback), key=lambda c: task.fallback.index(c.index))
    else:
        helping = _neighbours(fleet, chosen, [c for c in left if level[c.index] == here])
    helpers = {c.index for c in helping}
    rest = sorted((c for c in left if c.index not in helpers), key=lambda c: -level[c.index])
    higher = [c for c in helping if level[c.index] > here]
    return helping, [rung + [c for c in higher if level[c.index] >= level[rung[0].index]] for rung in ladder], rest


def _after(chosen: Candidate, others: Sequence[Candidate], order: tuple[int, ...]) -> list[list[Candidate]]:
    """What the list names after the chosen one, a step each."""
    after = order[order.index(chosen.index) + 1 :] if chosen.index in order else ()
    by_index = {c.index: c for c in others}
    return [[by_index[i]] for i in after if i in by_index]


def _neighbours(fleet: Fleet, chosen: Candidate, same: list[Candidate]) -> list[Candidate]:
    """Those of the chosen one's own rung, those of other providers first."""
    provider = fleet.models[chosen.index].provider
    return sorted(same, key=lambda c: fleet.models[c.index].provider == provider) if len(same) > 1 else same


def step_of(fleet: Fleet, rung: Sequence[Candidate], question: Question, most: int, *, lower: bool = False) -> Step:
    """One level of the plan: at most `most` of these candidates, in their order. Windows are given where one may overflow."""
    rung, names, checks = rung[:most], fleet.names, question.checks
    targets, costs = [], []
    for candidate in rung:
        targets.append(names[candidate.index])
        costs.append(candidate.cost)
    windows = tuple([fleet.windows[c.index] for c in rung]) if question.tight else ()
    tier = fleet.tiers[fleet.level[rung[0].index]]
    return Step(tier, tuple(targets), tuple(costs), checks.names, windows, checks.retries, lower)
