"""A query of a PostgreSQL database, in transactions that can only read and end by themselves."""

from __future__ import annotations

import asyncio
import datetime
import decimal
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tierline.answerers.rows import MOST, Row
from tierline.config.sql_text import numbered, parameters
from tierline.types.errors import AnswererFailure

if TYPE_CHECKING:
    import asyncpg

MOST_CONNECTIONS = 4
"""Connections of one worker to one source."""
CONNECT_WITHIN = 5.0
"""Seconds for a connection; whoever does not wait so long goes on, and a later request finds it open."""
REST = 1.0
"""Seconds for which a database that could not be reached is left alone."""

_READ: Mapping[str, Callable[[str], Any]] = {
    **dict.fromkeys(("int2", "int4", "int8"), int),
    **dict.fromkeys(("float4", "float8"), float),
    "numeric": decimal.Decimal,
    "uuid": uuid.UUID,
    "date": datetime.date.fromisoformat,
    "time": datetime.time.fromisoformat,
    **dict.fromkeys(("timestamp", "timestamptz"), datetime.datetime.fromisoformat),
    "bool": lambda text: {"true": True, "false": False}[text.lower()],
}
"""Type of a parameter → how it is read from the question's words; all others are sent as text."""


class PostgresRows:
    """One query of one database; the server ends a run of it after `limit` seconds. Raises AnswererFailure where asyncpg is missing."""

    def __init__(self, url: str, query: str, limit: float) -> None:
        try:
            import asyncpg  # noqa: PLC0415  # an optional extra
        except ImportError:
            raise AnswererFailure("PostgreSQL needs asyncpg: pip install 'tierline[postgres]'") from None
        self._asyncpg = asyncpg
        self._url, self._query, self._limit = url, numbered(query), limit
        self._names = parameters(query)
        self._opening: asyncio.Task[asyncpg.Pool] | None = None
        self._readers: list[Callable[[str], Any]] | None = None
        self._rests_until = 0.0

    async def find(self, values: Mapping[str, str]) -> Sequence[Row]:
        """The first rows; raises AnswererFailure."""
        try:
            pool = await self._opened()
            async with pool.acquire() as connection, connection.transaction(readonly=True):
                return [dict(row) async for row in self._run(connection, values)]
        except self._asyncpg.PostgresError as error:
            raise AnswererFailure(f"PostgreSQL refused the query: {type(error).__name__} ({error.sqlstate})") from None
        except (OSError, self._asyncpg.InterfaceError) as error:
            raise AnswererFailure(f"PostgreSQL cannot be reached: {type(error).__name__}") from None

    async def close(self) -> None:
        """Let go of every connection."""
        opening, self._opening = self._opening, None
        if opening is None:
            return
        opening.cancel()
        for done in await asyncio.gather(opening, return_exceptions=True):
            if isinstance(done, self._asyncpg.Pool):
                done.terminate()

    async def _run(self, connection: Any, values: Mapping[str, str]) -> Any:
        if self._readers is None:
            prepared = await connection.prepare(self._query)
            self._readers = [_READ.get(kind.name, str) for kind in prepared.get_parameters()]
        try:
            given = [read(values[name]) for name, read in zip(self._names, self._readers, strict=True)]
        except (ValueError, KeyError, ArithmeticError):
            raise AnswererFailure("what the question names is not of the type that the query's parameter has") from None
        cursor = await connection.cursor(self._query, *given)
        for row in await cursor.fetch(MOST):
            yield row

    async def _opened(self) -> asyncpg.Pool:
        """The pool; it is opened once for all who wait for it, and goes on being opened when one of them gives up."""
        if self._opening is None:
            now = asyncio.get_running_loop().time()
            if now < self._rests_until:
                raise AnswererFailure("PostgreSQL could not be reached a moment ago")
            self._rests_until = now + REST
            self._opening = asyncio.create_task(self._open())
            self._opening.add_done_callback(self._opened_or_not)
        return await asyncio.shield(self._opening)

    def _opened_or_not(self, opening: asyncio.Task[asyncpg.Pool]) -> None:
        if opening.cancelled() or opening.exception() is not None:
            self._opening = None

    async def _open(self) -> asyncpg.Pool:
        limit = str(max(int(self._limit * 1000), 1))
        return await self._asyncpg.create_pool(
            self._url,
            min_size=1,
            max_size=MOST_CONNECTIONS,
            timeout=CONNECT_WITHIN,
            command_timeout=self._limit,
            server_settings={"default_transaction_read_only": "on", "statement_timeout": limit, "application_name": "tierline"},
        )
