"""The choices of many requests under one setting of the thresholds; each equals `Router.decide`'s first target under that setting."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from tierline.evaluation.sweep.questions import CHEAPEST, DIFFICULTY, FASTEST, QUALITY, WITHIN, Questions
from tierline.routing.belief import STEEPNESS
from tierline.routing.router import Router

Choices = NDArray[np.int16]
"""Shaped (n,): the fleet's index of the model asked first, -1 where nobody can serve."""

Column = NDArray[np.float64]
Rows = NDArray[np.int64]

_FAR = np.inf
_MOST_BITS = 8


class Thresholds(msgspec.Struct, frozen=True):
    """One setting: the ceilings and the bar of each route, and the bar of each task (None: its route's)."""

    ceilings: Mapping[str, tuple[float, ...]]
    bars: Mapping[str, float]
    task_bars: Mapping[str, float | None]


def thresholds_of(router: Router) -> Thresholds:
    """Those of the spec as it stands."""
    policy = router.policy
    return Thresholds(
        {name: route.ceilings for name, route in policy.routes.items()},
        {name: route.bar for name, route in policy.routes.items()},
        {name: task.bar for name, task in policy.tasks.items()} | {"": None},
    )


def with_thresholds(router: Router, at: Thresholds) -> Router:
    """A router of the same spec with these thresholds in it."""
    policy = router.policy
    routes = {name: msgspec.structs.replace(route, ceilings=at.ceilings[name], bar=at.bars[name]) for name, route in policy.routes.items()}
    tasks = {name: msgspec.structs.replace(task, bar=at.task_bars[name]) for name, task in policy.tasks.items()}
    moved = copy.copy(router)
    moved.policy = msgspec.structs.replace(policy, routes=routes, tasks=tasks)
    return moved


