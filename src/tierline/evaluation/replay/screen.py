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
from collections.abc import Callable, Mapping, Sequence
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
from tierline.evaluation.replay.logged import Page, Stored
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

_ON_SHELF = 2_000
"""Classes whose columns stay joined from page to page; past that, those of the page alone."""

OTHER_PRICES = 20.0
"""How many times the dearest call a budget must cover where another spec, with prices of its own, had decided."""

_PLENTY = 1e300
_One = TypeVar("_One")
_SHARED = tuple(name for name in COLUMNS if name not in ("cost", "difficulty"))
_WAYS = frozenset({FIXED, CHEAPEST, DIFFICULTY, QUALITY})
_SIZES = ("input_tokens", "output_tokens", "complexity")
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
    task depends on them. `cuts`: the numbers that the rules compare sizes and difficulty with, by their place in `_SIZES`, where they do
    no more: rows between the same two are of one class again."""

    number: int
    columns: Questions | None = None
    put: Question | None = None
    tasks_too: bool = False
    cuts: tuple[tuple[int, tuple[float, ...]], ...] | None = None


class Screened(msgspec.Struct, frozen=True):
    """Those rows of a page that were screened, in their order: `places` in the page, the fleet's index of who is asked first (-1: nobody),
    the expected USD of that call, whether it is believed to clear the bar, and the row's class. Rows of one class that
    agree in who is asked and whether it clears the bar were chosen for the same reason, and dropped the same models."""

    places: NDArray[np.int64]
    chosen: NDArray[np.int16]
    costs: NDArray[np.float64]
    clears: NDArray[np.bool_]
    classes: Sequence[_Class]


_NOBODY = Screened(np.zeros(0, np.int64), np.zeros(0, np.int16), np.zeros(0), np.zeros(0, bool), ())


class _Sizes(msgspec.Struct, frozen=True):
    """What the screen reads of every row of a page: stored features, worlds and sayings as the different ones and which of them each row
    has, and tokens."""

    features: list[Any]
    worlds: list[_World]
    world: NDArray[np.int64]
    sayings: list[_Said]
    said: NDArray[np.int64]
    tokens_in: NDArray[np.int64]
    tokens_out: NDArray[np.int64]


class _Shelf:
    """The columns of the classes that were met, joined, and the place of each class in them."""

    def __init__(self) -> None:
        self._places: dict[int, int] = {}
        self._columns: list[Questions] = []
        self._joined: Questions | None = None

    def of(self, classes: Sequence[_Class]) -> tuple[Questions, NDArray[np.int64]]:
        """Joined columns in which these classes are (all have columns, and there is one at least), and where."""
        numbers = [one.number for one in classes]
        if self._joined is None or not self._places.keys() >= set(numbers):
            if len(self._places) >= _ON_SHELF:
                self._places, self._columns = {}, []
            for one in classes:
                if one.number not in self._places and one.columns is not None:
                    self._places[one.number] = len(self._columns)
                    self._columns.append(one.columns)
            joined = {name: np.concatenate([getattr(one, name) for one in self._columns], axis=-1) for name in _SHARED}
            self._joined = msgspec.structs.replace(self._columns[0], **joined)
        return self._joined, np.array(list(map(self._places.__getitem__, numbers)), dtype=np.int64)


class Screen:
    """Screens pages of rows under one spec."""

    def __init__(self, router: Router, decider: Decider) -> None:
        fleet = router.policy.fleet
        self._router, self._decider = router, decider
        read = _names_read(router.loaded)
        self._signals = "signals" in read
        self._of_hints = operator.attrgetter(*_HINTED)
        steady = [name for name in _STEADY if name in read]
        self._of_features = operator.attrgetter("needs", "sealed", "tool_loop", "key_models", "key_task", "redacted", *steady)
        self._of_row = ("route", "key", "policy", *[name for name in ("operation", "team", "language") if name in read])
        self._numbers = itertools.count()
        self._shelf = _Shelf()
        self._classes: dict[tuple[Any, ...], _Class] = {}
        self._worlds: dict[bytes | None, _World] = {}
        self._said: dict[bytes | None, _Said] = {}
        self._sayings: dict[tuple[Any, ...] | None, int] = {}
        self._at = thresholds_of(router)
        self._smallest = fleet.smallest_window or float("inf")
        self._dearest = max(fleet.price_in, default=0.0), max(fleet.price_out, default=0.0)
        self._price_in, self._price_out = (np.array(prices)[:, None] for prices in (fleet.price_in, fleet.price_out))

    def choose(self, page: Page) -> Screened:
        """What is certain of a page's rows without deciding them one by one."""
        if max(len(self._classes), len(self._worlds), len(self._said)) >= REMEMBERED:
            self._classes, self._worlds, self._said, self._sayings = {}, {}, {}, {}
        sizes = self._sizes(page)
        places = np.flatnonzero(self._fits(page, sizes))
        classes = self._classes_of(page, sizes, places)
        kept = np.array([one.columns is not None for one in classes], dtype=bool)
        if not kept.any():
            return _NOBODY
        if not kept.all():
            places, classes = places[kept], list(itertools.compress(classes, kept.tolist()))
        made = self._columns(page, sizes, places, classes)
        chooser = Chooser(made)
        chosen = chooser.choose(self._at)
        costs = np.where(chosen < 0, 0.0, made.cost[chosen, np.arange(len(chosen))])
        return Screened(places, chosen, costs, chooser.clears(self._at, chosen), classes)

    def _sizes(self, page: Page) -> _Sizes:
        features = [stored_features(blob) for blob in page.column("features")]
        return _Sizes(
            features,
            *_distinct(_known(self._worlds, page.column("view"), self._world)),
            *_distinct(_known(self._said, page.column("scores"), self._saying)),
            np.array([one.input_tokens for one in features], dtype=np.int64),
            np.array([one.output_tokens for one in features], dtype=np.int64),
        )

    def _fits(self, page: Page, sizes: _Sizes) -> NDArray[np.bool_]:
        """Which rows a model was asked for, in a world that moves no first choice, with room in every window and every budget."""
        worlds = sizes.worlds
        plain, largest = np.array([one.plain for one in worlds]), np.array([one.largest for one in worlds])
        fits: NDArray[np.bool_] = plain[sizes.world] & ((sizes.tokens_in + sizes.tokens_out) * largest[sizes.world] <= self._smallest)
        answered = page.column("answered")
        if any(answered):
            fits &= np.array([not tool for tool in answered])
        if any(one.usd + one.tokens < math.inf for one in worlds):
            fits &= self._affords(page, sizes, largest[sizes.world])
        return fits

    def _affords(self, page: Page, sizes: _Sizes, largest: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether every budget that the row saw could pay for the dearest call of the fleet; at prices of another spec many times over."""
        usd, tokens = np.array([[one.usd, one.tokens] for one in sizes.worlds]).T[:, sizes.world]
        priced = np.array([bool(one.beliefs is not None and one.beliefs.cost) for one in sizes.sayings])[sizes.said]
        own = self._router.policy.fingerprint
        times = np.array([HEADROOM if policy == own else OTHER_PRICES for policy in page.column("policy")])
        dearest = (sizes.tokens_in * self._dearest[0] + sizes.tokens_out * self._dearest[1]) * largest
        afforded = ~priced & (times * dearest <= usd) & (times * (sizes.tokens_in + sizes.tokens_out) <= tokens)
        granted: NDArray[np.bool_] = afforded | np.isinf(usd + tokens)
        return granted

    def _classes_of(self, page: Page, sizes: _Sizes, places: NDArray[np.int64]) -> list[_Class]:
        """The class of each row in its place, told by what rows of a class share: one look-up for each row, once its kind is known."""
        features, numbers = sizes.features, np.array([one.number for one in sizes.sayings])[sizes.said].tolist()
        if len(places) < len(page):
            page, chosen = page.part(places.tolist()), places.tolist()
            features, numbers = [features[place] for place in chosen], [numbers[place] for place in chosen]
        keys = list(
            zip(
                page.columns(*self._of_row),
                map("embedding".__eq__, page.column("operation")),
                map(operator.eq, page.column("difficulty"), page.column("complexity")),
                map(self._of_features, features),
                [None if one.hints == NOTHING_STORED else self._of_hints(stored_hints(one.hints)) for one in features],
                [bytes(one.signals) for one in features] if self._signals else itertools.repeat(b""),
                [bytes(one.matches) for one in features],
                numbers,
                strict=False,
            )
        )
        found = list(map(self._classes.get, keys))
        return [
            one if one is not None and one.put is None else self._class_of(one, keys[place], page, place, features[place])
            for place, one in enumerate(found)
        ]

    def _class_of(self, found: _Class | None, key: tuple[Any, ...], page: Page, place: int, features: Any) -> _Class:
        """The class of a row that may be the first of it, or of which rules must be asked."""
        found = found or self._classes.get(key) or self._judge(key, page.row(place))
        return found if found.put is None else self._by_rules(found, key, page, place, features)

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

    def _saying(self, blob: bytes | None) -> _Said:
        scores = stored_scores(blob)
        key = None if scores is None else (tuple(scores.task.items()), scores.abstained, scores.by, scores.asked)
        number = self._sayings.setdefault(key, len(self._sayings))
        said = self._said[blob] = _Said(number, scores if scores is not None and (scores.good or scores.cost) else None)
        return said

    def _columns(self, page: Page, sizes: _Sizes, places: NDArray[np.int64], classes: Sequence[_Class]) -> Questions:
        """The columns of many rows from those of their classes and worlds, and what each row has of its own."""
        joined, index = self._shelf.of(classes)
        shared = {name: getattr(joined, name)[..., index] for name in _SHARED}
        scale = np.stack([world.scale for world in sizes.worlds], axis=1)[:, sizes.world[places]]
        cost = sizes.tokens_in[places] * scale * self._price_in + sizes.tokens_out[places] * self._price_out
        if any(one.beliefs is not None for one in sizes.sayings):
            own = {row: sizes.sayings[said].beliefs for row, said in enumerate(sizes.said[places].tolist())}
            known = {row: scores for row, scores in own.items() if scores is not None}
            self._lay(shared["given"], {row: scores.good for row, scores in known.items()})
            self._lay(cost, {row: scores.cost for row, scores in known.items()})
        measured, complexity = (np.array(page.column(name), dtype=np.float64)[places] for name in ("difficulty", "complexity"))
        difficulty = np.where(np.isnan(measured), complexity, measured)
        return msgspec.structs.replace(joined, **shared, cost=cost, difficulty=difficulty)

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

    def _by_rules(self, like: _Class, key: tuple[Any, ...], page: Page, place: int, features: Any) -> _Class:
        """The class of a row together with which rules hold for it."""
        if like.cuts is None:
            return self._asked(like, key, page.row(place))
        values = (features.input_tokens, features.output_tokens, page.value(place, "complexity"))
        between = (like.number, *[bisect_left(cuts, values[size]) + bisect_right(cuts, values[size]) for size, cuts in like.cuts])
        found = self._classes.get(between)
        if found is None:
            found = self._classes[between] = self._asked(like, key, page.row(place))
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


def _joined(*found: Mapping[str, frozenset[float]] | None) -> tuple[tuple[int, tuple[float, ...]], ...] | None:
    """The cuts of several lists of rules, in order; None where one of them has to be asked."""
    joined: dict[str, frozenset[float]] = {}
    for cuts in found:
        if cuts is None:
            return None
        for name, numbers in cuts.items():
            joined[name] = joined.get(name, frozenset()) | numbers
    if not joined.keys() <= set(_SIZES):
        return None
    return tuple((_SIZES.index(name), tuple(sorted(numbers))) for name, numbers in joined.items())


def _known(known: Mapping[bytes | None, _One], blobs: Sequence[bytes | None], learn: Callable[[bytes | None], _One]) -> list[_One]:
    """What stands for each blob; `learn` remembers a new one."""
    found = list(map(known.get, blobs))
    return [known.get(blob) or learn(blob) if one is None else one for one, blob in zip(found, blobs, strict=True)]


def _distinct(many: Sequence[_One]) -> tuple[list[_One], NDArray[np.int64]]:
    """The different objects among many, and for each of the many its place among those."""
    numbers = list(map(id, many))
    different = dict(zip(numbers, many, strict=True))
    place = {number: place for place, number in enumerate(different)}
    return list(different.values()), np.array(list(map(place.__getitem__, numbers)), dtype=np.int64)


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
