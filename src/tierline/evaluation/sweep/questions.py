"""Requests as columns: all that a selection reads of them, settled by the router's own parts up to where thresholds begin to matter."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import numpy as np
from numpy.typing import NDArray

from tierline.routing.belief import Candidate, candidates
from tierline.routing.draws import EXPLORE, draw_for
from tierline.routing.question import Question, ask
from tierline.routing.router import Router
from tierline.routing.scope import Scope, scope_of, standing_in, widened
from tierline.routing.selection import Field, select
from tierline.types.features import Features
from tierline.types.scores import Scores
from tierline.types.view import View

Asked = tuple[Features, Scores, View]

FIXED, CHEAPEST, DIFFICULTY, QUALITY, FASTEST, WITHIN = range(6)
"""The ways to select, as numbers; FIXED is any whose choice no threshold can move."""

_BY_ROUTE = {"by_difficulty": DIFFICULTY, "fastest": FASTEST, "cheapest_above_bar": CHEAPEST}
_PREFERRED = {"quality": QUALITY, "latency": FASTEST}


class Questions(msgspec.Struct, frozen=True):
    """n requests before m models in the fleet's order.

    Shaped (m, n): `stands`, who may be chosen; `given`, a pass rate that no threshold moves, NaN where the prior speaks; `cost`, USD of a
    call; `seconds`, the median latency, 0 where unknown. Shaped (n,): `fixed`, the model that is chosen whatever the thresholds say, else
    -1; `way`; `difficulty`; `failure_cost` and `most`, the cost cap, in USD; `route` and `task` as indices into `routes` and `tasks`;
    `unsure`: one rung up; `explored`: the cheapest of the next rung."""

    routes: tuple[str, ...]
    tasks: tuple[str, ...]
    level: tuple[int, ...]
    stands: NDArray[np.bool_]
    given: NDArray[np.float64]
    cost: NDArray[np.float64]
    seconds: NDArray[np.float64]
    fixed: NDArray[np.int16]
    way: NDArray[np.int8]
    difficulty: NDArray[np.float64]
    failure_cost: NDArray[np.float64]
    most: NDArray[np.float64]
    route: NDArray[np.int32]
    task: NDArray[np.int32]
    unsure: NDArray[np.bool_]
    explored: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.fixed)

    def part(self, rows: slice | NDArray[np.int64] | NDArray[np.bool_]) -> Questions:
        """Some of them."""
        changes = {name: getattr(self, name)[..., rows] for name in _COLUMNS}
        return msgspec.structs.replace(self, **changes)


_COLUMNS = (
    "stands", "given", "cost", "seconds", "fixed", "way", "difficulty", "failure_cost", "most", "route", "task", "unsure", "explored",
)  # fmt: skip


def questions(router: Router, asked: Iterable[Asked]) -> Questions:
    """The columns of these requests under the router's spec. Raises BadRequest as `settle` does."""
    rows = [_row(router, *one) for one in asked]
    policy = router.policy
    routes, tasks = tuple(policy.routes), ("", *policy.tasks)
    width = len(policy.fleet.models)
    block = np.array([row.models for row in rows], dtype=np.float64).reshape(len(rows), 4, width)
    place = {name: number for number, name in enumerate(routes)}
    of_task = {name: number for number, name in enumerate(tasks)}
    return Questions(
        routes=routes,
        tasks=tasks,
        level=policy.fleet.level,
        stands=np.ascontiguousarray(block[:, 0].T) > 0,
        given=np.ascontiguousarray(block[:, 1].T),
        cost=np.ascontiguousarray(block[:, 2].T),
        seconds=np.ascontiguousarray(block[:, 3].T),
        fixed=np.array([row.fixed for row in rows], dtype=np.int16),
        way=np.array([row.way for row in rows], dtype=np.int8),
        difficulty=np.array([row.difficulty for row in rows], dtype=np.float64),
        failure_cost=np.array([row.failure_cost for row in rows], dtype=np.float64),
        most=np.array([row.most for row in rows], dtype=np.float64),
        route=np.array([place[row.route] for row in rows], dtype=np.int32),
        task=np.array([of_task[row.task] for row in rows], dtype=np.int32),
        unsure=np.array([row.unsure for row in rows], dtype=bool),
        explored=np.array([row.explored for row in rows], dtype=bool),
    )


class _Row(msgspec.Struct, frozen=True):
    """One request: `models` holds, a list each, who stands, the given pass rates, the costs and the seconds."""

    route: str
    task: str
    fixed: int
    way: int
    difficulty: float
    failure_cost: float
    most: float
    unsure: bool
    explored: bool
    models: tuple[list[float], list[float], list[float], list[float]]


def _row(router: Router, features: Features, scores: Scores, view: View) -> _Row:
    policy = router.policy
    route = policy.routes.get(features.route) or policy.routes["auto"]
    question = ask(policy, route, features, scores, view, router.settle(features), [])
    scope = scope_of(policy, question, [])
    standing = standing_in(policy, question, scope.wider)
    if not standing.mask & scope.first:
        scope, standing = widened(policy, question, scope, standing, [])
    pool = candidates(policy.fleet, route, question.task, standing.mask & scope.first, features, scores, view, question.difficulty)
    free = not (scope.ruled or scope.pinned or question.named)
    fixed, way = _way(router, question, scope, pool)
    share = route.explore if free and route.select != "weighted" else 0.0
    return _Row(
        route.name,
        question.task.name,
        fixed,
        way,
        question.difficulty,
        question.task.failure_cost,
        float("inf") if question.max_cost is None else question.max_cost,
        question.unsure and free,
        bool(share) and draw_for(features.draw, EXPLORE) < share,
        _models(router, question, pool),
    )


def _models(router: Router, question: Question, pool: list[Candidate]) -> tuple[list[float], list[float], list[float], list[float]]:
    names, known = router.policy.fleet.names, question.view.latency
    stands, given = [0.0] * len(names), [0.0] * len(names)
    cost, seconds = [0.0] * len(names), [0.0] * len(names)
    for candidate in pool:
        i = candidate.index
        stands[i], cost[i] = 1.0, candidate.cost
        given[i] = float("nan") if candidate.source == "prior" else candidate.quality
        latency = known.get(names[i])
        seconds[i] = latency.p50 if latency else 0.0
    return stands, given, cost, seconds


def _way(router: Router, question: Question, scope: Scope, pool: list[Candidate]) -> tuple[int, int]:
    """The choice that no threshold can move, or -1 and the way in which it is made."""
    if not pool:
        return -1, FIXED
    if scope.pinned:
        return pool[0].index, FIXED
    if scope.ruled and scope.order:
        listed = [c for c in pool if c.index in scope.order]
        if listed:
            return min(listed, key=lambda c: scope.order.index(c.index)).index, FIXED
    if len(pool) == 1:
        return pool[0].index, FIXED
    route, task = question.route, question.task
    if route.select == "cheapest_above_bar" and task.prefer != "cost":
        return -1, _PREFERRED[task.prefer]
    if route.select == "best_within_budget":
        return -1, CHEAPEST if question.max_cost is None else WITHIN
    weights = task.weights or route.weights
    if route.select == "weighted" and not (weights and sum(weights[c.index] for c in pool) > 0):
        return -1, CHEAPEST
    if route.select in ("static", "weighted"):
        field = Field(
            router.policy.fleet, route, task, pool, question.bar, question.difficulty, scope.order, question.max_cost,
            question.features, question.view,
        )  # fmt: skip
        return select(field).candidate.index, FIXED
    return -1, _BY_ROUTE[route.select]
