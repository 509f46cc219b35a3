"""What the evidence says of each model on each task: how often it is good enough, what it costs, how many tokens it takes.

Everything here is from one half of the evidence; the certificate is from the other. A request keeps its half whatever stands beside it.

A log shows each model the requests that it was sent. Where chance had a part in that (exploration, experiments), a row with the propensity
p stands for 1/p requests, at most `MOST` of them: so what was asked of a model now and then by chance counts for all that it might have
been asked (Hájek 1971). What rests on few heavy rows is worth fewer than it seems: `effective` is Kish's sample size, (Σw)²/Σw²."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from tierline.decision_log.opening import open_reader
from tierline.decision_log.reader import Filter
from tierline.evaluation.counterfactual import Sample, clip, diagnose, snips
from tierline.evaluation.interval import Figure, mean_of
from tierline.evaluation.labels.sayings import GOOD, Said, Sayings, said_of
from tierline.evaluation.sweep.operating_point import parts_of
from tierline.evaluation.table import Table
from tierline.types.record import Record

LEAST = 30
"""Judged answers of a model on a task, as many as they are worth, before anything is said of it."""

MOST = 50.0
"""Requests that one row may stand for."""

Floats = NDArray[np.float64]
Origin = Literal["data", "log"]


class Cell(msgspec.Struct, frozen=True):
    """One model on one task: its pass rate, USD an answer, and its tokens. `origin`: a table in which every model answered the same
    queries, or a log, where each answered what it was sent. `effective`: as many rows as those that were judged are worth."""

    quality: Figure
    cost: Figure
    input: Figure
    output: Figure
    origin: Origin
    effective: float = 0.0


Cells = Mapping[tuple[str, str], Cell]
"""By task and model."""


class _Heap:
    """What was seen of one cell while it is gathered, and how many requests each row stands for."""

    def __init__(self) -> None:
        self.good: list[float] = []
        self.judged: list[float] = []
        self.weight: list[float] = []
        self.seen: list[tuple[float, float, float]] = []

    def cell(self, origin: Origin) -> Cell:
        judged, weight = clip(np.array(self.judged), MOST)[0], clip(np.array(self.weight), MOST)[0]
        good = _mean(np.array(self.good), judged, (0.0, 1.0))
        cost, taken, given = (_mean(column, weight) for column in np.array(self.seen).T)
        return Cell(good, cost, taken, given, origin, diagnose(judged).effective)


def _mean(values: Floats, weight: Floats, bounds: tuple[float, float] | None = None) -> Figure:
    """The mean of what the rows stand for; the plain one where each stands for as many."""
    if not len(values) or np.ptp(weight) == 0.0:
        return mean_of(values, bounds=bounds)
    nothing = np.zeros_like(values)
    return snips(Sample(weight, values, nothing, nothing), bounds)


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
            weight = 1.0 / max(record.decision.propensity, 1e-6)
            word = _word(record, said)
            if word is not None or first.verdicts:
                heap.good.append(float(all(verdict.passed for verdict in first.verdicts) if word is None else word.score >= GOOD))
                heap.judged.append(weight)
            heap.seen.append((first.cost, float(first.usage.input), float(first.usage.output)))
            heap.weight.append(weight)
    return {key: heap.cell("log") for key, heap in heaps.items()}


def _word(record: Record, said: Sayings) -> Said | None:
    """What is said of the first attempt's answer, not of a later one of the same model."""
    target, winner = record.tried[0].target, record.winner
    if winner and record.tried[winner].target == target:
        return None
    return said.get((record.features.request_id, target))


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
            found[task, name] = Cell(good, mean_of(cost[~np.isnan(cost)]), taken, given, "data", float(rows.sum()))
    return found


def together(log: Cells, table: Cells) -> dict[tuple[str, str], Cell]:
    """Both; where both know enough, the table counts, in which nobody chose who answers what."""
    return {**log, **{key: cell for key, cell in table.items() if cell.effective >= LEAST or key not in log}}
