"""A query of a SQLite file, which is opened for reading only and on a thread of its own."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from tierline.answerers.rows import MOST, Row
from tierline.types.errors import AnswererFailure

_LOOK_EVERY = 1000
"""Steps of SQLite's machine between two looks at the clock."""

_MAY = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE})


class SqliteRows:
    """One query of one file; a run of it ends by itself after `limit` seconds."""

    def __init__(self, path: Path, query: str, limit: float) -> None:
        self._path, self._query, self._limit = path, query, limit
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="tierline-sqlite")
        self._connection: sqlite3.Connection | None = None
        self._until = 0.0
        self._gone = False

    async def find(self, values: Mapping[str, str]) -> Sequence[Row]:
        """The first rows; raises AnswererFailure."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._found, values)

    async def close(self) -> None:
        """Let go of the file once the query that runs has ended."""
        if not self._gone:
            self._gone = True
            self._thread.submit(self._closed)
            self._thread.shutdown(wait=False)

    def _found(self, values: Mapping[str, str]) -> Sequence[Row]:
        self._until = time.monotonic() + self._limit
        try:
            connection = self._connection = self._connection or self._opened()
            with closing(connection.execute(self._query, dict(values))) as cursor:
                names = [column[0] for column in cursor.description or ()]
                return [dict(zip(names, row, strict=True)) for row in cursor.fetchmany(MOST)]
        except sqlite3.Error as error:
            raise AnswererFailure(f"SQLite refused the query: {getattr(error, 'sqlite_errorname', type(error).__name__)}") from None

    def _opened(self) -> sqlite3.Connection:
        address = self._path.resolve().as_uri() + "?mode=ro"
        connection = sqlite3.connect(address, uri=True, timeout=self._limit, isolation_level=None, check_same_thread=False)
        connection.set_authorizer(_authorised)
        connection.set_progress_handler(lambda: time.monotonic() > self._until, _LOOK_EVERY)
        return connection

    def _closed(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _authorised(action: int, *_: object) -> int:
    """Nothing but reading, whatever the query says."""
    return sqlite3.SQLITE_OK if action in _MAY else sqlite3.SQLITE_DENY
