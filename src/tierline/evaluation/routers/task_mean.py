"""Each task to the model that did best on it: the table of means that a learned router has to beat.

Quality and cost of a model on a task are means over the other folds, shrunken to the model's overall mean: with n queries of the task,
(n · mean of the task + k · overall mean) / (n + k), k = 10. The price at which it stands (quality a dollar) is the one of
least cost that kept the best single model's quality on the other folds, with predictions that were themselves made out of fold.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from tierline.evaluation.cross_validate import folds, out_of_fold
from tierline.evaluation.metrics.bootstrap import Floats
from tierline.evaluation.metrics.curve import at_price, prices
from tierline.evaluation.routers.routing import Progress, Routing
from tierline.evaluation.table import Table

SHRINK = 10.0
PRICES = 40
INNER = 4
"""Folds within the other folds, on which the price is chosen."""


class _Means(msgspec.Struct, frozen=True):
    """Task → row; the last row is the overall mean, for tasks never seen. Shaped (tasks + 1, models)."""

    place: dict[str, int]
    good: Floats
    expected: Floats
    price: float = 0.0

    def rows(self, tasks: Sequence[str]) -> NDArray[np.intp]:
        return np.array([self.place.get(task, len(self.place)) for task in tasks], dtype=np.intp)


class TaskMeanRouter:
    """The table of task × model, fitted out of fold."""

    name = "task_mean"
    needs_text = False

    def route(self, table: Table, fold: NDArray[np.intp], chance: np.random.Generator, progress: Progress) -> Routing:
        """Predictions and choices, each from the other folds."""
        del chance
        good, expected = np.full(table.score.shape, np.nan), np.full(table.score.shape, np.nan)
        choice = np.zeros(len(table.query), dtype=np.intp)
        done, total = 0, int(fold.max(initial=0)) + 1

        def tell(means: _Means, part: Table, places: NDArray[np.intp]) -> None:
            nonlocal done
            rows = means.rows(part.task)
            good[places], expected[places] = means.good[rows], means.expected[rows]
            choice[places] = at_price(good[places], expected[places], means.price)
            done += 1
            progress("task_mean: folds", done, total)

        out_of_fold(table, fold, _fit, tell)
        if np.isnan(good).any():
            return Routing(why_no_curve="there are too few queries to fit on some and measure on others")
        at = f"the best single model's quality, kept on the other folds ({total} folds)"
        return Routing(choice=choice, good=good, expected=expected if table.has_costs else None, at=at)


def _fit(table: Table) -> _Means:
    """Means over all queries given; the price from predictions that each come from the other part of them."""
    means = _means(table)
    inner = folds(table, INNER, np.random.default_rng(0))
    good, expected = np.empty_like(table.score), np.empty_like(table.score)

    def tell(fitted: _Means, part: Table, places: NDArray[np.intp]) -> None:
        rows = fitted.rows(part.task)
        good[places], expected[places] = fitted.good[rows], fitted.expected[rows]

    if int(inner.max(initial=0)) == 0:
        return means
    out_of_fold(table, inner, _means, tell)
    return msgspec.structs.replace(means, price=_price(good, expected, table.score, _costs(table)))


def _means(table: Table) -> _Means:
    names, places = np.unique(np.asarray(table.task), return_inverse=True)
    good, expected = (_shrunken(cells, places.reshape(-1), len(names)) for cells in (table.score, _costs(table)))
    return _Means({str(name): number for number, name in enumerate(names)}, good, expected)


def _costs(table: Table) -> Floats:
    return table.cost if table.has_costs else np.zeros_like(table.score)


def _shrunken(cells: Floats, places: NDArray[np.intp], tasks: int) -> Floats:
    counts = np.bincount(places, minlength=tasks).astype(np.float64)
    sums = np.zeros((tasks, cells.shape[1]))
    np.add.at(sums, places, cells)
    overall = cells.mean(axis=0)
    means: Floats = np.vstack([(sums + SHRINK * overall) / (counts + SHRINK)[:, None], overall])
    return means


def _price(good: Floats, expected: Floats, score: Floats, cost: Floats) -> float:
    """The price of the least cost at which these predictions keep the best single model's quality; where none does, the price of the
    highest quality."""
    wanted = float(score.mean(axis=0).max())
    rows = np.arange(len(score))
    found = []
    for price in prices(good, expected, PRICES):
        chosen = at_price(good, expected, price)
        found.append((min(float(score[rows, chosen].mean()), wanted), -float(cost[rows, chosen].mean()), price))
    return max(found)[2]
