"""Reading a decision log, from any process and while a gateway writes it.

Long reads go page by page, so that none of them keeps SQLite from folding its write-ahead log into the file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tierline import sqlite_file
from tierline.decision_log.codec import decode
from tierline.decision_log.schema import COLUMNS, MIGRATIONS, PART
from tierline.types.errors import LogFailure
from tierline.types.record import Record

PAGE = 500
"""Rows of one page."""

ANY_ERROR = "any"
"""As `Filter.error`: every row that carries an error, whatever its class."""

_BEFORE_ALL = -1
"""Less than any `seq`."""

_SELECT = "SELECT seq, " + ", ".join(f'"{name}"' for name in COLUMNS) + " FROM decisions"  # noqa: S608  # names from `schema`, values by parameters


class Filter(msgspec.Struct, frozen=True):
    """Which rows: `since` ≤ at < `until` (Unix seconds), and equality with everything that is given. `error` may be `any`;
    `experiment` takes the rows of all its arms."""

    since: float = 0.0
    until: float | None = None
    route: str = ""
    task: str = ""
    tier: str = ""
    model: str = ""
    key: str = ""
    policy: str = ""
    status: int | None = None
    error: str = ""
    experiment: str = ""

    def where(self) -> tuple[str, list[Any]]:
        """A SQL condition and its parameters."""
        terms, values = self._terms()
        return " AND ".join(["at >= ?", *terms]), [self.since, *values]

    def after(self, place: tuple[float, int] | None) -> tuple[str, list[Any]]:
        """The same for the rows behind `place`, the `at` and `seq` of the last one read; None: from the first.

        Nothing else bounds the time from below: given two bounds, SQLite takes the first and walks from there to the second, page after
        page, so that a log of twice as many rows would take four times as long to read."""
        terms, values = self._terms()
        return " AND ".join(["(at, seq) > (?, ?)", *terms]), [*(place or (self.since, _BEFORE_ALL)), *values]

    def _terms(self) -> tuple[list[str], list[Any]]:
        """Every condition but the beginning."""
        terms, values = list[str](), list[Any]()
        terms_of: list[tuple[str, Any]] = [
            ("at < ?", self.until),
            ("route = ?", self.route or None),
            ("task = ?", self.task or None),
            ("tier = ?", self.tier or None),
            ("model = ?", self.model or None),
            ('"key" = ?', self.key or None),
            ("policy = ?", self.policy or None),
            ("status = ?", self.status),
            ("error = ?", self.error if self.error != ANY_ERROR else None),
        ]
        for term, value in terms_of:
            if value not in (None, ""):
                terms.append(term)
                values.append(value)
        if self.error == ANY_ERROR:
            terms.append("error != ''")
        if self.experiment:  # every arm of it: "0" is the character after "/"
            terms.append("arm > ? AND arm < ?")
            values.extend((f"{self.experiment}/", f"{self.experiment}0"))
        return terms, values


EVERYTHING = Filter()
"""No condition at all."""


class LogReader:
    """Read-only access to a decision log. Raises LogFailure, here and in every method, when the file cannot be read."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.where: Path | str = self.path
        """What it was opened with."""
        self._connection = sqlite_file.open_for_reading(self.path, PART, len(MIGRATIONS))
        self._connection.row_factory = sqlite3.Row

    def get(self, request_id: str) -> Record | None:
        """One record by its request's id, or None."""
        found = self.row(request_id)
        return None if found is None else self._decoded(found)

    def row(self, request_id: str) -> sqlite3.Row | None:
        """One row as it is stored, or None."""
        found = self.query(f"{_SELECT} WHERE request_id = ?", (request_id,))
        return found[0] if found else None

    def text(self, request_id: str) -> bytes | None:
        """The stored prompt and answer of one request, or None where none is kept (any more)."""
        found = self.query("SELECT body FROM texts WHERE request_id = ?", (request_id,))
        return None if not found else bytes(found[0]["body"])

    def count(self, which: Filter = EVERYTHING) -> int:
        """How many rows there are."""
        condition, values = which.where()
        return int(self.query(f"SELECT count(*) FROM decisions WHERE {condition}", values)[0][0])  # noqa: S608  # parameters only

    def rows(self, which: Filter = EVERYTHING, limit: int | None = None) -> Iterator[sqlite3.Row]:
        """Rows as they are stored, by time, oldest first."""
        left = limit
        after: tuple[float, int] | None = None
        while left is None or left > 0:
            size = PAGE if left is None else min(PAGE, left)
            condition, values = which.after(after)
            page = self.query(f"{_SELECT} WHERE {condition} ORDER BY at, seq LIMIT ?", [*values, size])
            yield from page
            if len(page) < size:
                return
            after = (page[-1]["at"], page[-1]["seq"])
            left = None if left is None else left - size

    def records(self, which: Filter = EVERYTHING, limit: int | None = None) -> Iterator[Record]:
        """Records by time, oldest first."""
        return map(self._decoded, self.rows(which, limit))

    def pages(
        self, names: Sequence[str], which: Filter = EVERYTHING, limit: int | None = None, size: int = 4 * PAGE
    ) -> Iterator[list[Any]]:
        """Plain tuples by time, oldest first, a page at a time, for those who read in bulk: `at`, `seq`, and the named columns in the
        order of `schema.COLUMNS`."""
        columns = ", ".join(f'"{name}"' for name in COLUMNS if name in names)
        after: tuple[float, int] | None = None
        left = limit
        while left is None or left > 0:
            most = size if left is None else min(size, left)
            condition, values = which.after(after)
            statement = f"SELECT at, seq, {columns} FROM decisions WHERE {condition} ORDER BY at, seq LIMIT ?"  # noqa: S608  # names from `schema`, values by parameters
            with sqlite_file.told(self.path):
                cursor = self._connection.cursor()
                cursor.row_factory = None
                page = cursor.execute(statement, [*values, most]).fetchall()
            if page:
                yield page
                after = page[-1][:2]
            if len(page) < most:
                return
            left = None if left is None else left - most

    def last(self, count: int, which: Filter = EVERYTHING) -> list[sqlite3.Row]:
        """The rows written last, oldest of them first."""
        condition, values = which.where()
        return self.query(f"{_SELECT} WHERE {condition} ORDER BY seq DESC LIMIT ?", [*values, count])[::-1]

    def follow(self, wait: Callable[[], bool], which: Filter = EVERYTHING, after: int | None = None) -> Iterator[sqlite3.Row]:
        """Rows as they are written, from now on or after the row with `seq` `after`. `wait` is called when there is none;
        following ends when it returns False."""
        condition, values = which.where()
        seen = self.newest() if after is None else after
        while True:
            newest = self.newest()
            if newest < seen:  # retention has emptied the table, and numbers start again
                seen = 0
            page = self.query(f"{_SELECT} WHERE {condition} AND seq > ? ORDER BY seq LIMIT ?", [*values, seen, PAGE])
            yield from page
            seen = page[-1]["seq"] if page else newest
            if not page and not wait():
                return

    def query(self, statement: str, values: Any = ()) -> list[sqlite3.Row]:
        """The rows of one SELECT over the tables of `schema`; values travel as parameters only."""
        with sqlite_file.told(self.path):
            return self._connection.execute(statement, values).fetchall()

    def newest(self) -> int:
        """The `seq` of the row written last; 0 while there is none."""
        return int(self.query("SELECT coalesce(max(seq), 0) FROM decisions")[0][0])

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _decoded(self, row: sqlite3.Row) -> Record:
        try:
            return decode(row)
        except (ValueError, IndexError) as error:
            raise LogFailure(
                f"{self.path}: the row of request {row['request_id']!r} cannot be read ({error}): a newer release wrote it, "
                "or the file is damaged"
            ) from error
