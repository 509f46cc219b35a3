"""What is too old leaves the ledger: shadows' rows, and labels that came by themselves. What a person said stays: a golden set and the
reviews are few, and everything else is measured against them."""

from __future__ import annotations

from pathlib import Path

from tierline.ledger.connection import Connection, told, transaction

BATCH = 500
"""Most rows of each table that one run deletes."""

STAYS = ("golden", "review")
"""Sources of labels that no age removes."""

_SHADOWS = "DELETE FROM shadows WHERE id IN (SELECT id FROM shadows WHERE at < ? ORDER BY at LIMIT ?)"
_LABELS = "DELETE FROM labels WHERE id IN (SELECT id FROM labels WHERE at < ? AND source NOT IN (?, ?) ORDER BY at LIMIT ?)"


class Retention:
    """Deletes by age. Feedback, with its corrections, is not touched."""

    def __init__(self, path: Path, connection: Connection) -> None:
        self._path = path
        self._connection = connection

    def run(self, before: float) -> bool:
        """Delete one batch of what is older than a moment (Unix seconds); returns whether there may be more."""
        with told(self._path), transaction(self._connection):
            shadows = self._connection.execute(_SHADOWS, (before, BATCH)).rowcount
            labels = self._connection.execute(_LABELS, (before, *STAYS, BATCH)).rowcount
        return BATCH in (shadows, labels)
