"""The decision log as data: what was answered, at which cost, and how good it was where anybody said so.

A request is a query; every attempt that somebody judged is a cell. The score of the answer that was given is the mean of its feedback
(`score`, else `accept` as 1 or 0), else whether its validators passed it; of another attempt, whether its validators passed it. An answer
that nobody judged has no score, and no other model's score is ever inferred.
"""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from tierline.decision_log.reader import LogReader
from tierline.evaluation.document import Cascade
from tierline.evaluation.table import Cells
from tierline.types.record import Tried

MAGIC = b"SQLite format 3\x00"
PAGE = 5_000
GOOD = 0.5
"""A judged answer counts as good from this mean score on."""

_PAGE_OF = """
    SELECT d.seq, d.request_id, d.route, d.task, d.language, d.winner, d.flagged, d.fallbacks, d.escalations, d.cost, d.latency,
        d.tried, f.score AS said
    FROM decisions AS d
    LEFT JOIN (SELECT request_id, avg(coalesce(score, accept)) AS score FROM feedback GROUP BY request_id) AS f USING (request_id)
    WHERE d.seq > ? ORDER BY d.seq LIMIT ?
"""
_read_tried = msgspec.msgpack.Decoder(tuple[Tried, ...]).decode


class Logged(msgspec.Struct, frozen=True):
    """What a log shows of the requests that models answered: `quality` (NaN where nobody judged the answer), USD and seconds of each, the
    number of answers by model, and what escalation did."""

    quality: Cells
    cost: Cells
    latency: Cells
    models: Mapping[str, int]
    cascade: Cascade


class LoggedRequests:
    """Reads a log once: `rows` yields its cells, and `told` has the rest when they are through."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._quality, self._cost, self._latency = array("d"), array("d"), array("d")
        self._models: Counter[str] = Counter()
        self._escalated = self._fell_back = self._flagged = 0
        self._wasted = self._added = 0.0
        self._judged = self._good = 0

    def rows(self) -> Iterator[dict[str, Any]]:
        """One mapping with canonical columns a judged attempt; raises LogFailure when the file cannot be read."""
        with closing(LogReader(self._path)) as log:
            after = 0
            while page := log.query(_PAGE_OF, (after, PAGE)):
                for row in page:
                    tried = _read_tried(row["tried"])
                    cells = list(_cells(row, tried, self._path.stem))
                    self._count(row, tried, cells)
                    yield from cells
                after = page[-1]["seq"]

    def told(self) -> Logged | None:
        """None while no model answered any request."""
        many = len(self._quality)
        if not many:
            return None
        cascade = Cascade(
            requests=many,
            escalation_rate=self._escalated / many,
            fallback_rate=self._fell_back / many,
            flagged_rate=self._flagged / many,
            accept_precision=self._good / self._judged if self._judged else None,
            judged=self._judged,
            wasted_cost=self._wasted / many,
            added_latency=self._added / many,
        )
        return Logged(np.array(self._quality), np.array(self._cost), np.array(self._latency), dict(self._models), cascade)

    def _count(self, row: Any, tried: tuple[Tried, ...], cells: Sequence[Mapping[str, Any]]) -> None:
        winner = row["winner"]
        if winner is None:
            return
        given = next(cell["score"] for cell in cells if cell["chosen"])
        self._models[tried[winner].target] += 1
        self._quality.append(math.nan if given is None else given)
        self._cost.append(row["cost"])
        self._latency.append(row["latency"])
        self._escalated += row["escalations"] > 0
        self._fell_back += row["fallbacks"] > 0
        self._flagged += bool(row["flagged"])
        for index, attempt in enumerate(tried):
            if index != winner:
                self._wasted += attempt.cost
                in_line = attempt.cause not in ("hedge", "branch") and index < winner
                self._added += attempt.elapsed + attempt.wait if in_line else 0.0
        if row["said"] is not None and tried[winner].verdicts and not row["flagged"]:
            self._judged += 1
            self._good += row["said"] >= GOOD


def _cells(row: Any, tried: tuple[Tried, ...], dataset: str) -> Iterator[dict[str, Any]]:
    for index, attempt in enumerate(tried):
        if not attempt.ok:
            continue
        passed = float(all(verdict.passed for verdict in attempt.verdicts)) if attempt.verdicts else None
        given = index == row["winner"]
        yield {
            "dataset": dataset,
            "query_id": row["request_id"],
            "task": row["task"] or None,
            "language": row["language"] or None,
            "model": attempt.target,
            "score": row["said"] if given and row["said"] is not None else passed,
            "cost": attempt.cost,
            "latency": attempt.elapsed,
            "input_tokens": attempt.usage.input,
            "output_tokens": attempt.usage.output,
            "chosen": given,
        }
