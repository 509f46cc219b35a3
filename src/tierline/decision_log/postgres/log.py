"""The decision log of a gateway whose rows go on to PostgreSQL."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from tierline.decision_log.postgres.reader import PostgresReader
from tierline.decision_log.postgres.shipment import left
from tierline.decision_log.postgres.shipper import Shipper
from tierline.decision_log.reader import Filter
from tierline.decision_log.sqlite import SqliteLog
from tierline.types.record import Record


class PostgresLog:
    """A DecisionLog in PostgreSQL, by way of a local file.

    A row is acknowledged when it is in the file at `path`, which survives the process; from there it goes to the database at `url` in order
    and exactly once. At most `max_backlog` rows may wait there while the database is away: past it requests are refused, none is lost.
    `read_url` names a replica of the database for whoever reads, empty: the database itself. Seconds for `retention` (None: for ever),
    `text_retention` and `keep_local`. Raises LogFailure when the file cannot be opened."""

    def __init__(
        self,
        path: str | Path,
        *,
        url: str,
        read_url: str = "",
        retention: float | None = None,
        text_retention: float = 7 * 86400.0,
        keep_local: float = 3600.0,
        max_queue: int = 100_000,
        max_backlog: int = 5_000_000,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._file = SqliteLog(path, retention=None, text_retention=text_retention, max_queue=max_queue, clock=clock)
        self._read_url = read_url or url
        self._max_queue, self._max_backlog = max_queue, max_backlog
        self._shipper = Shipper(self._file.path, url, keep=keep_local, retention=retention, text_retention=text_retention, clock=clock)

    @property
    def waiting(self) -> int:
        """Rows taken and not yet on disk; as many as may be, where the backlog is full."""
        return self._max_queue if self._full else self._file.waiting

    @property
    def backlog(self) -> int:
        """Rows that are safe on disk and not yet in PostgreSQL."""
        return self._shipper.backlog

    @property
    def problem(self) -> str:
        """What keeps rows from the disk; empty while all is well, though PostgreSQL may be away."""
        if self._full:
            return f"{self._shipper.backlog:,} rows wait for PostgreSQL, as many as may (`decision_log.max_backlog`): {self.behind}"
        return self._file.problem

    @property
    def behind(self) -> str:
        """What keeps rows from PostgreSQL; empty while all is well."""
        return self._shipper.problem

    def put(self, record: Record, text: bytes | None = None) -> None:
        """Take a row without waiting. Raises LogFailure when the queue is full or the log closed; a full backlog is told by
        `waiting`, so that no request is begun, and a row of one that had begun is still taken."""
        self._file.put(record, text)

    async def flushed(self) -> None:
        """Returns when every row taken before this call is on the local disk."""
        await self._file.flushed()

    async def shipped(self) -> None:
        """Returns when every row taken before this call is in PostgreSQL; waits for as long as it is away."""
        await self.flushed()
        while left(self._file.path):
            await asyncio.sleep(0.02)

    def get(self, request_id: str) -> Record | None:
        """One row, from the local file or, of another replica or of earlier days, from PostgreSQL; None where there is none. Raises
        LogFailure when neither knows and PostgreSQL cannot be reached."""
        found = self._file.get(request_id)
        if found is not None:
            return found
        with closing(PostgresReader(self._read_url)) as reader:
            return reader.get(request_id)

    def rows(self, since: float = 0.0, until: float | None = None, limit: int | None = None) -> Iterator[Record]:
        """Rows of every replica that have reached PostgreSQL, by time, oldest first."""
        with closing(PostgresReader(self._read_url)) as reader:
            yield from reader.records(Filter(since=since, until=until), limit)

    def close(self) -> None:
        """Write what is waiting, ship what can be shipped, and let go."""
        try:
            self._file.close()
        finally:
            self._shipper.close()

    @property
    def _full(self) -> bool:
        return self._shipper.backlog >= self._max_backlog
