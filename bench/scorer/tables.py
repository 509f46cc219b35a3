"""The shared tables, and the learned scorer crossed over their folds: everything that is measured was never trained on."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from tierline.evaluation.cross_validate import FOLDS, folds
from tierline.evaluation.datasets import Reading, read
from tierline.evaluation.metrics.bootstrap import Floats
from tierline.evaluation.metrics.curve import at_price, by_price, prices
from tierline.evaluation.metrics.savings import save_at
from tierline.evaluation.routers.learned import CrossFit, LearnedRouter
from tierline.evaluation.routers.routing import Routing, silent
from tierline.evaluation.table import Table
from tierline.evaluation.training.learn import Learning

RESAMPLES = 400


def folder() -> Path:
    """The folder of the shared tables; exits where it is not there."""
    default = Path(__file__).parents[2].parent / "shared" / "data"
    found = Path(os.environ.get("TIERLINE_DATA", default))
    if not found.is_dir():
        raise SystemExit("the shared tables are not there: set TIERLINE_DATA to the folder that holds them")
    return found


def read_table(name: str, split: str = "", models: tuple[str, ...] = ()) -> Table:
    """The queries of one table that every model was measured on."""
    table = read([folder() / f"{name}.parquet"], Reading(text=True, split=split, models=models)).table
    return table.take(table.complete)


class Crossed(msgspec.Struct, frozen=True):
    """One seed's folds: the scorer without its guard and with it."""

    table: Table
    fold: NDArray[np.intp]
    unguarded: Routing
    guarded: Routing


def crossed(table: Table, seed: int, embed: bool = False) -> Crossed:
    """Trained anew on the other folds of each."""
    fold = folds(table, FOLDS, np.random.default_rng([2026, seed]))
    fits, chance = CrossFit(Learning(seed=seed, embed=embed)), np.random.default_rng(seed)
    return Crossed(
        table,
        fold,
        LearnedRouter(fits, guard=False).route(table, fold, chance, silent),
        LearnedRouter(fits).route(table, fold, chance, silent),
    )


def best_of(table: Table) -> int:
    """The best single model; of equals the cheapest."""
    return int(np.lexsort((table.cost.mean(axis=0), -table.score.mean(axis=0)))[0])


def saved(table: Table, routing: Routing) -> dict[str, float]:
    """Share of the best single model's cost saved at 100, 99 and 95 % of its quality; NaN where it is never reached."""
    assert routing.good is not None and routing.expected is not None
    best = best_of(table)
    curve = by_price(routing.good, routing.expected, table.score, table.cost)
    assert curve.cost is not None
    told = save_at(curve.cost, curve.quality, float(table.cost.mean(axis=0)[best]), float(table.score.mean(axis=0)[best]))
    return {level: float("nan") if value is None else value for level, value in told.items()}


def saved_resampled(table: Table, routings: Sequence[Routing], level: str, seed: int = 1) -> list[float]:
    """The mean over seeds of `saved`, over resampled queries; never reached counts as nothing saved."""
    settings = [_settings(table, routing) for routing in routings]
    best, chance, n = best_of(table), np.random.default_rng(seed), len(table.query)
    found = []
    for _ in range(RESAMPLES):
        weight = np.bincount(chance.integers(0, n, n), minlength=n) / n
        alone_cost, alone = float(weight @ table.cost[:, best]), float(weight @ table.score[:, best])
        told = [save_at(costs @ weight, quality @ weight, alone_cost, alone)[level] for quality, costs in settings]
        found.append(float(np.mean([value or 0.0 for value in told])))
    return found


def _settings(table: Table, routing: Routing) -> tuple[Floats, Floats]:
    """Quality and cost of every query at every price, shaped (prices, queries)."""
    assert routing.good is not None and routing.expected is not None
    rows = np.arange(len(table.query))
    chosen = [at_price(routing.good, routing.expected, price) for price in prices(routing.good, routing.expected, 120)]
    return np.array([table.score[rows, places] for places in chosen]), np.array([table.cost[rows, places] for places in chosen])
