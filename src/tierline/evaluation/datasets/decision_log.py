"""The decision log as data: what was answered, at which cost, and how good it was where anybody said so.

A request is a query; every attempt that somebody judged is a cell. The score of the answer that was given is the mean of its feedback
(`score`, else `accept` as 1 or 0), else whether its validators passed it; of another attempt, whether its validators passed it. An answer
that nobody judged has no score, and no other model's score is ever inferred.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from tierline.decision_log.reader import LogReader
from tierline.evaluation.document import Cascade
from tierline.types.record import Tried

MAGIC = b"SQLite format 3\x00"
PAGE = 5_000
GOOD = 0.5
"""A judged answer counts as good from this mean score on."""

_PAGE_OF = """
    SELECT d.seq, d.request_id, d.route, d.task, d.language, d.winner, d.flagged, d.fallbacks, d.escalations, d.tried, f.score AS said
    FROM decisions AS d
    LEFT JOIN (SELECT request_id, avg(coalesce(score, accept)) AS score FROM feedback GROUP BY request_id) AS f USING (request_id)
    WHERE d.seq > ? ORDER BY d.seq LIMIT ?
"""
_read_tried = msgspec.msgpack.Decoder(tuple[Tried, ...]).decode


class LoggedRequests:
    """Reads a log once: `rows` yields its cells, and `cascade` is there when they are through."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._requests = self._escalated = self._fell_back = self._flagged = 0
        self._wasted = self._added = 0.0
        self._judged = self._good = 0

    def rows(self) -> Iterator[dict[str, Any]]:
        """One mapping with canonical columns a judged attempt; raises LogFailure when the file cannot be read."""
        with closing(LogReader(self._path)) as log:
            after = 0
            while page := log.query(_PAGE_OF, (after, PAGE)):
                for row in page:
                    tried = _read_tried(row["tried"])
                    self._count(row, tried)
                    yield from _cells(row, tried, self._path.stem)
                after = page[-1]["seq"]

    @property
    def cascade(self) -> Cascade | None:
        """What escalation did; None while there is no request."""
        many = self._requests
        if not many:
            return None
        return Cascade(
            requests=many,
            escalation_rate=self._escalated / many,
            fallback_rate=self._fell_back / many,
            flagged_rate=self._flagged / many,
            accept_precision=self._good / self._judged if self._judged else None,
            judged=self._judged,
            wasted_cost=self._wasted / many,
            added_latency=self._added / many,
        )

    def _count(self, row: Any, tried: tuple[Tried, ...]) -> None:
        self._requests += 1
        self._escalated += row["escalations"] > 0
        self._fell_back += row["fallbacks"] > 0
        self._flagged += bool(row["flagged"])
        winner = row["winner"]
        for index, attempt in enumerate(tried):
            if index != winner:
                self._wasted += attempt.cost
                in_line = attempt.cause not in ("hedge", "branch") and (winner is None or index < winner)
                self._added += attempt.elapsed + attempt.wait if in_line else 0.0
        if row["said"] is not None and winner is not None and tried[winner].verdicts and not row["flagged"]:
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
