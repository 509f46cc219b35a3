"""Each task to the model that did best on it: the table of means that a learned router has to beat.

Quality and cost of a model on a task are means over the other folds, shrunken to the model's overall mean: with n queries of the task,
(n · mean of the task + k · overall mean) / (n + k), k = 10. The price at which it stands (quality a dollar) is the one of
least cost that kept the best single model's quality on the other folds, with predictions that were themselves made out of fold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from tierline.evaluation.cross_validate import folds, out_of_fold
from tierline.evaluation.metrics.bootstrap import Floats
from tierline.evaluation.metrics.curve import Curve, at_price, by_price
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
        total = int(fold.max(initial=0)) + 1
        told = _predicted(table, fold, _fit, lambda done: progress("task_mean: folds", done, total))
        if told is None:
            return Routing(why_no_curve="there are too few queries to fit on some and measure on others")
        good, expected, same, price = told
        chosen = np.concatenate([at_price(good[one : one + 1], expected[one : one + 1], price[one]) for one in range(len(good))])
        at = f"the best single model's quality, kept on the other folds ({total} folds)"
        return Routing(choice=chosen[same], good=good[same], expected=expected[same] if table.has_costs else None, same=same, at=at)


def _predicted(
    table: Table, fold: NDArray[np.intp], fit: Callable[[Table], _Means], done: Callable[[int], None]
) -> tuple[Floats, Floats, NDArray[np.intp], Floats] | None:
    """The tables of all folds, one below the other, with the price of each row, and the row of each query; None where there is one fold."""
    fitted: list[_Means] = []
    same = np.full(len(table.query), -1, dtype=np.intp)

    def tell(means: _Means, part: Table, places: NDArray[np.intp]) -> None:
        same[places] = means.rows(part.task) + sum(len(one.good) for one in fitted)
        fitted.append(means)
        done(len(fitted))

    out_of_fold(table, fold, fit, tell)
    if not fitted:
        return None
    price = np.concatenate([np.full(len(one.good), one.price) for one in fitted])
    return np.vstack([one.good for one in fitted]), np.vstack([one.expected for one in fitted]), same, price


def _fit(table: Table) -> _Means:
    """Means over all queries given; the price from predictions that each come from the other part of them."""
    means = _means(table)
    told = _predicted(table, folds(table, INNER, np.random.default_rng(0)), _means, lambda _: None)
    if told is None:
        return means
    good, expected, same, _ = told
    curve = by_price(good[same], expected[same], table.score, _costs(table), same, PRICES)
    return msgspec.structs.replace(means, price=_price(curve, float(table.score.mean(axis=0).max())))


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


def _price(curve: Curve, wanted: float) -> float:
    """The price of the least cost at which this quality is kept; where it never is, the price of the highest quality."""
    assert curve.cost is not None  # a curve by price has one
    points = zip(np.minimum(curve.quality, wanted).tolist(), (-curve.cost).tolist(), curve.threshold.tolist(), strict=True)
    return float(max(points)[2])
