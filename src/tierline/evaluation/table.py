"""The table that everything in the evaluation eats: query × model → score, cost, tokens, latency.

Rows are queries, columns are models; a cell that nobody measured is NaN, never a guess.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

Cells = NDArray[np.float64]
"""Shape (queries, models)."""


class Table(msgspec.Struct, frozen=True):
    """Measured answers of several models to the same queries. `score` in [0, 1] and `cost` in USD are shaped (queries, models), NaN where
    nothing was measured; `latency` in seconds and the token counts likewise, None where the source has none at all.

    `query` (ids), `text` (prompts; None where they were not read), `task` and `dataset` are a value a query."""

    models: tuple[str, ...]
    query: Sequence[str]
    task: Sequence[str]
    dataset: Sequence[str]
    score: Cells
    cost: Cells
    text: Sequence[str] | None = None
    latency: Cells | None = None
    input_tokens: Cells | None = None
    output_tokens: Cells | None = None
