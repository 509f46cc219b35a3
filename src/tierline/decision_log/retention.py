"""What is too old leaves the log: in small batches, at most once a minute, in the writer's own thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

EVERY = 60.0
"""Seconds between two looks for old rows."""

BATCH = 500
"""Most rows of each table that one look deletes; while more are left the next look comes at once."""

_DECISIONS = "DELETE FROM decisions WHERE seq IN (SELECT seq FROM decisions WHERE at < ? ORDER BY at LIMIT ?)"
_TEXTS = "DELETE FROM texts WHERE request_id IN (SELECT request_id FROM texts WHERE at < ? ORDER BY at LIMIT ?)"


class Retention:
    """Deletes decisions older than `decisions` seconds (None: never) and texts older than `texts`, or than the decision they belong to."""

    def __init__(self, decisions: float | None, texts: float, clock: Callable[[], float]) -> None:
        self._decisions = decisions
        self._texts = texts if decisions is None else min(texts, decisions)
        self._clock = clock
        self._due = float("-inf")

    def run(self, connection: sqlite3.Connection) -> None:
        """Delete one batch if it is time to."""
        now = self._clock()
        if now < self._due:
            return
        deleted = [_delete(connection, _TEXTS, now - self._texts)]
        if self._decisions is not None:
            deleted.append(_delete(connection, _DECISIONS, now - self._decisions))
        if any(deleted):
            connection.execute("PRAGMA incremental_vacuum(64)").fetchall()
        self._due = now if max(deleted) == BATCH else now + EVERY


def _delete(connection: sqlite3.Connection, statement: str, before: float) -> int:
    return connection.execute(statement, (before, BATCH)).rowcount
