"""From the chosen model to the whole plan: its fallbacks, the ladder above it, and what is left when all of that fails."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence

from tierline.routing.belief import Candidate
from tierline.routing.policy import Fleet
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
    level, task, most = fleet.level, question.task, question.route.max_attempts
    ranked = sorted([c for c in pool if c.index != chosen.index], key=_EXPECTED)
    ladder = _listed(chosen, ranked, order) if order else _rungs(level, level[chosen.index] + 1, len(fleet.tiers), ranked)
    climbing = {c.index for rung in ladder for c in rung}
    left = [c for c in ranked if c.index not in climbing]
    if task.fallback:
        fallback = sorted((c for c in left if c.index in task.fallback), key=lambda c: task.fallback.index(c.index))
    else:
        fallback = _neighbours(fleet, chosen, left)
    steps = [step_of(fleet, [chosen, *fallback], question, most)]
    for rung in ladder:
        helping = [c for c in fallback if level[c.index] > level[chosen.index] and level[c.index] >= level[rung[0].index]]
        steps.append(step_of(fleet, rung + helping, question, most))
    last_resort = len(fallback) < len(left) and len(steps) < most
    if last_resort:
        helpers = {c.index for c in fallback}
        rest = [c for c in left if c.index not in helpers]
        steps.append(step_of(fleet, sorted(rest, key=lambda c: -level[c.index]), question, most))
    return tuple(steps[:most]), last_resort


def confined(fleet: Fleet, question: Question, chosen: Candidate, pool: Iterable[Candidate]) -> tuple[Step, ...]:
    """The one step of a request whose client named the model or the tier: nothing outside of what it named."""
    rest = sorted((c for c in pool if c.index != chosen.index), key=_EXPECTED)
    return (step_of(fleet, [chosen, *rest], question, question.route.max_attempts),)


def _listed(chosen: Candidate, ranked: Sequence[Candidate], order: tuple[int, ...]) -> list[list[Candidate]]:
    """What the list names after the chosen one, a step each."""
    after = order[order.index(chosen.index) + 1 :] if chosen.index in order else ()
    by_index = {c.index: c for c in ranked}
    return [[by_index[i]] for i in after if i in by_index]


def _rungs(level: Sequence[int], low: int, high: int, ranked: Sequence[Candidate]) -> list[list[Candidate]]:
    """The rungs from `low` up, a step each, cheapest first within it."""
    rungs = ([c for c in ranked if level[c.index] == rung] for rung in range(low, high))
    return [rung for rung in rungs if rung]


def _neighbours(fleet: Fleet, chosen: Candidate, others: Sequence[Candidate]) -> list[Candidate]:
    rung, provider = fleet.level[chosen.index], fleet.models[chosen.index].provider
    same = [c for c in others if fleet.level[c.index] == rung]
    return sorted(same, key=lambda c: fleet.models[c.index].provider == provider)


def step_of(fleet: Fleet, rung: Sequence[Candidate], question: Question, most: int) -> Step:
    """One level of the plan: at most `most` of these candidates, in their order. Windows are given where one may overflow."""
    rung, checks = rung[:most], question.checks
    names, tier = fleet.names, fleet.tiers[fleet.level[rung[0].index]]
    return Step(
        tier,
        tuple([names[c.index] for c in rung]),
        tuple([c.cost for c in rung]),
        checks.names,
        tuple([fleet.windows[c.index] for c in rung]) if question.tight else (),
        checks.retries,
    )
