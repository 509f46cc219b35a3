"""Intervals of the benchmarks' own figures; without NumPy, for rows that are no columns."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

Row = TypeVar("Row")


def bootstrap(figure: Callable[[Sequence[Row]], float], rows: Sequence[Row], resamples: int, seed: int = 1) -> tuple[float, float]:
    """The 95 % percentile interval of `figure` over `rows`, which are drawn anew, with replacement, `resamples` times."""
    dice = random.Random(seed)
    drawn = sorted(figure(dice.choices(rows, k=len(rows))) for _ in range(resamples))
    return drawn[int(0.025 * resamples)], drawn[int(0.975 * resamples)]