class Chooser:
    """Chooses over and over for the same requests, and keeps what a setting shares with those before it. `times`: how often it will be
    asked; where that is often, the winner among every set of models that may clear the bar is looked up instead of found."""

    def __init__(self, asked: Questions, times: int = 1) -> None:
        self.asked = asked
        self._priors: dict[tuple[tuple[float, float], ...], Column] = {}
        self._standing = [np.ascontiguousarray(row) for row in asked.stands]
        self._open = [np.isnan(row) & stands for row, stands in zip(asked.given, asked.stands, strict=True)]
        self._plain = (
            bool((asked.way == CHEAPEST).all() and (asked.apart < 0).all()) and not asked.unsure.any() and not asked.explored.any()
        )
        self._free = not asked.failure_cost.any() and not (asked.follow >= 0).any()
        self._bits: dict[tuple[object, ...], NDArray[np.uint8]] = {}
        self._place = np.arange(len(asked))
        tabled = self._plain and self._free and len(asked.level) <= _MOST_BITS and times >= 1 << len(asked.level)
        self._winners = self._table() if tabled else None

    def choose(self, at: Thresholds) -> Choices:
        """Every choice under this setting."""
        bar = self._bars(at)
        if self._winners is not None:
            return self._looked_up(self._winners, at, bar)
        quality = [self._quality(i, at) for i in range(len(self._standing))]
        expected = [self._expected(i, quality) for i in range(len(self._standing))]
        chosen = self._cheapest(quality, expected, bar) if self._plain else self._others(quality, expected, bar, at)
        self._set_apart(chosen, at)
        return chosen

    def _set_apart(self, chosen: Choices, at: Thresholds) -> None:
        """What only the router can decide, decided by it."""
        rows = np.flatnonzero(self.asked.apart >= 0)
        if len(rows):
            router = with_thresholds(self.asked.router, at)
            index = router.policy.fleet.index
            chosen[rows] = [index.get(router.decide(*self.asked.alone[self.asked.apart[row]]).target, -1) for row in rows]

    def _bars(self, at: Thresholds) -> NDArray[np.float64]:
        """Shaped (n,), or (1,) where all are alike."""
        asked = self.asked
        table = np.array(
            [[at.bars[route] if at.task_bars[task] is None else at.task_bars[task] for task in asked.tasks] for route in asked.routes],
            dtype=np.float64,
        )
        if (table == table[0, 0]).all():
            return table[0, :1]
        bars: NDArray[np.float64] = table[asked.route, asked.task]
        return bars

    def _quality(self, i: int, at: Thresholds) -> NDArray[np.float64]:
        given: NDArray[np.float64] = self.asked.given[i]
        if not self._open[i].any():
            return given
        return np.where(self._open[i], self._prior(self.asked.level[i], at), given)

    def _prior(self, rung: int, at: Thresholds) -> NDArray[np.float64]:
        """`belief.priors` of one rung: bar and ceiling are the route's."""
        key = tuple((at.bars[route], at.ceilings[route][rung]) for route in self.asked.routes)
        if key not in self._priors:
            bar = np.clip(np.array([pair[0] for pair in key]), 0.01, 0.99)
            base = np.log(bar / (1.0 - bar))
            ceiling = np.array([pair[1] for pair in key])
            route = self.asked.route if len(key) > 1 else 0
            logit = base[route] + STEEPNESS * (ceiling[route] - self.asked.difficulty)
            self._priors[key] = np.rint(1e9 / (1.0 + np.exp(-logit))) / 1e9
        return self._priors[key]

    def _expected(self, i: int, quality: Sequence[Column]) -> Column:
        """As `belief`: the call, and what is paid when its answer is bad. `quality` is that of every model, for any may be called after."""
        asked = self.asked
        total: Column = asked.cost[i]
        if self._free:
            return total
        reached = 1.0 - quality[i]
        for after in asked.follow[i]:
            following = after >= 0
            if not following.any():
                break
            there = np.flatnonzero(following)
            models = after[there]
            total, reached = total.copy(), reached.copy()
            total[there] += reached[there] * asked.cost[models, there]
            reached[there] *= 1.0 - np.array(quality)[models, there]
        return total + reached * asked.failure_cost

    def _cheapest(self, quality: list[Column], expected: list[Column], bar: Column) -> Choices:
        """The least expected cost of those above the bar, the first of equals; `_none_above` where there is none."""
        count = len(self.asked)
        best, chosen = np.full(count, _FAR), np.full(count, -1, dtype=np.int16)
        better = np.empty(count, dtype=bool)
        for i, stands in enumerate(self._standing):
            np.greater_equal(quality[i], bar, out=better)
            better &= stands
            better &= expected[i] < best
            np.copyto(best, expected[i], where=better)
            np.copyto(chosen, np.int16(i), where=better)
        bare = np.flatnonzero(chosen < 0)
        if len(bare):
            chosen[bare] = self._best(quality, expected, bare)
        return chosen

    def _table(self) -> Choices:
        """The winner among each set of models, flat: set s of request r at s · n + r; a set is a number with a bit for each model."""
        models, count = len(self.asked.level), len(self.asked)
        table = np.full((1 << models, count), -1, dtype=np.int16)
        for members in range(1, 1 << models):
            inside = [i for i in range(models) if members >> i & 1]
            costs = self.asked.cost[inside]
            table[members] = np.array(inside, dtype=np.int16)[costs.argmin(axis=0)]
        return table.ravel()

    def _looked_up(self, winners: Choices, at: Thresholds, bar: Column) -> Choices:
        """`_cheapest`, where what a model costs does not depend on the thresholds."""
        clearing = np.zeros(len(self.asked), dtype=np.uint8)
        for i in range(len(self._standing)):
            clearing |= self._bit(i, at, bar)
        index = np.multiply(clearing, len(self.asked), dtype=np.int64)
        index += self._place
        chosen: Choices = winners.take(index)
        bare = np.flatnonzero(clearing == 0)
        if len(bare):
            quality = [self._quality(i, at) for i in range(len(self._standing))]
            chosen[bare] = self._best(quality, list(self.asked.cost), bare)
        return chosen

    def _bit(self, i: int, at: Thresholds, bar: Column) -> NDArray[np.uint8]:
        """Model i's bit where it stands and clears the bar."""
        rung = self.asked.level[i]
        bars = (tuple(at.bars.values()), tuple(at.task_bars.values()))
        key = (i, bars, tuple(at.ceilings[route][rung] for route in self.asked.routes))
        if key not in self._bits:
            clears = self._standing[i] & (self._quality(i, at) >= bar)
            self._bits[key] = clears.astype(np.uint8) << np.uint8(i)
        return self._bits[key]

    def _best(self, quality: list[Column], expected: list[Column], rows: Rows) -> Choices:
        """The highest quality, then the least expected cost, then the first; -1 where nobody stands."""
        return _first_best([stands[rows] for stands in self._standing], [q[rows] for q in quality], [e[rows] for e in expected])

    def _others(self, quality: list[Column], expected: list[Column], bar: Column, at: Thresholds) -> Choices:
        """Every way to select, each on its own rows; then one rung up where a scorer was unsure or chance says so."""
        asked = self.asked
        bar = np.broadcast_to(bar, (len(asked),))
        chosen = asked.fixed.copy()
        for way, choose in _WAYS.items():
            rows = np.flatnonzero((asked.way == way) & (asked.fixed < 0))
            if len(rows):
                part = _Part(asked.part(rows), [q[rows] for q in quality], [e[rows] for e in expected], bar[rows], at)
                chosen[rows] = choose(part)
        for mark, up in ((asked.unsure, _unsure_up), (asked.explored, _explored_up)):
            rows = np.flatnonzero(mark & (chosen >= 0))
            if len(rows):
                part = _Part(asked.part(rows), [q[rows] for q in quality], [e[rows] for e in expected], bar[rows], at)
                chosen[rows] = up(part, chosen[rows])
        return chosen


