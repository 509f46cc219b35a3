"""What every class of the ledger speaks to: one connection to the tables, wherever they are.

A class of the ledger takes `(path, connection, …)` and says

    with told(self._path), transaction(self._connection):
        row = self._connection.execute("INSERT INTO pins (…) VALUES (?, ?) RETURNING id", (one, two)).fetchone()

in SQL that SQLite and PostgreSQL both understand: `?` for values, `ON CONFLICT … DO UPDATE` (never `INSERT OR REPLACE`), `RETURNING id`
(never `lastrowid`), `coalesce(sum(x), 0)` (never `total`), `sum(CASE WHEN … THEN 1 ELSE 0 END)` (never a sum of truths), no `rowid`, no
`PRAGMA`, no `sqlite_master`, text in single quotes, and the table's name before a column that an upsert adds to.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

from tierline import sqlite_file
from tierline.ledger.schema import MIGRATIONS, PART
from tierline.sqlite_file import BUSY, Durability, told

__all__ = ["Connection", "FileConnection", "Rows", "open_file", "read_file", "told", "transaction"]


class Rows(Protocol):
    """What a statement gave: tuples, and how many rows it changed."""

    @property
    def rowcount(self) -> int:
        """Rows that were changed."""

    def fetchone(self) -> Any:
        """The next row, or None."""

    def fetchall(self) -> list[Any]:
        """Every row that is left."""

    def __iter__(self) -> Iterator[Any]:
        """Row by row."""


class Connection(Protocol):
    """The tables of a ledger. A statement outside a transaction stands when `execute` returns. One thread at a time. A database raises
    LogFailure by itself, a file what `told` turns into one."""

    def execute(self, statement: str, values: Sequence[Any] = ..., /) -> Rows:
        """Run one statement; values travel as parameters only."""

    def executemany(self, statement: str, values: Iterable[Sequence[Any]], /) -> object:
        """Run one statement for each row of values."""

    def transaction(self) -> AbstractContextManager[None]:
        """All of it or nothing, and nobody else writes to the ledger meanwhile, in this process or any other. Within one that is open it is
        part of that."""

    def columns(self, table: str) -> Collection[str]:
        """The columns of a table; none where there is no such table."""

    def close(self) -> None:
        """Let go."""


def transaction(connection: Connection) -> AbstractContextManager[None]:
    """All of it or nothing, with the ledger to oneself."""
    return connection.transaction()


class FileConnection(sqlite3.Connection):
    """A connection to a ledger in a SQLite file."""

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One write transaction, or a part of the one that is open."""
        if self.in_transaction:
            yield
            return
        with sqlite_file.transaction(self):
            yield

    def columns(self, table: str) -> Collection[str]:
        """By what the file says of itself."""
        return {row[0] for row in self.execute("SELECT name FROM pragma_table_info(?)", (table,))}


def open_file(path: Path, durability: Durability) -> FileConnection:
    """The ledger in the file at `path`, made or brought up to date. Raises LogFailure."""
    opened = sqlite_file.open_file(path, PART, MIGRATIONS, durability=durability, connect=_connect)
    assert isinstance(opened, FileConnection)
    return opened


def read_file(path: Path) -> FileConnection:
    """The same for reading alone. Raises LogFailure where there is no file, or no ledger in it."""
    opened = sqlite_file.open_for_reading(path, PART, len(MIGRATIONS), factory=FileConnection)
    assert isinstance(opened, FileConnection)
    return opened


def _connect(path: Path) -> FileConnection:
    return sqlite3.connect(path, timeout=BUSY, isolation_level=None, check_same_thread=False, factory=FileConnection)
