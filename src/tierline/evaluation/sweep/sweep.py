"""Quality and cost of every setting, in one pass over blocks of rows that fit the processor's cache."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from tierline.evaluation.sweep.axes import Setting
from tierline.evaluation.sweep.choose import Chooser
from tierline.evaluation.sweep.questions import Questions

BLOCK = 16_384
"""Rows whose columns are looked at together."""

Progress = Callable[[int], None]
"""Called with the number of rows done since the last call."""


class Outcomes(msgspec.Struct, frozen=True):
    """What each model would have given: `score` in [0, 1] and `cost` in USD, shaped (m, n) in the fleet's order. Where no model can serve,
    the answer counts as wrong and free."""

    score: NDArray[np.float64]
    cost: NDArray[np.float64]

    def part(self, rows: slice | NDArray[np.int64]) -> Outcomes:
        """Those of some rows."""
        return Outcomes(np.ascontiguousarray(self.score[:, rows]), np.ascontiguousarray(self.cost[:, rows]))


class Swept(msgspec.Struct, frozen=True):
    """Sums over rows: `quality` and `cost` shaped (settings, parts), `chosen` (settings, m), `rows` (parts,)."""

    quality: NDArray[np.float64]
    cost: NDArray[np.float64]
    chosen: NDArray[np.int64]
    rows: NDArray[np.int64]

    @property
    def mean_quality(self) -> NDArray[np.float64]:
        """Mean score of each setting."""
        means: NDArray[np.float64] = self.quality.sum(axis=1) / max(int(self.rows.sum()), 1)
        return means

    @property
    def mean_cost(self) -> NDArray[np.float64]:
        """Mean USD of each setting."""
        means: NDArray[np.float64] = self.cost.sum(axis=1) / max(int(self.rows.sum()), 1)
        return means


def sweep(
    asked: Questions,
    outcomes: Outcomes,
    settings: Sequence[Setting],
    part: NDArray[np.int64] | None = None,
    progress: Progress = lambda _: None,
) -> Swept:
    """Every setting over every row. `part` (n,) sorts rows into parts, 0 to p - 1, which are summed apart, for honest splits."""
    count, models = len(asked), len(asked.level)
    part = np.zeros(count, dtype=np.int64) if part is None else part
    parts = int(part.max(initial=0)) + 1
    swept = Swept(
        np.zeros((len(settings), parts)),
        np.zeros((len(settings), parts)),
        np.zeros((len(settings), models), dtype=np.int64),
        np.bincount(part, minlength=parts),
    )
    order = np.argsort(part, kind="stable") if parts > 1 else None
    for number, start, end in _blocks(swept.rows):
        rows = slice(start, end) if order is None else order[start:end]
        _add(swept, number, asked.part(rows), outcomes.part(rows), settings)
        progress(end - start)
    return swept


def _blocks(rows: NDArray[np.int64]) -> list[tuple[int, int, int]]:
    """Part, first row and last row (in the order of parts) of each block."""
    found, start = [], 0
    for number, count in enumerate(rows.tolist()):
        found += [(number, at, min(at + BLOCK, start + count)) for at in range(start, start + count, BLOCK)]
        start += count
    return found


def _add(swept: Swept, number: int, asked: Questions, outcomes: Outcomes, settings: Sequence[Setting]) -> None:
    """One block's share of the sums. A last row of zeros stands for nobody's answer, which index -1 finds."""
    chooser, count, models = Chooser(asked, len(settings)), len(asked), len(asked.level)
    score = np.vstack([outcomes.score, np.zeros(count)]).ravel()
    cost = np.vstack([outcomes.cost, np.zeros(count)]).ravel()
    place = np.arange(count)
    index = np.empty(count, dtype=np.int64)
    for setting, one in enumerate(settings):
        chosen = chooser.choose(one.thresholds)
        np.multiply(chosen, count, out=index, casting="unsafe", dtype=np.int64)
        index += place
        nobody = chosen < 0
        if nobody.any():
            index[nobody] += (models + 1) * count
        swept.quality[setting, number] += score.take(index).sum()
        swept.cost[setting, number] += cost.take(index).sum()
        swept.chosen[setting] += [np.count_nonzero(chosen == i) for i in range(models)]
