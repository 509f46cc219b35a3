"""The fallback drill: for each task, its primary is down. Who answers instead, how much quality is lost, and what does it cost?

The primary of a task is the model that the spec chooses for most of the queries that it takes for that task. The decisions are made again
with that model resting (`View.resting`), so the answer is the spec's own; quality and cost are the table's, over the task's queries.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import msgspec
import numpy as np

from tierline.evaluation.picked import mean_interval, picked
from tierline.evaluation.routers.routing import Progress, silent
from tierline.evaluation.routers.spec import EVERY, SpecRouter
from tierline.evaluation.table import Table
from tierline.types.errors import EvaluationFailure
from tierline.types.view import NO_VIEW, View

REST = 3600.0
"""Seconds that the primary rests in the drill: longer than any deadline."""


class Decided(msgspec.Struct, frozen=True):
    """What a query was taken for, and the model chosen first for it (empty: nobody can answer)."""

    task: str
    model: str


Decide = Callable[[Sequence[int], View], Sequence[Decided]]
"""Rows of the table and a world → the decision for each."""


class TaskDrill(msgspec.Struct, frozen=True):
    """One task without its primary. Shares of queries; mean scores and USD a query, over the queries whose answers are measured before and
    after (`measured`); a query that nobody can answer counts as a score of 0 and no cost. `quality_low` and `quality_high` are the ends
    of the 95 % interval of `quality_lost`. `bar` is the task's quality bar, None where it has none."""

    task: str
    queries: int
    primary: str
    primary_share: float
    instead: Mapping[str, float]
    unanswered: int
    measured: int
    quality_before: float | None
    quality_after: float | None
    quality_lost: float | None
    quality_low: float | None
    quality_high: float | None
    cost_before: float | None
    cost_after: float | None
    bar: float | None = None

    @property
    def below_bar(self) -> bool:
        """Whether the task misses its bar without its primary."""
        return self.bar is not None and self.quality_after is not None and self.quality_after < self.bar


class Drill(msgspec.Struct, frozen=True):
    """Every task's drill, the greatest loss first."""

    tasks: tuple[TaskDrill, ...]


def drill(table: Table, decide: Decide, bars: Mapping[str, float | None] | None = None) -> Drill:
    """Take each task's primary away, one at a time."""
    everything = range(len(table.query))
    before = decide(everything, NO_VIEW)
    by_task: dict[str, list[int]] = {}
    for row in everything:
        by_task.setdefault(before[row].task, []).append(row)
    told = [
        _drilled(table, decide, task, rows, [before[row].model for row in rows], (bars or {}).get(task)) for task, rows in by_task.items()
    ]
    return Drill(tuple(sorted((one for one in told if one is not None), key=lambda one: -(one.quality_lost or 0.0))))


def drill_of(router: SpecRouter, table: Table, progress: Progress = silent) -> Drill:
    """The drill of a spec, on a table that holds its prompts. A model is called as the spec calls it; one that the table has not leaves
    its queries unmeasured."""
    texts = table.text
    if texts is None:
        raise EvaluationFailure("--drill decides by prompts, and the data have none")
    there = router.matched(table.models)
    named = msgspec.structs.replace(table, models=tuple(_called(there, model) for model in table.models))

    def decide(rows: Sequence[int], view: View) -> list[Decided]:
        told = []
        for done, row in enumerate(rows):
            _, _, decision = router.decide(table.query[row], texts[row], table.task[row], view)
            told.append(Decided(decision.task, decision.target))
            if done % EVERY == 0:
                progress("fallback drill", done, len(rows))
        return told

    return drill(named, decide, {name: task.quality_bar for name, task in router.loaded.spec.tasks.items()})


def _called(there: Mapping[str, str], model: str) -> str:
    """What the spec calls a model of the table."""
    return next((name for name, known in there.items() if known == model), model)


def _drilled(table: Table, decide: Decide, task: str, rows: Sequence[int], before: Sequence[str], bar: float | None) -> TaskDrill | None:
    """One task; None where nobody answers it even on a good day."""
    chosen = Counter(model for model in before if model)
    if not chosen:
        return None
    primary, count = chosen.most_common(1)[0]
    after = [one.model for one in decide(rows, View(resting={primary: REST}))]
    score_before, score_after = picked(table.score, table, rows, before), picked(table.score, table, rows, after)
    cost_before, cost_after = picked(table.cost, table, rows, before), picked(table.cost, table, rows, after)
    nobody = np.array([not model for model in after])
    score_after, cost_after = np.where(nobody, 0.0, score_after), np.where(nobody, 0.0, cost_after)
    known = ~np.isnan(score_before) & ~np.isnan(score_after)
    priced = ~np.isnan(cost_before) & ~np.isnan(cost_after)
    lost, half = mean_interval((score_before - score_after)[known])
    instead = Counter(now for was, now in zip(before, after, strict=True) if was == primary)
    return TaskDrill(
        task,
        len(rows),
        primary,
        count / len(rows),
        {model or "nobody": number / count for model, number in instead.most_common()},
        int(nobody.sum()),
        int(known.sum()),
        mean_interval(score_before[known])[0],
        mean_interval(score_after[known])[0],
        lost,
        None if lost is None else lost - half,
        None if lost is None else lost + half,
        mean_interval(cost_before[priced])[0],
        mean_interval(cost_after[priced])[0],
        bar,
    )
