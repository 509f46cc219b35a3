"""A file and a database, and how far the one has come into the other."""

from __future__ import annotations

import logging
import sqlite3
import uuid
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tierline import sqlite_file
from tierline.decision_log.postgres.batch import Batch, read_batch, shipped, write_batch
from tierline.decision_log.schema import MIGRATIONS, PART
from tierline.postgres.connection import connect
from tierline.postgres.migrate import upgrade

if TYPE_CHECKING:
    import asyncpg

_logger = logging.getLogger("tierline.decision_log")

SHIPPING = "shipping"
"""The part of the file that holds its name and how far it has come."""

_MIGRATIONS = ("CREATE TABLE shipping (source TEXT NOT NULL, seq INTEGER NOT NULL DEFAULT 0);",)


class Shipment:
    """Ships a file's rows batch by batch. `last` is the number of the last row that is in the database. Made by `begin`; raises LogFailure
    and what asyncpg raises."""

    def __init__(self, file: sqlite3.Connection, database: asyncpg.Connection) -> None:
        self.file = file
        self.database = database
        self.source = ""
        self.last = 0

    @classmethod
    async def begin(cls, path: Path, url: str) -> Shipment:
        """Open both ends, bring the tables up to date, and find the place to go on from."""
        sqlite_file.open_file(path, PART, MIGRATIONS).close()
        file = sqlite_file.open_file(path, SHIPPING, _MIGRATIONS)
        try:
            await upgrade(url)
            shipment = cls(file, await connect(url))
        except BaseException:
            file.close()
            raise
        try:
            await shipment._find_place()
        except BaseException:
            await shipment.close()
            raise
        return shipment

    async def next(self) -> int:
        """Ship the next batch; the number of its rows, 0 when there is none."""
        batch = read_batch(self.file, self.last)
        if batch.rows:
            await self._write(batch)
            self.last = batch.last[0]
            self.file.execute("UPDATE shipping SET seq = ?", (self.last,))
        return len(batch.rows)

    async def close(self) -> None:
        """Let go of both ends."""
        with suppress(Exception):
            await self.database.close(timeout=2.0)
        with suppress(sqlite3.Error):
            self.file.close()

    async def _write(self, batch: Batch) -> None:
        """Where the database refuses what stands in a row, the others do not wait for it."""
        from asyncpg import DataError  # noqa: PLC0415  # an optional extra

        refused = (DataError, ValueError, OverflowError)
        try:
            await write_batch(self.database, self.source, batch)
        except refused:
            for row in batch.rows:
                one = Batch([row], [text for text in batch.texts if text[0] == row[1]])
                try:
                    await write_batch(self.database, self.source, one)
                except refused as error:
                    _logger.error("the row of request %r has no form in PostgreSQL and stays out of it: %s", row[1], type(error).__name__)

    async def _find_place(self) -> None:
        """Where to go on. A file that was put back to an earlier state has other rows under numbers that were shipped: it gets a new name,
        and all of it goes once more, onto itself."""
        row = self.file.execute("SELECT source FROM shipping").fetchone()
        self.source = row[0] if row else self._name()
        known = await shipped(self.database, self.source)
        if known is None:
            return
        here = self.file.execute("SELECT request_id FROM decisions WHERE seq = ?", (known[0],)).fetchone()
        if here is not None and here[0] == known[1]:
            self.last = known[0]
        else:
            self.source = self._name()

    def _name(self) -> str:
        name = uuid.uuid4().hex
        with sqlite_file.transaction(self.file):
            self.file.execute("DELETE FROM shipping")
            self.file.execute("INSERT INTO shipping (source) VALUES (?)", (name,))
        return name


def place(path: Path) -> int:
    """The number of the last row of a file that is in the database; 0 where none is."""
    with closing(sqlite_file.open_for_reading(path, PART, len(MIGRATIONS))) as file:
        known = file.execute("SELECT 1 FROM sqlite_master WHERE name = 'shipping'").fetchone()
        return int(file.execute("SELECT coalesce(max(seq), 0) FROM shipping").fetchone()[0]) if known else 0


def left(path: Path) -> int:
    """Rows of a file that are not in the database, by their numbers."""
    with closing(sqlite_file.open_for_reading(path, PART, len(MIGRATIONS))) as file:
        known = file.execute("SELECT 1 FROM sqlite_master WHERE name = 'shipping'").fetchone()
        newest = file.execute("SELECT coalesce(max(seq), 0) FROM decisions").fetchone()[0]
        gone = file.execute("SELECT coalesce(max(seq), 0) FROM shipping").fetchone()[0] if known else 0
    return max(0, int(newest) - int(gone))
