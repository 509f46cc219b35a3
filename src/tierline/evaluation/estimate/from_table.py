"""Evidence from a table of measured answers (query × model): pass rates, tokens and seconds by task. Its queries were chosen by
somebody, so their shares are no shares of traffic."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tierline.evaluation.estimate.evidence import Cell, Evidence, Seen, Tally
from tierline.evaluation.table import Cells, Table


def from_table(table: Table, matched: Mapping[str, str], where: str = "") -> Evidence:
    """`matched`: model of the spec → model of the table."""
    tasks = np.array([str(task) for task in table.task])
    seen: dict[str, Seen] = {}
    cells: dict[tuple[str, str], Cell] = {}
    for task in dict.fromkeys(tasks.tolist()):
        rows = tasks == task
        seen[task] = Seen(tokens_in=_tally(None if table.input_tokens is None else _whole(table.input_tokens[rows])))
        for name, there in matched.items():
            column = table.models.index(there)
            seconds = _column(table.latency, rows, column)
            cells[task, name] = Cell(
                scores=_tally(_column(table.score, rows, column)),
                tokens_out=_tally(_column(table.output_tokens, rows, column)),
                thinking=Tally(),
                seconds=tuple(seconds.tolist()),
                answers=len(seconds),
            )
    return Evidence(where=where, tasks=seen, cells=cells)


def _column(cells: Cells | None, rows: np.ndarray, column: int) -> np.ndarray:
    """The known values; none where the table has no such figure."""
    return np.empty(0) if cells is None else _whole(cells[rows, column])


def _whole(values: np.ndarray) -> np.ndarray:
    """Without what nobody measured; tokens of one query are counted once for each model."""
    flat: np.ndarray = values[~np.isnan(values)]
    return flat


def _tally(values: np.ndarray | None) -> Tally:
    if values is None or not len(values):
        return Tally()
    return Tally(len(values), float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else 0.0)
