"""Rows whose first choice cannot have changed, told in columns: only the others need to be decided one by one.

Most requests differ from others only in size, difficulty and chance. What the router's own parts say of all the rest (task, rules,
governance, capabilities) is found once for each such class and remembered; the selection is then made for a page of rows at once by
`evaluation/sweep`, which equals `Router.decide` by law. Whatever does not fit (a rule that reads sizes, a resting model, a cost cap, a
session, chance) is not screened. Of what is, a sample is decided whole all the same, and must agree."""

from __future__ import annotations

import itertools
import math
import operator
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from tierline.config.budgets import HEADROOM
from tierline.config.expressions import Condition
from tierline.config.loaded import Loaded
from tierline.decision_log.codec import (
    NOTHING_STORED,
    asked,
    asked_features,
    stored_features,
    stored_hints,
    stored_scores,
    stored_view,
)
from tierline.evaluation.replay.again import Decider
from tierline.evaluation.replay.logged import Stored
from tierline.evaluation.sweep.choose import Chooser, thresholds_of
from tierline.evaluation.sweep.questions import CHEAPEST, COLUMNS, DIFFICULTY, FIXED, QUALITY, Questions, questions
from tierline.routing.question import Question, ask
from tierline.routing.router import Router
from tierline.types.errors import BadRequest
from tierline.types.features import Features
from tierline.types.scores import NO_SCORES, Scores
from tierline.types.view import NO_VIEW

REMEMBERED = 50_000
"""Classes, and kinds of scores and of worlds, that are remembered before all are forgotten."""

OTHER_PRICES = 20.0
"""How many times the dearest call a budget must cover where another spec, with prices of its own, had decided."""

_PLENTY = 1e300
_One = TypeVar("_One")
_SHARED = tuple(name for name in COLUMNS if name not in ("given", "cost", "difficulty"))
_WAYS = frozenset({FIXED, CHEAPEST, DIFFICULTY, QUALITY})
_HINTED = ("task", "tier", "model", "max_cost", "latency_budget", "risk", "user_tier", "tags", "sensitivity")
_STEADY = (
    "turns",
    "questions",
    "code",
    "prompt_fingerprint",
    "sensitivity",
    "stream",
    "tool_loop",
    "tool_failures",
    "sealed",
    "operations",
)


class _World(msgspec.Struct, frozen=True):
    """What a row saw of the world. `plain`: no part of it but token scales moves a first choice; `scale`: one for each model of the fleet,
    `largest` the greatest of all, at least 1. `usd` and `tokens` are the least that is left of the spec's budgets of either kind."""

    plain: bool
    scale: NDArray[np.float64]
    largest: float
    usd: float = math.inf
    tokens: float = math.inf


class _Said(msgspec.Struct, frozen=True):
    """What a scorer said: `number` is the same for all that say the same but for single models, `beliefs` what it knew of those."""

    number: int
    beliefs: Any = None


class _Class(msgspec.Struct, frozen=True):
    """Rows that differ in size and difficulty alone, and their `number`, which is never given again.

    `columns` is the one row of columns that they share, None where the first choice may depend on more. `put` stands where rules read
    sizes, difficulty or the session: the question that such rows put, of which the rules must be asked row by row; `tasks_too`: even the
    task depends on them. `cuts`: the numbers that the rules compare sizes and difficulty with, where they do no more: rows between the same
    two are of one class again."""

    number: int
    columns: Questions | None = None
    put: Question | None = None
    tasks_too: bool = False
    cuts: tuple[tuple[str, tuple[float, ...]], ...] | None = None


class Screened(msgspec.Struct, frozen=True):
    """Those rows of a page that were screened, in their order: `places` in the page, the fleet's index of who is asked first (-1: nobody),
    the expected USD of that call, whether it is believed to clear the bar, and the number of the row's class. Rows of one class that
    agree in who is asked and whether it clears the bar were chosen for the same reason, and dropped the same models."""

    places: NDArray[np.int64]
    chosen: NDArray[np.int16]
    costs: NDArray[np.float64]
    clears: NDArray[np.bool_]
    classes: Sequence[int]


_NOBODY = Screened(np.zeros(0, np.int64), np.zeros(0, np.int16), np.zeros(0), np.zeros(0, bool), ())


