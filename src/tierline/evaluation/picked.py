"""What the table says of one chosen model a row, and the mean of such values."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tierline.evaluation.table import Cells, Table
from tierline.evaluation.wilson import Z95


def picked(cells: Cells, table: Table, rows: Sequence[int], models: Sequence[str]) -> Cells:
    """The cell of each row and its model, shape (rows,); NaN where no model was chosen, or one that the table has not."""
    index = {name: place for place, name in enumerate(table.models)}
    columns = np.array([index.get(model, -1) for model in models], dtype=np.intp)
    found: Cells = np.where(columns >= 0, cells[np.asarray(rows, dtype=np.intp), columns], np.nan)
    return found


def mean_interval(values: Cells) -> tuple[float | None, float]:
    """The mean, and half of its 95 % interval (normal: 1.96 · s / √n); (None, 0) of nothing."""
    if not values.size:
        return None, 0.0
    spread = float(values.std(ddof=1)) / math.sqrt(values.size) if values.size > 1 else 0.0
    return float(values.mean()), Z95 * spread
