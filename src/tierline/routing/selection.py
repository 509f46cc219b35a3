"""Who of the eligible is asked first: one function for each way to select, all over the same candidates."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import msgspec

from tierline.routing.belief import Candidate
from tierline.routing.draws import WEIGHTED, draw_for
from tierline.routing.policy import Fleet, RoutePolicy, TaskPolicy
from tierline.types.decision import Reason, Why
from tierline.types.features import Features
from tierline.types.view import View


class Field(msgspec.Struct, frozen=True, gc=False):
    """All that a selection may look at. `candidates` is never empty; `bar` is the pass rate to clear; `order` the models' own order where
    the task or a rule gives one; `max_cost` in USD; `slack`: how far below the bar, or the best there is, a cheaper one may be."""

    fleet: Fleet
    route: RoutePolicy
    task: TaskPolicy
    candidates: Sequence[Candidate]
    bar: float
    difficulty: float
    order: tuple[int, ...]
    max_cost: float | None
    features: Features
    view: View
    slack: float = 0.0

    @property
    def floor(self) -> float:
        """The pass rate that is enough: the bar; with slack so far below it, or below the best where nobody clears it."""
        return min(self.bar, max([c.quality for c in self.candidates])) - self.slack if self.slack else self.bar


class Choice(msgspec.Struct, frozen=True, gc=False):
    """The chosen candidate, why, with what probability, and how far from the nearest boundary."""

    candidate: Candidate
    reason: Reason
    propensity: float = 1.0
    margin: float | None = None


def select(field: Field) -> Choice:
    """The route's own way to select, or the task's preference where it has one."""
    if len(field.candidates) == 1:
        only = field.candidates[0]
        return Choice(only, Reason(Why.ONLY_ONE, field.fleet.models[only.index].name, only.quality, field.bar))
    if field.route.select == "cheapest_above_bar" and field.task.prefer != "cost":
        return _PREFER[field.task.prefer](field)
    return _SELECT[field.route.select](field)


def least_bad(field: Field) -> Choice | None:
    """Where every candidate rests, the one with the shortest rest left: any answer beats an error."""
    names, resting = field.fleet.names, field.view.resting
    if any(not resting.get(names[c.index]) for c in field.candidates):
        return None
    chosen = min(field.candidates, key=lambda c: (resting[names[c.index]], c.expected))
    return _choice(field, chosen, Why.LEAST_BAD, resting[names[chosen.index]])


def cheapest_above_bar(field: Field) -> Choice:
    """The least expected cost among those whose believed pass rate clears the bar; the best there is where none does.

    Ties go to the lower rung, then to the order of the spec. The margin is how much the bar would have to move: up to lose the
    chosen one, or down to admit a cheaper one."""
    bar = field.floor
    chosen: Candidate | None = None
    for candidate in field.candidates:
        if candidate.quality >= bar and (chosen is None or candidate.expected < chosen.expected):
            chosen = candidate
    if chosen is None:
        return _none_above(field)
    margin = chosen.quality - bar
    for candidate in field.candidates:
        if bar - margin < candidate.quality < bar and candidate.expected < chosen.expected:
            margin = bar - candidate.quality
    return _choice(field, chosen, Why.CHEAPEST_ABOVE_BAR, chosen.quality, bar, margin=margin)


def best_quality(field: Field) -> Choice:
    """The highest believed pass rate; ties go to the cheaper one."""
    best = max(field.candidates, key=lambda c: (c.quality, -c.expected))
    rest = [c.quality for c in field.candidates if c.index != best.index]
    return _choice(field, best, Why.BEST_QUALITY, best.quality, margin=best.quality - max(rest))


def fastest(field: Field) -> Choice:
    """The least median latency among those above the bar; where no latency is known, the lowest rung among them."""
    above = [c for c in field.candidates if c.quality >= field.floor]
    if not above:
        return _none_above(field)
    known = field.view.latency
    names = field.fleet.models

    def speed(candidate: Candidate) -> tuple[float, int, float]:
        latency = known.get(names[candidate.index].name)
        return (latency.p50 if latency else 0.0, field.fleet.level[candidate.index], candidate.expected)

    chosen = min(above, key=speed)
    latency = known.get(names[chosen.index].name)
    return _choice(field, chosen, Why.FASTEST, latency.p50 if latency else None)


def best_within_budget(field: Field) -> Choice:
    """The highest believed pass rate whose call fits the request's cap; without a cap, the cheapest above the bar."""
    if field.max_cost is None:
        return cheapest_above_bar(field)
    within = [c for c in field.candidates if c.cost <= field.max_cost] or list(field.candidates)
    best = max(within, key=lambda c: (c.quality, -c.cost))
    return _choice(field, best, Why.BEST_WITHIN_BUDGET, best.cost, field.max_cost)


def static(field: Field) -> Choice:
    """The first of the task's or rule's own order; without one, the first of the fleet."""
    rank = {index: place for place, index in enumerate(field.order)}
    first = min(field.candidates, key=lambda c: (rank.get(c.index, len(rank)), c.index))
    return _choice(field, first, Why.STATIC)


def by_difficulty(field: Field) -> Choice:
    """The cheapest of the lowest rung whose ceiling takes the difficulty; an empty rung passes it up, and down when none is left."""
    level, ceilings = field.fleet.level, field.route.ceilings
    wanted = next((t for t, ceiling in enumerate(ceilings) if field.difficulty <= ceiling), len(ceilings) - 1)
    rungs = {level[c.index] for c in field.candidates}
    rung = min((t for t in rungs if t >= wanted), default=max(rungs))
    chosen = min((c for c in field.candidates if level[c.index] == rung), key=lambda c: c.expected)
    margin = min((abs(field.difficulty - ceiling) for ceiling in ceilings[:-1]), default=None)
    return _choice(field, chosen, Why.BY_DIFFICULTY, field.difficulty, ceilings[wanted], margin=margin)


def weighted(field: Field) -> Choice:
    """By chance, in the shares that the task or the route gives; the propensity is the share among the eligible."""
    weights = field.task.weights or field.route.weights
    shares = [(c, weights[c.index]) for c in field.candidates] if weights else []
    total = sum(weight for _, weight in shares)
    if total <= 0:
        return cheapest_above_bar(field)
    point = draw_for(field.features.draw, WEIGHTED) * total
    drawable = [(c, weight) for c, weight in shares if weight > 0]
    reached = itertools.accumulate(weight for _, weight in drawable)
    chosen, weight = next((pair for pair, end in zip(drawable, reached, strict=True) if point < end), drawable[-1])
    return _choice(field, chosen, Why.WEIGHTED, weight / total, propensity=weight / total)


def _none_above(field: Field) -> Choice:
    best = max(field.candidates, key=lambda c: (c.quality, -c.expected))
    return _choice(field, best, Why.NONE_ABOVE_BAR, best.quality, field.bar, margin=field.bar - best.quality)


def _choice(
    field: Field,
    candidate: Candidate,
    why: Why,
    value: float | None = None,
    limit: float | None = None,
    *,
    margin: float | None = None,
    propensity: float = 1.0,
) -> Choice:
    return Choice(candidate, Reason(why, field.fleet.models[candidate.index].name, value, limit), propensity, margin)


_SELECT: dict[str, Callable[[Field], Choice]] = {
    "cheapest_above_bar": cheapest_above_bar,
    "static": static,
    "by_difficulty": by_difficulty,
    "fastest": fastest,
    "best_within_budget": best_within_budget,
    "weighted": weighted,
}
_PREFER: dict[str, Callable[[Field], Choice]] = {"quality": best_quality, "latency": fastest}
