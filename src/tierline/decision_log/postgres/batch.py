"""One batch of rows on its way from a local file into PostgreSQL: exactly once, whatever breaks in between.

A batch and the number of its last row go in one transaction. Whoever comes after a crash reads that number and goes on behind it; the
number is of the file, which carries a name of its own (`source`).
"""

from __future__ import annotations

import datetime
import sqlite3
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from tierline.decision_log.schema import COLUMNS
from tierline.postgres.migrate import LOCK

if TYPE_CHECKING:
    import asyncpg

MOST = 2000
"""Rows of one batch."""

DAY = 86400.0

_NAMES = ", ".join(f'"{name}"' for name in COLUMNS)
_READ = f"SELECT seq, {_NAMES} FROM decisions WHERE seq > ? ORDER BY seq LIMIT {MOST}"  # noqa: S608  # names from `schema`
_TEXTS = "SELECT request_id, at, body FROM texts WHERE request_id IN (SELECT request_id FROM decisions WHERE seq > ? AND seq <= ?)"
_UPDATES = ", ".join(f'"{name}" = excluded."{name}"' for name in COLUMNS if name not in ("request_id", "at"))
_MERGE = (
    f"INSERT INTO decisions ({_NAMES}) SELECT {_NAMES} FROM incoming ORDER BY n "  # noqa: S608  # names from `schema`
    f"ON CONFLICT (request_id, at) DO UPDATE SET {_UPDATES}"
)
_AT = 1 + COLUMNS.index("at")
_ID = 1 + COLUMNS.index("request_id")


class Batch(msgspec.Struct, frozen=True):
    """Rows as the file holds them (their number first), and the texts that belong to them."""

    rows: Sequence[tuple[Any, ...]]
    texts: Sequence[tuple[Any, ...]]

    @property
    def last(self) -> tuple[int, str, float]:
        """Number, request id and time of the last row."""
        row = self.rows[-1]
        return row[0], row[_ID], row[_AT]


def read_batch(file: sqlite3.Connection, after: int) -> Batch:
    """The next rows of a file behind the row with that number."""
    rows = file.execute(_READ, (after,)).fetchall()
    texts = file.execute(_TEXTS, (after, rows[-1][0])).fetchall() if rows else []
    return Batch(rows, texts)


async def write_batch(connection: asyncpg.Connection, source: str, batch: Batch) -> None:
    """Write one batch, and that it has been written. A row that is there is brought up to date."""
    from asyncpg import UniqueViolationError  # noqa: PLC0415  # an optional extra

    try:
        async with connection.transaction():
            await _prepare(connection, batch)
            await connection.copy_records_to_table("decisions", records=[row[1:] for row in batch.rows], columns=COLUMNS)
            await _finish(connection, source, batch)
    except UniqueViolationError:
        async with connection.transaction():
            await _prepare(connection, batch)
            await _merge(connection, batch)
            await _finish(connection, source, batch)


async def shipped(connection: asyncpg.Connection, source: str) -> tuple[int, str, float] | None:
    """Number, request id and time of the last row of a file that is in the database; None where none is."""
    row = await connection.fetchrow("SELECT seq, request_id, at FROM shipments WHERE source = $1", source)
    return None if row is None else (row["seq"], row["request_id"], row["at"])


async def _prepare(connection: asyncpg.Connection, batch: Batch) -> None:
    """One batch at a time, over all replicas: the order of `seq` is the order of commits, and nobody makes the same partition twice."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
    await make_days(connection, "decisions", {int(row[_AT] // DAY) for row in batch.rows})
    await make_days(connection, "texts", {int(at // DAY) for _, at, _ in batch.texts})


async def _merge(connection: asyncpg.Connection, batch: Batch) -> None:
    await connection.execute(
        f"CREATE TEMP TABLE incoming ON COMMIT DROP AS SELECT 0::bigint AS n, {_NAMES} FROM decisions WITH NO DATA"  # noqa: S608
    )
    records = [(row[0], *row[1:]) for row in batch.rows]
    await connection.copy_records_to_table("incoming", records=records, columns=("n", *COLUMNS))
    await connection.execute(_MERGE)


async def _finish(connection: asyncpg.Connection, source: str, batch: Batch) -> None:
    if batch.texts:
        await connection.executemany(
            "INSERT INTO texts (request_id, at, body) VALUES ($1, $2, $3) ON CONFLICT (request_id, at) DO UPDATE SET body = excluded.body",
            batch.texts,
        )
    await connection.execute(
        "INSERT INTO shipments (source, seq, request_id, at) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (source) DO UPDATE SET seq = excluded.seq, request_id = excluded.request_id, at = excluded.at",
        source,
        *batch.last,
    )


async def make_days(connection: asyncpg.Connection, table: str, days: Iterable[int]) -> None:
    """The partitions of those days (counted from 1970), where they are not there. `table` is a name of ours."""
    for day in sorted(days):
        name = f"{table}_{named(day)}"
        if await connection.fetchval("SELECT to_regclass($1)", name) is None:
            await connection.execute(
                f"CREATE TABLE {name} PARTITION OF {table} FOR VALUES FROM ({day * DAY:.1f}) TO ({(day + 1) * DAY:.1f})"
            )


async def drop_days(connection: asyncpg.Connection, table: str, before: float) -> list[str]:
    """Drop the partitions whose every row is older than a moment (Unix seconds); their names."""
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
        names = await connection.fetch(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = $1::regclass", table
        )
        last = f"{table}_{named(int(before // DAY))}"
        old = sorted(row["relname"] for row in names if row["relname"] < last)
        for name in old:
            await connection.execute(f'DROP TABLE "{name}"')
    return old


def named(day: int) -> str:
    """A day as partitions are named: 20261122."""
    return (datetime.date(1970, 1, 1) + datetime.timedelta(days=day)).strftime("%Y%m%d")
