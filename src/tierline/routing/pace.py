"""What budgets ask of a request before anybody is looked at: the caps of one request, and how pace moves the bar."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from tierline.config.budgets import Budget
from tierline.routing.policy import Policy, RoutePolicy, TaskPolicy
from tierline.types.decision import Reason, Why
from tierline.types.features import Features
from tierline.types.view import View


def capped(caps: Sequence[Budget], features: Features, task: str) -> tuple[float | None, tuple[str, float] | None]:
    """The least USD that one request may cost by the budgets per request, and the name and number of the least token cap."""
    usd: float | None = None
    tokens: tuple[str, float] | None = None
    for cap in caps:
        if not (cap.of_task(task) and cap.values(features)):
            continue
        if not cap.counts_tokens:
            usd = cap.limit if usd is None else min(usd, cap.limit)
        elif tokens is None or cap.limit < tokens[1]:
            tokens = (cap.name, cap.limit)
    return usd, tokens


class Paced(msgspec.Struct, frozen=True):
    """How pace has moved a choice: the bar, the difficulty, and how far below the bar (or the best there is) a cheaper one may be."""

    bar: float
    difficulty: float
    slack: float = 0.0


def paced(policy: Policy, route: RoutePolicy, task: TaskPolicy, view: View, bar: float, difficulty: float, reasons: list[Reason]) -> Paced:
    """Bar and difficulty as pace moves them: by at most the tolerance, down where spending runs ahead of its plan, up where it runs behind.
    Where several budgets are paced the one furthest ahead speaks. Only ways to choose by bar or difficulty are moved."""
    found = [(view.pace[b.name], b.name) for b, _ in concerned(policy.budgets, task.name, view) if b.name in view.pace]
    pace, name = max(found, default=(0.0, ""))
    move = pace * (route.tolerance if task.tolerance is None else task.tolerance)
    if not move:
        return Paced(bar, difficulty)
    why = Why.PACE_AHEAD if pace > 0 else Why.PACE_BEHIND
    if route.select == "by_difficulty":
        moved = min(max(difficulty - move, 0.0), 1.0)
        reasons.append(Reason(why, f"{name}/difficulty", moved, difficulty))
        return Paced(bar, moved)
    if route.select not in _BY_BAR or task.prefer == "quality":
        return Paced(bar, difficulty)
    moved = max(bar - move, 0.0) if move > 0 else max(bar, min(bar - move, _HIGHEST_BAR))
    reasons.append(Reason(why, name, moved, bar))
    return Paced(bar, difficulty, move) if move > 0 else Paced(moved, difficulty)


_BY_BAR = frozenset({"cheapest_above_bar", "fastest", "best_within_budget"})
_HIGHEST_BAR = 0.999
"""Pace raises no bar above this: nobody would clear it."""


def concerned(budgets: Iterable[Budget], task: str, view: View) -> list[tuple[Budget, float]]:
    """The budgets that the view tells of and that are for the task, with what is left of each."""
    return [(b, view.budgets[b.name]) for b in budgets if b.name in view.budgets and b.of_task(task)]
