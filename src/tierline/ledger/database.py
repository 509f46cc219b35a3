"""A ledger in PostgreSQL, shared by every replica: the same tables and statements as in a file.

Whoever writes more than one statement has the ledger to itself, by an advisory lock that is held until the transaction ends. So the audit
trail of all replicas is one chain, ids follow the order of commits, and what was read within a transaction still holds when it is written.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Coroutine, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

from tierline.postgres.connection import connect, numbered
from tierline.postgres.migrate import is_current, upgrade
from tierline.types.errors import LedgerAway, LogFailure

if TYPE_CHECKING:
    import asyncpg

T = TypeVar("T")

LOCK = 0x5449_4552_0002
"""The advisory lock of whoever writes to the ledger."""

AGAIN = 1.0
"""Seconds for which nobody tries again after the database could not be reached; as long as the attempt took, where that is longer."""

WITHIN = 5.0
"""Seconds after which a statement is given up."""


class Fetched:
    """What a statement gave."""

    def __init__(self, rows: list[tuple[Any, ...]], rowcount: int) -> None:
        self._left = iter(rows)
        self.rowcount = rowcount

    def fetchone(self) -> tuple[Any, ...] | None:
        """The next row, or None."""
        return next(self._left, None)

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Every row that is left."""
        return list(self._left)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        """Row by row."""
        return self._left


class DatabaseConnection:
    """A connection to a ledger at `url`, made when it is first needed and again when it broke; `reading`: one that changes nothing, not
    even the tables. It has an event loop of its own and belongs to threads that run none.

    Every method raises LedgerAway while the database cannot be reached, and LogFailure where it refuses."""

    def __init__(self, url: str, *, reading: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._reading = reading
        self._clock = clock
        self._runner = asyncio.Runner()
        self._database: asyncpg.Connection | None = None
        self._away_until = float("-inf")
        self._away = ""
        self._within = False

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> Fetched:
        """As of a file."""
        given = [_value(value) for value in values]
        return self._run(lambda: self._execute(numbered(statement), given), again=_is_select(statement) and not self._within)

    def executemany(self, statement: str, values: Iterable[Sequence[Any]], /) -> None:
        """As of a file."""
        rows = [[_value(value) for value in row] for row in values]
        self._run(lambda: self._execute_many(numbered(statement), rows))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One transaction with the ledger to oneself, or a part of the one that is open."""
        if self._within:
            yield
            return
        self._run(self._begin, again=True)
        self._within = True
        try:
            yield
        except BaseException:
            self._within = False
            with suppress(LogFailure):
                self._run(lambda: self._end("ROLLBACK"))
            raise
        self._within = False
        self._run(lambda: self._end("COMMIT"))

    def columns(self, table: str) -> Collection[str]:
        """By the catalogue of the database."""
        found = self.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(?::text) AND attnum > 0 AND NOT attisdropped", (table,)
        )
        return {str(row[0]) for row in found}

    def close(self) -> None:
        """Let go of the connection."""
        with suppress(Exception):
            self._runner.run(self._let_go())
        self._runner.close()

    # The rest runs on the connection's own loop.

    async def _execute(self, statement: str, values: list[Any]) -> Fetched:
        database = await self._reached()
        if _gives_rows(statement):
            rows = [tuple(row.values()) for row in await database.fetch(statement, *values, timeout=WITHIN)]
            return Fetched(rows, len(rows))
        done = await database.execute(statement, *values, timeout=WITHIN)
        return Fetched([], int(count) if (count := done.rpartition(" ")[2]).isdecimal() else 0)

    async def _execute_many(self, statement: str, rows: list[list[Any]]) -> None:
        if rows:
            await (await self._reached()).executemany(statement, rows, timeout=WITHIN)

    async def _begin(self) -> None:
        database = await self._reached()
        await database.execute("BEGIN", timeout=WITHIN)
        await database.execute("SELECT pg_advisory_xact_lock($1)", LOCK, timeout=WITHIN)

    async def _end(self, how: str) -> None:
        """Without the connection that it was begun on there is no transaction any more: it was rolled back by the database."""
        if self._database is None:
            raise LedgerAway("the connection broke before the end of the transaction: nothing of it was kept")
        await self._database.execute(how, timeout=WITHIN)

    async def _reached(self) -> asyncpg.Connection:
        if self._database is not None and not self._database.is_closed():
            return self._database
        if self._within:
            raise LedgerAway("the connection broke within a transaction: nothing of it was kept")
        if self._clock() < self._away_until:
            raise LedgerAway(self._away)
        database = await connect(self._url, reading=self._reading)
        try:
            if not self._reading and not await is_current(database):
                await upgrade(self._url)
        except BaseException:
            await database.close(timeout=2.0)
            raise
        self._database = database
        return database

    async def _let_go(self) -> None:
        if self._database is not None:
            with suppress(Exception):
                await self._database.close(timeout=2.0)
        self._database = None

    def _run(self, work: Callable[[], Coroutine[Any, Any, T]], *, again: bool = False) -> T:
        """`again`: nothing was done where the connection turns out to be broken, so that a new one may be tried."""
        began = self._clock()
        try:
            return self._runner.run(work())
        except LogFailure:
            raise
        except Exception as error:
            if _refused(error):
                raise LogFailure(f"the ledger in PostgreSQL refuses: {type(error).__name__}: {error}") from error
            had_one = self._database is not None
            self._runner.run(self._let_go())
            if again and had_one and not isinstance(error, TimeoutError):
                return self._run(work)
            self._away = f"the ledger in PostgreSQL cannot be reached ({type(error).__name__}: {error})".replace(": )", ")")
            now = self._clock()
            self._away_until = now + max(AGAIN, now - began)
            raise LedgerAway(self._away) from error


def _is_select(statement: str) -> bool:
    return statement.lstrip()[:6].upper() == "SELECT"


def _gives_rows(statement: str) -> bool:
    return _is_select(statement) or " RETURNING " in statement


def _refused(error: Exception) -> bool:
    """Whether the database is there and says no: what is wrong is the statement, its values or the user's rights. Not so where it cannot
    serve (08 connection, 53 resources, 57 operator, 58 system), rolled back for others' sake (40), or only reads (25006)."""
    from asyncpg import PostgresError  # noqa: PLC0415  # an optional extra

    if isinstance(error, PostgresError):
        state = error.sqlstate or ""
        return state[:2] not in ("", "08", "53", "57", "58", "40") and state != "25006"
    return isinstance(error, ValueError | TypeError | OverflowError)


def _value(value: Any) -> Any:
    """Truths are numbers, as in a file; a text in PostgreSQL holds no NUL."""
    if isinstance(value, bool):
        return int(value)
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value
