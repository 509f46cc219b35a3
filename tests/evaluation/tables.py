"""Small tables for tests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tierline.evaluation.table import Table


def table(
    score: Sequence[Sequence[float]],
    cost: Sequence[Sequence[float]] | None = None,
    models: Sequence[str] = ("mini", "opus"),
    task: Sequence[str] | None = None,
    text: Sequence[str] | None = None,
) -> Table:
    """A table with a row a query; where no cost is given, the model in place n costs n + 1 cents."""
    count = len(score)
    costs = cost if cost is not None else [[0.01 * (place + 1) for place in range(len(models))]] * count
    return Table(
        tuple(models),
        [f"q{row}" for row in range(count)],
        list(task or ["one"] * count),
        ["here"] * count,
        np.array(score, dtype=np.float64).reshape(count, len(models)),
        np.array(costs, dtype=np.float64).reshape(count, len(models)),
        list(text) if text is not None else [f"What is {row} and {row}?" for row in range(count)],
    )
