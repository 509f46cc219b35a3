"""Evidence from a decision log: shares, tokens, caches, tools, classifiers, pass rates, failures and seconds, each with how many rows
it is from."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping

from tierline.evaluation.estimate.evidence import Evidence
from tierline.evaluation.estimate.gather import CellSoFar, TaskSoFar
from tierline.types.outcome import ErrorClass
from tierline.types.record import Record, Tried

NOT_ITS_FAULT: frozenset[ErrorClass] = frozenset({"outraced", "cancelled", "deadline", "bad_request", "budget"})
"""Ends of a call that say nothing of the model."""
DAY = 86_400.0
LEAST_SPAN = DAY / 24
"""Seconds that a log must span before its requests of a day are told."""


def from_log(records: Iterable[Record], labels: Mapping[str, float], where: str = "") -> Evidence:
    """What the rows say; `labels` is what was said of answers that were given, by request. What checks accepted is counted beside it."""
    tasks: dict[str, TaskSoFar] = {}
    cells: dict[tuple[str, str], CellSoFar] = {}
    calls: dict[str, tuple[int, int]] = {}
    first, last, count = float("inf"), float("-inf"), 0
    for record in records:
        count += 1
        first, last = min(first, record.at), max(last, record.at)
        _request(tasks.setdefault(record.decision.task, TaskSoFar()), record)
        for place, tried in enumerate(record.tried):
            label = labels.get(record.features.request_id) if place == record.winner else None
            _attempt(cells.setdefault((record.decision.task, tried.target), CellSoFar()), tried, label)
            made, failed = calls.get(tried.target, (0, 0))
            if tried.error not in NOT_ITS_FAULT:
                calls[tried.target] = (made + 1, failed + (not tried.ok))
    return Evidence(
        where=where,
        since=_day(first) if count else "",
        until=_day(last) if count else "",
        per_day=count / (last - first) * DAY if count > 1 and last - first > LEAST_SPAN else None,
        requests=count,
        measured=True,
        tasks={task: found.seen() for task, found in tasks.items()},
        cells={key: found.cell() for key, found in cells.items()},
        calls=calls,
    )


def _request(task: TaskSoFar, record: Record) -> None:
    task.requests += 1
    task.asked += bool(record.scores.asked)
    if record.answered:
        task.by_tool += 1
        return
    task.keep(record.decision.target, record.features, record.scores)
    answered = next((tried for tried in record.tried if tried.ok and tried.usage.input), None)
    if answered is not None:
        task.tokens_in.add(answered.usage.input)
        task.cached.add(answered.usage.cached / answered.usage.input)


def _attempt(cell: CellSoFar, tried: Tried, label: float | None) -> None:
    if not tried.ok:
        return
    cell.answered(tried.usage.output, tried.usage.reasoning, tried.elapsed)
    if tried.verdicts:
        cell.accepted.add(float(all(verdict.passed for verdict in tried.verdicts)))
    if label is not None:
        cell.labels.add(label)


def _day(at: float) -> str:
    return datetime.datetime.fromtimestamp(at, datetime.UTC).date().isoformat()
