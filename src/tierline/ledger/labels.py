"""Labels of every source, side by side: what disagrees is shown, never averaged away in silence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from tierline.ledger.connection import Connection, told, transaction
from tierline.types.label import Label

_COLUMNS = 'request_id, model, score, source, at, "by", trust, note'
_PAGE = 500


class Labels:
    """The labels of a ledger."""

    def __init__(self, path: Path, connection: Connection) -> None:
        self._path = path
        self._connection = connection

    def add(self, labels: Sequence[Label]) -> None:
        """Keep them all, or none; raises ValueError when a score or a trust is outside 0 to 1."""
        for label in labels:
            if not (0.0 <= label.score <= 1.0 and 0.0 <= label.trust <= 1.0):
                raise ValueError(f"score and trust must be between 0 and 1, not {label.score} and {label.trust}")
        with told(self._path), transaction(self._connection):
            self._connection.executemany(
                f"INSERT INTO labels ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608  # a constant of this file
                [msgspec.structs.astuple(label) for label in labels],
            )

    def of(self, request_id: str) -> list[Label]:
        """What was said of one request's answers, oldest first."""
        with told(self._path):
            rows = self._connection.execute(
                f"SELECT {_COLUMNS} FROM labels WHERE request_id = ? ORDER BY id",  # noqa: S608  # a constant of this file
                (request_id,),
            )
            return [Label(*row) for row in rows]

    def summed(self, since: float, until: float) -> list[tuple[str, int, float]]:
        """Source, how many labels, and their mean score, of those given in a time (Unix seconds)."""
        with told(self._path):
            return self._connection.execute(
                "SELECT source, count(*), avg(score) FROM labels WHERE at >= ? AND at < ? GROUP BY source ORDER BY source", (since, until)
            ).fetchall()

    def since(self, at: float = 0.0) -> Iterator[Label]:
        """All of them from a moment on (Unix seconds), in the order of writing, page by page."""
        after = 0
        while True:
            with told(self._path):
                page = self._connection.execute(
                    f"SELECT id, {_COLUMNS} FROM labels WHERE at >= ? AND id > ? ORDER BY id LIMIT ?",  # noqa: S608  # a constant
                    (at, after, _PAGE),
                ).fetchall()
            yield from (Label(*row[1:]) for row in page)
            if len(page) < _PAGE:
                return
            after = page[-1][0]