class _Held:
    """The rows of a page that fit the screen: their places, classes, worlds and sizes, and what some of them know of single models."""

    def __init__(self) -> None:
        self.places: list[int] = []
        self.classes: list[_Class] = []
        self.worlds: list[_World] = []
        self.difficulty: list[float] = []
        self.tokens_in: list[int] = []
        self.tokens_out: list[int] = []
        self.beliefs: dict[int, Any] = {}


class Screen:
    """Screens pages of rows under one spec."""

    def __init__(self, router: Router, decider: Decider) -> None:
        fleet = router.policy.fleet
        self._router, self._decider = router, decider
        read = _names_read(router.loaded)
        self._signals = "signals" in read
        self._of_hints = operator.attrgetter(*_HINTED)
        steady = (name for name in _STEADY if name in read)
        self._of_features = operator.attrgetter("needs", "sealed", "tool_loop", "key_models", "key_task", "redacted", *steady)
        self._of_row = operator.attrgetter("route", "key", "policy", *(name for name in ("operation", "team", "language") if name in read))
        self._numbers = itertools.count()
        self._classes: dict[tuple[Any, ...], _Class] = {}
        self._worlds: dict[bytes | None, _World] = {}
        self._said: dict[bytes | None, _Said] = {}
        self._sayings: dict[tuple[Any, ...] | None, int] = {}
        self._at = thresholds_of(router)
        self._smallest = fleet.smallest_window or float("inf")
        self._dearest = max(fleet.price_in, default=0.0), max(fleet.price_out, default=0.0)
        self._price_in, self._price_out = (np.array(prices)[:, None] for prices in (fleet.price_in, fleet.price_out))

    def choose(self, page: Sequence[Stored]) -> Screened:
        """What is certain of a page's rows without deciding them one by one."""
        if max(len(self._classes), len(self._worlds), len(self._said)) >= REMEMBERED:
            self._classes, self._worlds, self._said, self._sayings = {}, {}, {}, {}
        held = self._hold(page)
        if not held.places:
            return _NOBODY
        made = self._columns(held)
        chooser = Chooser(made)
        chosen = chooser.choose(self._at)
        costs = np.where(chosen < 0, 0.0, made.cost[chosen, np.arange(len(chosen))])
        return Screened(np.array(held.places), chosen, costs, chooser.clears(self._at, chosen), [one.number for one in held.classes])

    def _hold(self, page: Sequence[Stored]) -> _Held:
        """The rows that fit the screen. A row's class is told by what it shares with others: one look-up for each row, once its kind is
        known."""
        held = _Held()
        classes, worlds, sayings, smallest, by_signals = self._classes, self._worlds, self._said, self._smallest, self._signals
        of_row, of_features, of_hints = self._of_row, self._of_features, self._of_hints
        for place, row in enumerate(page):
            if row.answered:
                continue
            world = worlds.get(row.view) or self._world(row.view)
            features = stored_features(row.features)
            if not world.plain or (features.input_tokens + features.output_tokens) * world.largest > smallest:
                continue
            said = sayings.get(row.scores) or self._saying(row.scores)
            if world.usd + world.tokens < math.inf and not self._affords(world, features, said, row.policy):
                continue
            hints, difficulty, complexity = features.hints, row.difficulty, row.complexity
            key = (
                of_row(row),
                of_features(features),
                row.operation == "embedding",
                difficulty == complexity,
                None if hints == NOTHING_STORED else of_hints(stored_hints(hints)),
                bytes(features.signals) if by_signals else b"",
                bytes(features.matches),
                said.number,
            )
            found = classes.get(key) or self._judge(key, row)
            if found.put is not None:
                found = self._by_rules(found, key, row, features)
            if found.columns is None:
                continue
            if said.beliefs is not None:
                held.beliefs[len(held.places)] = said.beliefs
            held.places.append(place)
            held.classes.append(found)
            held.worlds.append(world)
            held.difficulty.append(complexity if difficulty is None else difficulty)
            held.tokens_in.append(features.input_tokens)
            held.tokens_out.append(features.output_tokens)
        return held

    def _world(self, blob: bytes | None) -> _World:
        view = stored_view(blob)
        moving = view.resting or view.pressure or view.warm or view.pins or view.load or view.latency or view.limited or view.assigned
        plain = not moving
        scale = np.array([view.token_scale.get(name, 1.0) for name in self._router.policy.fleet.names])
        world = _World(plain, scale, max(1.0, *view.token_scale.values()) if view.token_scale else 1.0)
        if view.budgets:
            named = {budget.name: budget for budget in self._router.policy.budgets}
            of_kind = {counts: [view.budgets[n] for n, one in named.items() if n in view.budgets and one.counts_tokens == counts]
                       for counts in (False, True)}  # fmt: skip
            world = msgspec.structs.replace(
                world,
                plain=plain and view.budgets.keys() <= named.keys() and not any(view.pace.values()),
                usd=min(of_kind[False], default=_PLENTY),
                tokens=min(of_kind[True], default=_PLENTY),
            )
        self._worlds[blob] = world
        return world

    def _affords(self, world: _World, features: Any, said: _Said, policy: str) -> bool:
        """Whether every budget that the row saw could pay for the dearest call of the fleet; at prices of another spec many times over."""
        if said.beliefs is not None and said.beliefs.cost:
            return False
        times = HEADROOM if policy == self._router.policy.fingerprint else OTHER_PRICES
        tokens_in, tokens_out = features.input_tokens, features.output_tokens
        dearest = (tokens_in * self._dearest[0] + tokens_out * self._dearest[1]) * world.largest
        return bool(times * dearest <= world.usd and times * (tokens_in + tokens_out) <= world.tokens)

    def _saying(self, blob: bytes | None) -> _Said:
        scores = stored_scores(blob)
        key = None if scores is None else (tuple(scores.task.items()), scores.abstained, scores.by, scores.asked)
        number = self._sayings.setdefault(key, len(self._sayings))
        said = self._said[blob] = _Said(number, scores if scores is not None and (scores.good or scores.cost) else None)
        return said

    def _columns(self, held: _Held) -> Questions:
        """The columns of many rows from those of their classes and worlds, and what each row has of its own."""
        classes, index = _distinct(held.classes)
        worlds, seen = _distinct(held.worlds)
        scale = np.stack([world.scale for world in worlds], axis=1)[:, seen]
        cost = np.array(held.tokens_in) * scale * self._price_in + np.array(held.tokens_out) * self._price_out
        alike = [one.columns for one in classes if one.columns is not None]
        joined = {name: np.concatenate([getattr(one, name) for one in alike], axis=-1)[..., index] for name in (*_SHARED, "given")}
        self._lay(joined["given"], {place: scores.good for place, scores in held.beliefs.items()})
        self._lay(cost, {place: scores.cost for place, scores in held.beliefs.items()})
        return msgspec.structs.replace(alike[0], **joined, cost=cost, difficulty=np.array(held.difficulty))

    def _lay(self, column: NDArray[np.float64], known: Mapping[int, Mapping[str, float]]) -> None:
        """Put what single rows know of single models in its place."""
        index = self._router.policy.fleet.index
        for place, values in known.items():
            for name, value in values.items():
                if name in index:
                    column[index[name], place] = value

    def _judge(self, key: tuple[Any, ...], row: Stored) -> _Class:
        """The class of a row that nobody has seen yet; its rules are asked, where they read more than rows of a class share."""
        found = self._classes[key] = self._judged(row)
        return found

    def _judged(self, row: Stored) -> _Class:
        put, number = self._put(row), next(self._numbers)
        if put is None or not _plain(put):
            return _Class(number)
        features, task, risk = put.features, put.task.name, put.risk
        tasks_too = not put.route.task_rules.settled(features, "", features.hints.risk)
        governance, model_rules = self._router.policy.governance.rules, put.route.model_rules
        if tasks_too:
            return _Class(number, None, put, tasks_too)
        if model_rules.settled(features, task, risk) and governance.settled(features, task, risk):
            return _Class(number, self._columns_of(put))
        cuts = _joined(model_rules.cuts(features, task, risk), governance.cuts(features, task, risk))
        return _Class(number, None, put, cuts=cuts)

    def _by_rules(self, like: _Class, key: tuple[Any, ...], row: Stored, features: Any) -> _Class:
        """The class of a row together with which rules hold for it."""
        if like.cuts is None:
            return self._asked(like, key, row)
        values = {"input_tokens": features.input_tokens, "output_tokens": features.output_tokens, "complexity": row.complexity}
        between = (like.number, *[(bisect_left(cuts, values[name]), bisect_right(cuts, values[name])) for name, cuts in like.cuts])
        found = self._classes.get(between)
        if found is None:
            found = self._classes[between] = self._asked(like, key, row)
        return found

    def _asked(self, like: _Class, key: tuple[Any, ...], row: Stored) -> _Class:
        """The same, by asking every rule."""
        assert like.put is not None
        put = self._put(row) if like.tasks_too else msgspec.structs.replace(like.put, features=asked_features(row._asdict()))
        if put is None or not _plain(put):
            return _Class(-1)
        task = put.task.name
        ruled = put.route.model_rules.first(put.features, task, put.risk)
        key = (key, task, ruled, tuple(self._router.policy.governance.rules.holding(put.features, task, put.risk)))
        known = self._classes.get(key)
        if known is None:
            known = self._classes[key] = _Class(next(self._numbers), self._columns_of(put))
        return known

    def _put(self, row: Stored) -> Question | None:
        """The question that a row puts in a world where nothing is known; None where its scores are not as logged."""
        features, logged, _ = asked(row._asdict())
        scores = self._scores(row, features, logged)
        if scores is None:
            return None
        policy = self._router.policy
        route = policy.routes.get(features.route) or policy.routes["auto"]
        return ask(policy, route, features, scores, NO_VIEW, self._router.settle(features), [])

    def _columns_of(self, put: Question) -> Questions | None:
        one = questions(self._router, [(put.features, put.scores, NO_VIEW)])
        return one if int(one.way[0]) in _WAYS and int(one.apart[0]) < 0 and one.stands.any() else None

    def _scores(self, row: Stored, features: Features, logged: Scores) -> Scores | None:
        """The scores of the class, less the beliefs about single models that each row has of its own; None where they are not as logged."""
        if row.policy == self._router.policy.fingerprint:
            scores = logged
        else:
            try:
                if self._router.settle(features) is not None:
                    scores = NO_SCORES
                else:
                    scores, stale, unscored = self._decider.rescored(features, logged)
                    if stale or unscored:
                        return None
            except BadRequest:
                return None
        if (
            (scores.by, scores.asked) != (logged.by, logged.asked)
            or (scores is NO_SCORES) != (row.scores is None)
            or scores.difficulty != logged.difficulty
        ):
            return None
        return msgspec.structs.replace(scores, good={}, cost={})


