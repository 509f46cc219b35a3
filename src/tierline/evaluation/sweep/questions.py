"""Requests as columns: all that a selection reads of them, settled by the router's own parts up to where thresholds begin to matter.

What cannot be put in columns, a choice that sessions, load or pace may move, is set apart: the router decides it, setting by setting."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from tierline.routing.belief import Candidate, candidates, following
from tierline.routing.draws import EXPLORE, draw_for
from tierline.routing.experiments import experiment_of
from tierline.routing.question import Question, ask
from tierline.routing.router import Router
from tierline.routing.scope import Scope, scope_of, standing_in, widened
from tierline.routing.selection import Field, least_bad, select
from tierline.routing.session import held
from tierline.types.features import Features
from tierline.types.scores import Scores
from tierline.types.view import View

Asked = tuple[Features, Scores, View]

FIXED, CHEAPEST, DIFFICULTY, QUALITY, FASTEST, WITHIN = range(6)
"""The ways to select, as numbers; FIXED is any whose choice no threshold can move."""

_BY_ROUTE = {"by_difficulty": DIFFICULTY, "fastest": FASTEST, "cheapest_above_bar": CHEAPEST}
_PREFERRED = {"quality": QUALITY, "latency": FASTEST}
COLUMNS = (
    "stands", "given", "cost", "seconds", "follow", "fixed", "way", "difficulty", "failure_cost", "most", "route", "task", "unsure",
    "explored", "apart",
)  # fmt: skip


class Questions(msgspec.Struct, frozen=True):
    """n requests before m models in the fleet's order.

    Shaped (m, n): `stands`, who may be chosen; `given`, a pass rate that no threshold moves, NaN where the prior speaks; `cost`, USD of a
    call; `seconds`, the median latency, 0 where unknown. Shaped (m, d, n): `follow`, who is called after a model whose answer fails its
    checks, in order, -1 for nobody. Shaped (n,): `fixed`, the model that is chosen whatever the thresholds say, else -1; `way`;
    `difficulty`; `failure_cost` and `most`, the cost cap, in USD; `route` and `task` as indices into `routes` and `tasks`; `unsure`: one
    rung up; `explored`: the cheapest of the next rung; `apart`: the place in `alone` of what only the router can decide, else -1."""

    router: Router
    routes: tuple[str, ...]
    tasks: tuple[str, ...]
    level: tuple[int, ...]
    alone: Sequence[Asked]
    stands: NDArray[np.bool_]
    given: NDArray[np.float64]
    cost: NDArray[np.float64]
    seconds: NDArray[np.float64]
    follow: NDArray[np.int8]
    fixed: NDArray[np.int16]
    way: NDArray[np.int8]
    difficulty: NDArray[np.float64]
    failure_cost: NDArray[np.float64]
    most: NDArray[np.float64]
    route: NDArray[np.int32]
    task: NDArray[np.int32]
    unsure: NDArray[np.bool_]
    explored: NDArray[np.bool_]
    apart: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.fixed)

    def part(self, rows: slice | NDArray[np.int64] | NDArray[np.bool_]) -> Questions:
        """Some of them."""
        changes = {name: getattr(self, name)[..., rows] for name in COLUMNS}
        return msgspec.structs.replace(self, **changes)


def questions(router: Router, asked: Iterable[Asked]) -> Questions:
    """The columns of these requests under the router's spec. Raises BadRequest as `settle` does."""
    alone = list[Asked]()
    rows = [_row(router, one, alone) for one in asked]
    policy = router.policy
    routes, tasks = tuple(policy.routes), ("", *policy.tasks)
    width = len(policy.fleet.models)
    block = np.array([row.models for row in rows], dtype=np.float64).reshape(len(rows), 4, width)
    place = {name: number for number, name in enumerate(routes)}
    of_task = {name: number for number, name in enumerate(tasks)}
    return Questions(
        router=router,
        routes=routes,
        tasks=tasks,
        level=policy.fleet.level,
        alone=alone,
        stands=np.ascontiguousarray(block[:, 0].T) > 0,
        given=np.ascontiguousarray(block[:, 1].T),
        cost=np.ascontiguousarray(block[:, 2].T),
        seconds=np.ascontiguousarray(block[:, 3].T),
        follow=_follow(rows, width),
        fixed=np.array([row.fixed for row in rows], dtype=np.int16),
        way=np.array([row.way for row in rows], dtype=np.int8),
        difficulty=np.array([row.difficulty for row in rows], dtype=np.float64),
        failure_cost=np.array([row.failure_cost for row in rows], dtype=np.float64),
        most=np.array([row.most for row in rows], dtype=np.float64),
        route=np.array([place[row.route] for row in rows], dtype=np.int32),
        task=np.array([of_task[row.task] for row in rows], dtype=np.int32),
        unsure=np.array([row.unsure for row in rows], dtype=bool),
        explored=np.array([row.explored for row in rows], dtype=bool),
        apart=np.array([row.apart for row in rows], dtype=np.int32),
    )


