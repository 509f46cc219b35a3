"""The table that everything in the evaluation eats: query × model → score, cost, tokens, latency.

Rows are queries, columns are models; a cell that nobody measured is NaN, never a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

Cells = NDArray[np.float64]
"""Shape (queries, models)."""


class Table(msgspec.Struct, frozen=True):
    """Measured answers of several models to the same queries. `score` in [0, 1] and `cost` in USD are shaped (queries, models), NaN where
    nothing was measured; `latency` in seconds and the token counts likewise, None where the source has none at all.

    `query` (ids), `text` (prompts; None where they were not read), `task`, `dataset`, `language` and `label` (the tier that a person says
    it needs, empty where nobody did) are a value a query. `length` is a prompt's length in characters and `words` in words (as parted by
    white space); `group` is the same number for queries of the same words, which must never be split between training and test."""

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
    length: NDArray[np.int64] | None = None
    words: NDArray[np.int64] | None = None
    group: NDArray[np.int64] | None = None
    language: Sequence[str] | None = None
    label: Sequence[str] | None = None

    @property
    def complete(self) -> NDArray[np.bool_]:
        """Which queries every model was measured on: its score, and its cost where any cost is known."""
        cells = ~np.isnan(self.score)
        if self.has_costs:
            cells &= ~np.isnan(self.cost)
        complete: NDArray[np.bool_] = np.logical_and.reduce(cells, axis=1)
        return complete

    @property
    def has_costs(self) -> bool:
        """Whether any cost was measured."""
        return not bool(np.isnan(self.cost).all())

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Table:
        """The same models on some of the queries: by their places, or by a mask."""
        places = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        return self._with(lambda cells: cells[places], lambda values: np.asarray(values, dtype=object)[places].tolist())

    def only(self, models: Sequence[str]) -> Table:
        """Some of the models, in the order given; raises ValueError for one that is not there."""
        places = [self.models.index(model) for model in models]
        return self._with(lambda cells: cells[:, places] if cells.ndim > 1 else cells, lambda values: values, tuple(models))

    def _with(
        self, cells: Callable[[NDArray[Any]], NDArray[Any]], values: Callable[[Sequence[str]], Sequence[str]], models: tuple[str, ...] = ()
    ) -> Table:
        changed: dict[str, Any] = {"models": models or self.models}
        for name in self.__struct_fields__[1:]:
            part = getattr(self, name)
            if part is not None:
                changed[name] = cells(part) if isinstance(part, np.ndarray) else values(part)
        return Table(**changed)
