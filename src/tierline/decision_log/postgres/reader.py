"""Reading a decision log in PostgreSQL: the same questions as of a file."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from tierline.decision_log.reader import EVERYTHING, PAGE, Filter, LogReader
from tierline.decision_log.schema import COLUMNS
from tierline.postgres.connection import connect, numbered, place_of
from tierline.types.errors import LogFailure

T = TypeVar("T")


class PostgresReader(LogReader):
    """A LogReader of a database: reads alone, one question at a time. Raises LogFailure, here and in every method, when it cannot be
    reached or holds no log. For callers without an event loop, or on a thread of their own."""

    def __init__(self, url: str) -> None:
        self.path, self.where = place_of(url), url
        self._runner = asyncio.Runner()
        try:
            self._database = self._wait(connect(url, reading=True))
        except BaseException:
            self._runner.close()
            raise
        if not self.query("SELECT 1 FROM pg_class WHERE oid = to_regclass('decisions')"):
            self.close()
            raise LogFailure("the database holds no decision log: no gateway has shipped rows to it yet")

    def pages(
        self, names: Sequence[str], which: Filter = EVERYTHING, limit: int | None = None, size: int = 4 * PAGE
    ) -> Iterator[list[Any]]:
        """As of a file."""
        columns = ", ".join(f'"{name}"' for name in COLUMNS if name in names)
        after: tuple[float, int] | None = None
        left = limit
        while left is None or left > 0:
            most = size if left is None else min(size, left)
            condition, values = which.after(after)
            statement = f"SELECT at, seq, {columns} FROM decisions WHERE {condition} ORDER BY at, seq LIMIT ?"  # noqa: S608
            page = self.query(statement, [*values, most])
            if page:
                yield [tuple(row.values()) for row in page]
                after = (page[-1]["at"], page[-1]["seq"])
            if len(page) < most:
                return
            left = None if left is None else left - most

    def query(self, statement: str, values: Any = ()) -> list[Any]:
        """The rows of one SELECT over the tables of `schema`; values travel as parameters only."""
        return list(self._wait(self._database.fetch(numbered(statement), *values)))

    def close(self) -> None:
        """Let go of the connection."""
        with suppress(Exception):
            self._wait(self._database.close(timeout=2.0))
        self._runner.close()

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        try:
            return self._runner.run(work)
        except LogFailure:
            raise
        except Exception as error:
            raise LogFailure(f"the decision log in PostgreSQL cannot be read: {type(error).__name__}: {error}") from error
