"""From the chosen model to the whole plan: its fallbacks, the ladder above it, and what is left when all of that fails."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tierline.routing.belief import Candidate
from tierline.routing.policy import Fleet, TaskPolicy
from tierline.types.decision import Step


def plan(
    fleet: Fleet, task: TaskPolicy, chosen: Candidate, pool: Sequence[Candidate], order: tuple[int, ...], most: int
) -> tuple[tuple[Step, ...], bool]:
    """The steps of a routed request, and whether a last resort below the chosen rung is among them.

    First the chosen model with its fallbacks: the task's own, or else its neighbours on the rung, those of other providers
    first. Then the ladder: what the order lists after it, or else the rungs above. Last the rest of `pool`, highest rung first: any
    answer beats an error. `most` bounds the steps and the targets of each."""
    by_index = {candidate.index: candidate for candidate in pool}
    fallback = [by_index[i] for i in task.fallback if i in by_index and i != chosen.index]
    ladder = _ladder(fleet, chosen, pool, order, by_index)
    climbing = {candidate.index for rung in ladder for candidate in rung}
    if not task.fallback:
        fallback = _neighbours(fleet, chosen, (c for c in pool if c.index not in climbing and c.index != chosen.index))
    steps = [_step(fleet, [chosen, *fallback], task, most)]
    for rung in ladder:
        helping = [c for c in fallback if fleet.level[c.index] >= fleet.level[rung[0].index] and c not in rung]
        steps.append(_step(fleet, rung + helping, task, most))
    planned = {chosen.index, *climbing, *(c.index for c in fallback)}
    rest = sorted((c for c in pool if c.index not in planned), key=lambda c: (-fleet.level[c.index], c.expected))
    last_resort = bool(rest) and len(steps) < most
    if last_resort:
        steps.append(_step(fleet, rest, task, most))
    return tuple(steps[:most]), last_resort


def confined(fleet: Fleet, task: TaskPolicy, chosen: Candidate, pool: Iterable[Candidate], most: int) -> tuple[Step, ...]:
    """The one step of a request whose client named the model or the tier: nothing outside of what it named."""
    rest = sorted((c for c in pool if c.index != chosen.index), key=lambda c: c.expected)
    return (_step(fleet, [chosen, *rest], task, most),)


def _ladder(
    fleet: Fleet, chosen: Candidate, pool: Sequence[Candidate], order: tuple[int, ...], by_index: dict[int, Candidate]
) -> list[list[Candidate]]:
    if order:
        after = order[order.index(chosen.index) + 1 :] if chosen.index in order else ()
        return [[by_index[i]] for i in after if i in by_index]
    rungs: dict[int, list[Candidate]] = {}
    for candidate in pool:
        level = fleet.level[candidate.index]
        if level > fleet.level[chosen.index]:
            rungs.setdefault(level, []).append(candidate)
    return [sorted(rungs[level], key=lambda c: c.expected) for level in sorted(rungs)]


def _neighbours(fleet: Fleet, chosen: Candidate, others: Iterable[Candidate]) -> list[Candidate]:
    level, provider = fleet.level[chosen.index], fleet.models[chosen.index].provider
    same = [c for c in others if fleet.level[c.index] == level]
    return sorted(same, key=lambda c: (fleet.models[c.index].provider == provider, c.expected))


def _step(fleet: Fleet, rung: Sequence[Candidate], task: TaskPolicy, most: int) -> Step:
    rung = rung[:most]
    return Step(
        tier=fleet.tiers[fleet.level[rung[0].index]],
        targets=tuple(fleet.models[c.index].name for c in rung),
        costs=tuple(round(c.cost, 9) for c in rung),
        validators=task.validators,
    )
