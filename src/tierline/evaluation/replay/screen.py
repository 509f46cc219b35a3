"""Rows whose first choice cannot have changed, told in columns: only the others need to be decided one by one.

Most requests differ from others only in size, difficulty and chance. What the router's own parts say of all the rest (task, rules,
governance, capabilities) is found once for each such class and remembered; the selection is then made for a page of rows at once by
`evaluation/sweep`, which equals `Router.decide` by law. Whatever does not fit (a rule that reads sizes, a resting model, a cost cap, a
session, chance) is not screened. Of what is, a sample is decided whole all the same, and must agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from tierline.config.expressions import Condition
from tierline.config.loaded import Loaded
from tierline.decision_log.codec import asked, stored
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
"""Classes that are remembered before all are forgotten."""

_SHARED = tuple(name for name in COLUMNS if name not in ("given", "cost", "difficulty"))
_UNKNOWN: Any = object()
_UNSTEADY: Any = object()
_WAYS = frozenset({FIXED, CHEAPEST, DIFFICULTY, QUALITY})
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


class _Held:
    """The rows of a page that fit the screen: their places, classes and sizes, and what some of them know of single models."""

    def __init__(self) -> None:
        self.places: list[int] = []
        self.classes: list[Questions] = []
        self.difficulty: list[float] = []
        self.tokens_in: list[int] = []
        self.tokens_out: list[int] = []
        self.scales: dict[int, Mapping[str, float]] = {}
        self.beliefs: dict[int, Any] = {}

    def add(self, place: int, row: Stored, found: Questions, features: Any, scores: Any, scale: Mapping[str, float]) -> None:
        """Take one row."""
        if scale:
            self.scales[len(self.places)] = scale
        if scores is not None and (scores.good or scores.cost):
            self.beliefs[len(self.places)] = scores
        self.places.append(place)
        self.classes.append(found)
        self.difficulty.append(row.complexity if scores is None or row.difficulty is None else row.difficulty)
        self.tokens_in.append(features.input_tokens)
        self.tokens_out.append(features.output_tokens)


class Screen:
    """Screens pages of rows under one spec."""

    def __init__(self, router: Router, decider: Decider) -> None:
        fleet = router.policy.fleet
        self._router, self._decider = router, decider
        self._read = _names_read(router.loaded)
        self._steady = tuple(name for name in _STEADY if name in self._read or name in ("sealed", "tool_loop"))
        self._classes: dict[tuple[Any, ...], Questions | None] = {}
        self._at = thresholds_of(router)
        self._price_in, self._price_out = (np.array(prices)[:, None] for prices in (fleet.price_in, fleet.price_out))

    def choose(self, page: Sequence[Stored]) -> tuple[NDArray[np.int64], NDArray[np.int16], NDArray[np.float64]]:
        """Of a page: the places that were screened, the fleet's index of who is asked first for each, and the USD of that call."""
        held = _Held()
        for place, row in enumerate(page):
            if row.answered:
                continue
            features, scores, view = stored(row.features, row.scores, row.view)
            if view is not None and (view.resting or view.pressure or view.warm or view.pins or view.load or view.latency):
                continue
            scale = {} if view is None else view.token_scale
            found = self._class(row, features, scores) if self._fits(features.input_tokens + features.output_tokens, scale) else None
            if found is not None:
                held.add(place, row, found, features, scores, scale)
        if not held.places:
            return np.zeros(0, np.int64), np.zeros(0, np.int16), np.zeros(0)
        made = self._columns(held)
        chosen = Chooser(made).choose(self._at)
        return np.array(held.places), chosen, np.where(chosen < 0, 0.0, made.cost[chosen, np.arange(len(chosen))])

    def _fits(self, tokens: int, scale: Mapping[str, float]) -> bool:
        """Whether it fits every window there is."""
        smallest = self._router.policy.fleet.smallest_window
        return not smallest or tokens * (max(1.0, *scale.values()) if scale else 1.0) <= smallest

    def _columns(self, held: _Held) -> Questions:
        """The columns of many rows from those of their classes, and what each row has of its own."""
        numbers: dict[int, int] = {}
        index = np.array([numbers.setdefault(id(one), len(numbers)) for one in held.classes])
        distinct = list({id(one): one for one in held.classes}.values())
        scale = np.ones((len(self._price_in), len(held.places)))
        self._lay(scale, held.scales)
        cost = np.array(held.tokens_in) * scale * self._price_in + np.array(held.tokens_out) * self._price_out
        given = np.concatenate([one.given for one in distinct], axis=1)[:, index]
        self._lay(given, {place: scores.good for place, scores in held.beliefs.items()})
        self._lay(cost, {place: scores.cost for place, scores in held.beliefs.items()})
        joined = {name: np.concatenate([getattr(one, name) for one in distinct], axis=-1)[..., index] for name in _SHARED}
        return msgspec.structs.replace(distinct[0], **joined, given=given, cost=cost, difficulty=np.array(held.difficulty))

    def _lay(self, column: NDArray[np.float64], known: Mapping[int, Mapping[str, float]]) -> None:
        """Put what single rows know of single models in its place."""
        index = self._router.policy.fleet.index
        for place, values in known.items():
            for name, value in values.items():
                if name in index:
                    column[index[name], place] = value

    def _class(self, row: Stored, features: Any, scores: Any) -> Questions | None:
        """The one row of columns that its class shares; None where the first choice may depend on more than size and difficulty."""
        hints = features.hints
        key = (
            row.route, row.key, row.policy, features.needs, hints.task, hints.tier, hints.model, hints.max_cost,
            hints.latency_budget, hints.risk, hints.user_tier, hints.tags, hints.sensitivity,
            *[getattr(features, name) for name in self._steady],
            row.operation if "operation" in self._read else row.operation == "embedding",
            row.team if "team" in self._read else "",
            row.language if "language" in self._read else "",
            tuple(features.signals.items()) if "signals" in self._read else (),
            tuple(features.matches.items()),
            None if scores is None else (tuple(scores.task.items()), scores.abstained, scores.by),
        )  # fmt: skip
        found = self._classes.get(key, _UNKNOWN)
        if found is _UNKNOWN:
            found = self._remember(key, self._judge(row))
        return self._by_rules(key, row) if found is _UNSTEADY else found

    def _remember(self, key: tuple[Any, ...], found: Questions | None) -> Questions | None:
        if len(self._classes) >= REMEMBERED:
            self._classes.clear()
        self._classes[key] = found
        return found

    def _judge(self, row: Stored) -> Questions | None:
        """The class of a row that nobody has seen yet; `_UNSTEADY` where rules read its size, its difficulty or its session."""
        put = self._put(row)
        if put is None or not _plain(put):
            return None
        features, task, risk = put.features, put.task.name, put.risk
        steady = (
            put.route.task_rules.settled(features, "", features.hints.risk)
            and put.route.model_rules.settled(features, task, risk)
            and self._router.policy.governance.rules.settled(features, task, risk)
        )
        return self._columns_of(put) if steady else _UNSTEADY

    def _by_rules(self, key: tuple[Any, ...], row: Stored) -> Questions | None:
        """The class of a row together with which rules hold for it."""
        put = self._put(row)
        if put is None or not _plain(put):
            return None
        features, task, risk = put.features, put.task.name, put.risk
        ruled = put.route.model_rules.first(features, task, risk)
        key = (key, task, ruled, tuple(self._router.policy.governance.rules.holding(features, task, risk)))
        found = self._classes.get(key, _UNKNOWN)
        return self._remember(key, self._columns_of(put)) if found is _UNKNOWN else found

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
        if scores.by != logged.by or (scores is NO_SCORES) != (row.scores is None) or scores.difficulty != logged.difficulty:
            return None
        return msgspec.structs.replace(scores, good={}, cost={})


def _plain(put: Question) -> bool:
    """Whether nothing but rules, size and difficulty has a part in the first choice."""
    route = put.route
    moved = route.explore or route.combine or route.select == "weighted" or put.checks.names or put.unsure or put.named
    return not moved and put.max_cost is None and put.latency_budget is None


def _names_read(loaded: Loaded) -> frozenset[str]:
    """The names that any condition of the spec reads."""
    rules = [rule.when for route in loaded.spec.routes.values() for rule in route.rules]
    rules += [rule.when for rule in loaded.spec.governance.rules]
    return frozenset().union(*(Condition.compile(source).names for source in rules))