def _joined(*found: Mapping[str, frozenset[float]] | None) -> tuple[tuple[str, tuple[float, ...]], ...] | None:
    """The cuts of several lists of rules, in order; None where one of them has to be asked."""
    joined: dict[str, frozenset[float]] = {}
    for cuts in found:
        if cuts is None:
            return None
        for name, numbers in cuts.items():
            joined[name] = joined.get(name, frozenset()) | numbers
    return tuple((name, tuple(sorted(numbers))) for name, numbers in sorted(joined.items()))


def _distinct(many: Sequence[_One]) -> tuple[list[_One], NDArray[np.int64]]:
    """The different objects among many, and for each of the many its place among those."""
    places: dict[int, int] = {}
    index = np.array([places.setdefault(id(one), len(places)) for one in many])
    return list({id(one): one for one in many}.values()), index


def _plain(put: Question) -> bool:
    """Whether nothing but rules, size and difficulty has a part in the first choice."""
    route = put.route
    timed = route.select == "fastest" or put.task.prefer == "latency" or route.hedge == math.inf
    moved = route.explore or route.combine or route.select == "weighted" or put.checks.names or put.unsure or put.named
    return not moved and not timed and put.max_cost is None and put.latency_budget is None and put.token_cap is None


def _names_read(loaded: Loaded) -> frozenset[str]:
    """The names that any condition of the spec reads."""
    rules = [rule.when for route in loaded.spec.routes.values() for rule in route.rules]
    rules += [rule.when for rule in loaded.spec.governance.rules]
    return frozenset().union(*(Condition.compile(source).names for source in rules))