class _Row(msgspec.Struct, frozen=True):
    """One request: `models` holds, a list each, who stands, the given pass rates, the costs and the seconds; `chains` who follows whom."""

    route: str
    task: str
    fixed: int
    way: int
    difficulty: float
    failure_cost: float
    most: float
    unsure: bool
    explored: bool
    apart: int
    models: tuple[list[float], list[float], list[float], list[float]]
    chains: dict[int, list[int]]


def _follow(rows: Sequence[_Row], width: int) -> NDArray[np.int8]:
    deepest = max((len(chain) for row in rows for chain in row.chains.values()), default=0)
    follow = np.full((width, deepest, len(rows)), -1, dtype=np.int8)
    for number, row in enumerate(rows):
        for index, chain in row.chains.items():
            follow[index, : len(chain), number] = chain
    return follow


def _row(router: Router, asked: Asked, alone: list[Asked]) -> _Row:
    policy, (features, scores, view) = router.policy, asked
    route = policy.routes.get(features.route) or policy.routes["auto"]
    question = ask(policy, route, features, scores, view, router.settle(features), [])
    scope = held(policy, question, scope_of(policy, question, []))
    standing = standing_in(policy, question, scope.wider)
    if not standing.mask & scope.first:
        scope, standing = widened(policy, question, scope, standing, [])
    pool = candidates(policy.fleet, route, question.task, standing.mask, features, scores, view, question.difficulty)
    first = [candidate for candidate in pool if scope.first >> candidate.index & 1]
    chains = following(policy.fleet, pool, scope.order) if question.checks.names else []
    free = not (scope.ruled or scope.pinned or scope.held or question.named)
    fixed = _settled(router, asked, question, scope, first, standing.lifted)
    way, moves, paced = FIXED, free and fixed < 0, fixed < 0 and any(view.pace.values())
    if fixed < 0:
        fixed, way = _selected(_field(router, question, scope, first)) if first else (-1, FIXED)
    compared = not question.named and experiment_of(policy, question.task.name, route.name) is not None
    apart = compared or paced or (moves and bool(view.pressure or (view.warm and route.sticky)))
    if apart:
        alone.append(asked)
    share = route.explore if moves and route.select != "weighted" else 0.0
    return _Row(
        route.name,
        question.task.name,
        fixed,
        way,
        question.difficulty,
        question.task.failure_cost,
        float("inf") if question.max_cost is None else question.max_cost,
        question.unsure and moves,
        bool(share) and draw_for(features.draw, EXPLORE) < share,
        len(alone) - 1 if apart else -1,
        _models(router, question, pool, scope.first),
        {c.index: [one.index for one in chain] for c, chain in zip(pool, chains, strict=True)} if chains else {},
    )


def _models(
    router: Router, question: Question, pool: list[Candidate], first: int
) -> tuple[list[float], list[float], list[float], list[float]]:
    names, known = router.policy.fleet.names, question.view.latency
    stands, given = [0.0] * len(names), [0.0] * len(names)
    cost, seconds = [0.0] * len(names), [0.0] * len(names)
    for candidate in pool:
        i = candidate.index
        stands[i], cost[i] = float(first >> i & 1), candidate.cost
        given[i] = float("nan") if candidate.source == "prior" else candidate.quality
        latency = known.get(names[i])
        seconds[i] = latency.p50 if latency else 0.0
    return stands, given, cost, seconds


def _settled(router: Router, asked: Asked, question: Question, scope: Scope, first: list[Candidate], lifted: bool) -> int:
    """The model that is asked first whatever the thresholds, unsureness or chance say; -1 where these have a part."""
    if not first:
        return -1
    if scope.pinned or scope.held:
        return first[0].index
    if scope.ruled and scope.order:
        listed = [c for c in first if c.index in scope.order]
        if listed:
            return min(listed, key=lambda c: scope.order.index(c.index)).index
    if question.route.combine is not None and not (scope.ruled or question.named):
        decision = router.decide(*asked)
        if decision.combine is not None:
            return router.policy.fleet.index[decision.target]
    rested = least_bad(_field(router, question, scope, first)) if lifted else None
    return -1 if rested is None else rested.candidate.index


def _field(router: Router, question: Question, scope: Scope, first: list[Candidate]) -> Field:
    q = question
    return Field(router.policy.fleet, q.route, q.task, first, q.bar, q.difficulty, scope.order, q.max_cost, q.features, q.view, q.slack)


def _selected(field: Field) -> tuple[int, int]:
    """The choice that no threshold can move, or -1 and the way in which it is made."""
    route, task, pool = field.route, field.task, field.candidates
    if len(pool) == 1:
        return pool[0].index, FIXED
    if route.select == "cheapest_above_bar" and task.prefer != "cost":
        return -1, _PREFERRED[task.prefer]
    if route.select == "best_within_budget":
        return -1, CHEAPEST if field.max_cost is None else WITHIN
    weights = task.weights or route.weights
    if route.select == "weighted" and not (weights and sum(weights[c.index] for c in pool) > 0):
        return -1, CHEAPEST
    if route.select in ("static", "weighted"):
        return select(field).candidate.index, FIXED
    return -1, _BY_ROUTE[route.select]
