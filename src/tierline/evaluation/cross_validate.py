"""Folds: what a router is measured on is never what it was fitted to."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from tierline.evaluation.table import Table

FOLDS = 5

Fitted = TypeVar("Fitted")


def folds(table: Table, k: int, chance: np.random.Generator) -> NDArray[np.intp]:
    """A fold in [0, k) for each query. Queries of the same words (`table.group`) are in one fold; folds are of equal size as far as that
    allows. Fewer groups than folds make fewer folds."""
    groups = np.arange(len(table.query)) if table.group is None else np.unique(table.group, return_inverse=True)[1].reshape(-1)
    many = int(groups.max(initial=-1)) + 1
    dealt = np.empty(many, dtype=np.intp)
    dealt[chance.permutation(many)] = np.arange(many) % max(1, min(k, many))
    return dealt[groups]


def out_of_fold(
    table: Table, fold: NDArray[np.intp], fit: Callable[[Table], Fitted], tell: Callable[[Fitted, Table, NDArray[np.intp]], None]
) -> None:
    """For each fold: `fit` on all the others, then `tell` what was fitted, the fold's queries and their places. With one fold only there is
    nothing to fit on, and nothing is told."""
    for number in range(int(fold.max(initial=0)) + 1):
        inside = fold == number
        if inside.all() or not inside.any():
            continue
        tell(fit(table.take(~inside)), table.take(inside), np.flatnonzero(inside))