class _Part(msgspec.Struct, frozen=True):
    """Some of the requests, with what is believed of each model for them."""

    asked: Questions
    quality: list[Column]
    expected: list[Column]
    bar: Column
    at: Thresholds

    @property
    def stands(self) -> list[NDArray[np.bool_]]:
        """Who may be chosen, a row a model."""
        return list(self.asked.stands)


def _first_best(stands: list[NDArray[np.bool_]], high: list[Column], low: list[Column]) -> Choices:
    """The first of the greatest `high`, and among those of the least `low`."""
    count = len(stands[0]) if stands else 0
    best, least, chosen = np.full(count, -_FAR), np.full(count, _FAR), np.full(count, -1, dtype=np.int16)
    for i, standing in enumerate(stands):
        better = standing & ((chosen < 0) | (high[i] > best) | ((high[i] == best) & (low[i] < least)))
        best, least = np.where(better, high[i], best), np.where(better, low[i], least)
        chosen[better] = i
    return chosen


def _least(stands: list[NDArray[np.bool_]], *keys: list[Column]) -> Choices:
    """The first of the least by these keys in their order; -1 where nobody stands."""
    count = len(stands[0]) if stands else 0
    best = [np.full(count, _FAR) for _ in keys]
    chosen = np.full(count, -1, dtype=np.int16)
    for i, standing in enumerate(stands):
        smaller, equal = np.zeros(count, dtype=bool), np.ones(count, dtype=bool)
        for key, so_far in zip(keys, best, strict=True):
            smaller |= equal & (key[i] < so_far)
            equal &= key[i] == so_far
        better = standing & (smaller | (chosen < 0))
        best = [np.where(better, key[i], so_far) for key, so_far in zip(keys, best, strict=True)]
        chosen[better] = i
    return chosen


def _above(part: _Part) -> list[NDArray[np.bool_]]:
    return [standing & (quality >= part.bar) for standing, quality in zip(part.stands, part.quality, strict=True)]


def _or_best(part: _Part, chosen: Choices) -> Choices:
    """Where nobody was above the bar, the best there is."""
    return np.where(chosen >= 0, chosen, _first_best(part.stands, part.quality, part.expected))


def _cheapest_above(part: _Part) -> Choices:
    return _or_best(part, _least(_above(part), part.expected))


def _best_quality(part: _Part) -> Choices:
    return _first_best(part.stands, part.quality, part.expected)


def _fastest(part: _Part) -> Choices:
    level = [np.full(len(part.asked), float(rung)) for rung in part.asked.level]
    return _or_best(part, _least(_above(part), list(part.asked.seconds), level, part.expected))


def _best_within(part: _Part) -> Choices:
    cost = list(part.asked.cost)
    within = [standing & (c <= part.asked.most) for standing, c in zip(part.stands, cost, strict=True)]
    some = np.logical_or.reduce(within)
    pool = [np.where(some, inside, standing) for inside, standing in zip(within, part.stands, strict=True)]
    return _first_best(pool, part.quality, cost)


def _by_difficulty(part: _Part) -> Choices:
    """The lowest rung with a candidate from the one that takes the difficulty on, or else the highest below; the cheapest there."""
    asked, at = part.asked, part.at
    ceilings = np.array([at.ceilings[route] for route in asked.routes])[asked.route]
    takes = asked.difficulty[:, None] <= ceilings
    wanted = np.where(takes.any(axis=1), takes.argmax(axis=1), ceilings.shape[1] - 1)
    level = np.array(asked.level)[:, None]
    here = np.where(asked.stands & (level >= wanted), level, 10_000).min(axis=0)
    below = np.where(asked.stands, level, -1).max(axis=0)
    rung = np.where(here < 10_000, here, below)
    return _least([standing & (lvl == rung) for standing, lvl in zip(part.stands, asked.level, strict=True)], part.expected)


def _next_rung(part: _Part, chosen: Choices) -> list[NDArray[np.bool_]]:
    level = np.array(part.asked.level)
    here = level[chosen]
    above = np.where(part.asked.stands & (level[:, None] > here), level[:, None], 10_000).min(axis=0)
    return [standing & (lvl == above) for standing, lvl in zip(part.stands, part.asked.level, strict=True)]


def _unsure_up(part: _Part, chosen: Choices) -> Choices:
    above = _next_rung(part, chosen)
    clearing = [rung & (quality >= part.bar) for rung, quality in zip(above, part.quality, strict=True)]
    zero = [np.zeros(len(part.asked))] * len(above)
    up = _least(clearing, part.expected)
    up = np.where(up >= 0, up, _first_best(above, part.quality, zero))
    return np.where(up >= 0, up, chosen)


def _explored_up(part: _Part, chosen: Choices) -> Choices:
    up = _least(_next_rung(part, chosen), part.expected)
    return np.where(up >= 0, up, chosen)


_WAYS: Mapping[int, Callable[[_Part], Choices]] = {
    CHEAPEST: _cheapest_above,
    DIFFICULTY: _by_difficulty,
    QUALITY: _best_quality,
    FASTEST: _fastest,
    WITHIN: _best_within,
}
