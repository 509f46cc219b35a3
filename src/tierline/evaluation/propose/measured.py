"""What the evidence says of each model on each task: how often it is good enough, what it costs, how many tokens it takes.

Everything here is from one half of the evidence; the certificate is from the other. A request keeps its half whatever stands beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from tierline.decision_log.opening import open_reader
from tierline.decision_log.reader import Filter
from tierline.evaluation.experiments.reading import GOOD, heard, said_of
from tierline.evaluation.interval import Figure, mean_of
from tierline.evaluation.sweep.operating_point import parts_of
from tierline.evaluation.table import Table

LEAST = 30
"""Judged answers of a model on a task before anything is said of it."""

Origin = Literal["data", "log"]


class Cell(msgspec.Struct, frozen=True):
    """One model on one task: its pass rate, USD an answer, and its tokens. `origin`: a table in which every model answered the same
    queries, or a log, where each answered what it was sent."""

    quality: Figure
    cost: Figure
    input: Figure
    output: Figure
    origin: Origin


Cells = Mapping[tuple[str, str], Cell]
"""By task and model."""


class _Heap:
    """What was seen of one cell while it is gathered."""

    def __init__(self) -> None:
        self.good: list[float] = []
        self.cost: list[float] = []
        self.input: list[float] = []
        self.output: list[float] = []

    def cell(self, origin: Origin) -> Cell:
        good = mean_of(np.array(self.good), bounds=(0.0, 1.0))
        cost, taken, given = (mean_of(np.array(values)) for values in (self.cost, self.input, self.output))
        return Cell(good, cost, taken, given, origin)


def learns(ids: Sequence[str]) -> list[bool]:
    """Which of these requests are learnt from; the others measure."""
    return [bool(part) for part in parts_of(ids, 2).tolist()] if ids else []


def of_log(path: Path | str, since: float = 0.0) -> dict[tuple[str, str], Cell]:
    """From a log: each model's first attempts, for one that was climbed to saw only what others had failed at. An answer is good by what
    was said of it, else by its validators."""
    said = said_of(path)
    heaps: dict[tuple[str, str], _Heap] = {}
    with closing(open_reader(path)) as reader:
        for record in reader.records(Filter(since=since)):
            first = record.tried[0] if record.tried else None
            if first is None or not first.ok or not record.decision.task or not learns([record.features.request_id])[0]:
                continue
            heap = heaps.setdefault((record.decision.task, first.target), _Heap())
            given = record.winner == 0
            word = heard(said, record.features.request_id, first.target) if given else said.get((record.features.request_id, first.target))
            if word is not None:
                heap.good.append(float(word.score >= GOOD))
            elif first.verdicts:
                heap.good.append(float(all(verdict.passed for verdict in first.verdicts)))
            heap.cost.append(first.cost)
            heap.input.append(float(first.usage.input))
            heap.output.append(float(first.usage.output))
    return {key: heap.cell("log") for key, heap in heaps.items()}


def of_table(table: Table, matched: Mapping[str, str]) -> dict[tuple[str, str], Cell]:
    """From a table in which several models answered the same queries; `matched`: model of the spec → model of the table."""
    half = np.array(learns(table.query), dtype=bool)
    tasks = np.asarray(table.task, dtype=object)
    found = {}
    for name, there in matched.items():
        column = table.models.index(there)
        for task in sorted({one for one in table.task if one}):
            rows = half & (tasks == task) & ~np.isnan(table.score[:, column])
            cost = table.cost[rows, column]
            tokens = [None if one is None else one[rows, column] for one in (table.input_tokens, table.output_tokens)]
            taken, given = (mean_of(one[~np.isnan(one)]) if one is not None else Figure(why="no tokens") for one in tokens)
            good = mean_of(table.score[rows, column], bounds=(0.0, 1.0))
            found[task, name] = Cell(good, mean_of(cost[~np.isnan(cost)]), taken, given, "data")
    return found


def together(log: Cells, table: Cells) -> dict[tuple[str, str], Cell]:
    """Both; where both know enough, the table counts, in which nobody chose who answers what."""
    return {**log, **{key: cell for key, cell in table.items() if cell.quality.rows >= LEAST or key not in log}}
