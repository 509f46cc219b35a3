"""What estimating a task again says: by what was measured since, beside what the spec alone would have one believe."""

from __future__ import annotations

import time
from collections.abc import Mapping
from itertools import islice

import msgspec

from tierline.config.loaded import Loaded
from tierline.decision_log.reader import Filter, LogReader
from tierline.evaluation.estimate.document import Range, TaskEstimate
from tierline.evaluation.estimate.estimate import estimate
from tierline.evaluation.estimate.evidence import NO_EVIDENCE, Evidence
from tierline.evaluation.estimate.from_log import from_log

MOST_ROWS = 50_000
"""Rows that are read for it, from the beginning of the window on."""
DRAWS = 100


class Again(msgspec.Struct, frozen=True):
    """One task: USD a request and the share of good answers by what was measured, and as the spec alone says; `meets_bar`: how often, over
    the draws, the measured one reaches the bar."""

    cost: Range
    quality: Range
    meets_bar: float
    declared_cost: float
    declared_quality: float


def estimated_again(
    loaded: Loaded, reader: LogReader, labels: Mapping[str, float], window: float, at: float | None = None
) -> dict[str, Again]:
    """Every task that the log has requests of, by the last `window` seconds before `at` (now)."""
    until = time.time() if at is None else at
    evidence = from_log(islice(reader.records(Filter(since=until - window, until=until)), MOST_ROWS), labels)
    declared, measured = _tasks(loaded, NO_EVIDENCE), _tasks(loaded, evidence)
    return {
        name: Again(found.cost, found.quality, found.meets_bar, declared[name].cost.value, declared[name].quality.value)
        for name, found in measured.items()
        if name in declared and name in evidence.tasks
    }


def _tasks(loaded: Loaded, evidence: Evidence) -> dict[str, TaskEstimate]:
    return {task.task: task for task in estimate(loaded, evidence, draws=DRAWS).chosen.tasks}
