"""The ground on which routers are compared: the table's measured part, and what single models and coins reach on it."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from tierline.evaluation.metrics.bootstrap import Bootstrap, Floats
from tierline.evaluation.metrics.hull import Hull, hull
from tierline.evaluation.table import Table


class Field(msgspec.Struct, frozen=True):
    """`table` has no empty cell. `quality` and `cost` are means a model; `best` the model of the highest quality (the cheapest of several);
    `single` the zero router, None without costs; `weak` and `strong` the two models between which a score decides: the cheapest corner of
    the zero router and the best model, or, without costs, the worst and the best. `fold`: of each query."""

    table: Table
    fold: NDArray[np.intp]
    bootstrap: Bootstrap
    quality: Floats
    cost: Floats | None
    best: int
    single: Hull | None
    weak: int
    strong: int

    @property
    def costs(self) -> Floats | None:
        """The table's costs, None where it has none."""
        return None if self.cost is None else self.table.cost


def field_of(table: Table, fold: NDArray[np.intp], bootstrap: Bootstrap) -> Field:
    """The ground of a table without empty cells that has at least one query and one model."""
    quality = table.score.mean(axis=0)
    cost = table.cost.mean(axis=0) if table.has_costs else None
    best = min(range(len(quality)), key=lambda m: (-quality[m], 0.0 if cost is None else cost[m], m))
    single = None if cost is None else hull(cost, quality)
    weak = int(quality.argmin()) if single is None else single.models[0]
    return Field(table, fold, bootstrap, quality, cost, best, single, weak, best if single is None else single.models[-1])
