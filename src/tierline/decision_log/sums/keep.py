"""Adding rows up where the log is: in its SQLite file, or in PostgreSQL. Sums are written and the mark is moved in one transaction, by one
at a time: who finds that another was quicker leaves it at that, and goes on behind it."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from tierline import sqlite_file
from tierline.decision_log.schema import MIGRATIONS, PART
from tierline.decision_log.sums.in_file import behind
from tierline.decision_log.sums.schema import ADD, AFTER, FORGET, LATENCY, MARK, MOVE, mark, values
from tierline.decision_log.sums.table import DAY, MINUTE, MINUTES_KEPT, summed
from tierline.postgres.connection import connect, numbered
from tierline.types.errors import LogFailure

LOCK = 0x5449_4552_0002
"""The advisory lock of whoever adds up in a database."""


def add_up(where: Path | str, clock: Callable[[], float] = time.time) -> int:
    """Add up the next rows of a file, or of the database at a URL; how many there were. For threads that may wait. Raises LogFailure."""
    if isinstance(where, Path):
        with sqlite_file.told(where), closing(sqlite_file.open_file(where, PART, MIGRATIONS)) as file:
            return _in_file(file, clock())
    try:
        return asyncio.run(_in_database(where, clock()))
    except LogFailure:
        raise
    except Exception as error:
        raise LogFailure(f"the decision log in PostgreSQL cannot be added up: {type(error).__name__}: {error}") from error


def _in_file(file: sqlite3.Connection, now: float) -> int:
    seq = _mark(file)
    found, last = behind(file, seq, now - MINUTES_KEPT)
    if last is None:
        return 0
    with sqlite_file.transaction(file):  # it keeps the log's writer waiting, so all else is done before
        if _mark(file) != seq:  # somebody was quicker
            return 0
        for key, total in found.items():
            known = file.execute(LATENCY, key).fetchone()
            file.execute(ADD, values(key, total, None if known is None else known[0]))
        file.execute(MOVE, last)
        file.execute(FORGET, (MINUTE, now - MINUTES_KEPT))
    return sum(int(total.figures[0]) for key, total in found.items() if key[0] == DAY)


def _mark(file: sqlite3.Connection) -> int:
    return mark(lambda statement, *values: file.execute(statement, values).fetchone())


async def _in_database(url: str, now: float) -> int:
    database = await connect(url)
    try:
        async with database.transaction():
            if await database.fetchval("SELECT to_regclass('summed')") is None:  # whoever ships rows makes the tables
                return 0
            if not await database.fetchval("SELECT pg_try_advisory_xact_lock($1)", LOCK):
                return 0
            seq, _ = await database.fetchrow(MARK)
            rows = [tuple(row) for row in await database.fetch(numbered(AFTER), seq)]
            if not rows:
                return 0
            for key, total in summed(rows, now - MINUTES_KEPT).items():
                known = await database.fetchval(numbered(LATENCY), *key)
                await database.execute(numbered(ADD), *values(key, total, known))
            await database.execute(numbered(MOVE), *rows[-1][:2])
            await database.execute(numbered(FORGET), MINUTE, now - MINUTES_KEPT)
        return len(rows)
    finally:
        await database.close(timeout=2.0)
