"""Rows go on from the local file to PostgreSQL, in a thread of their own: in order, exactly once, for as long as it takes.

    put → local file (acknowledged) → batch by batch → PostgreSQL → leaves the local file after `keep` seconds

While the database is away rows stay where they are. Several workers share one file: the one that holds its lock ships for all.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

from tierline.decision_log.postgres.batch import MOST, drop_days
from tierline.decision_log.postgres.shipment import Shipment, left
from tierline.types.errors import LogFailure

_logger = logging.getLogger("tierline.decision_log")

LOOK_EVERY = 0.25
"""Seconds between two looks at the file."""

RETRY_FIRST, RETRY_LAST = 0.2, 10.0
TIDY_EVERY = 600.0
_DELETE = 5000


class Shipper:
    """Ships the rows of the file at `path` to the database at `url`.

    `keep` is for how many seconds a shipped row stays in the file; `retention` and `text_retention` (seconds) are of the database, where
    whole days are dropped; `clock` gives Unix time. Nothing is raised: `problem` says what is wrong."""

    def __init__(
        self,
        path: Path,
        url: str,
        *,
        keep: float,
        retention: float | None,
        text_retention: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.path = path
        self.problem = ""
        """What keeps rows from the database; empty while all is well."""
        self.backlog = 0
        """Rows of the file that are not in the database, at the last look."""
        self._url = url
        self._keep, self._retention, self._text_retention = keep, retention, text_retention
        self._clock = clock
        self._stop = threading.Event()
        self._give_up = float("inf")
        self._lock: IO[str] | None = None
        self._shipment: Shipment | None = None
        self._tidy_at = 0.0
        self._thread = threading.Thread(target=self._run, name="tierline-shipper", daemon=True)
        self._thread.start()

    def close(self, patience: float = 5.0) -> None:
        """Ship what can be shipped within `patience` seconds and let go; the rest stays in the file for the next start."""
        self._give_up = time.monotonic() + patience
        self._stop.set()
        self._thread.join(patience + 5.0)

    # The rest runs in the shipper's thread.

    def _run(self) -> None:
        with asyncio.Runner() as runner:
            delay = RETRY_FIRST
            while True:
                last = self._stop.is_set()
                went, moved = self._turn(runner)
                delay = RETRY_FIRST if went else min(delay * 2, RETRY_LAST)
                if last and (moved < MOST or time.monotonic() > self._give_up):
                    break
                if moved < MOST:
                    self._stop.wait(LOOK_EVERY if went else delay)
            runner.run(self._let_go())

    def _turn(self, runner: asyncio.Runner) -> tuple[bool, int]:
        """One look: whether all went well, and how many rows were shipped."""
        try:
            if not self._mine():
                self.problem, self.backlog = "", left(self.path)
                return True, 0
            moved = runner.run(self._ship())
            self.problem = ""
        except Exception as error:  # whatever it is, the rows are in the file and the next look may go well
            runner.run(self._let_go())
            self._failed(error)
            return False, 0
        return True, moved

    async def _ship(self) -> int:
        if self._shipment is None or self._shipment.database.is_closed():
            await self._end_shipment()
            self._shipment = await Shipment.begin(self.path, self._url)
        moved = await self._shipment.next()
        self.backlog = left(self.path)
        await self._tidy(self._shipment)
        return moved

    async def _tidy(self, shipment: Shipment) -> None:
        """Now and then: shipped rows leave the file, old days the database. The file's newest row stays, for numbers never start again."""
        now = self._clock()
        if now < self._tidy_at:
            return
        file, database, last = shipment.file, shipment.database, shipment.last
        deleted = file.execute(
            "DELETE FROM decisions WHERE seq IN (SELECT seq FROM decisions WHERE seq < ? AND at < ? ORDER BY seq LIMIT ?)",
            (last, now - self._keep, _DELETE),
        ).rowcount
        file.execute(
            "DELETE FROM texts WHERE at < ? AND request_id NOT IN (SELECT request_id FROM decisions WHERE seq > ?)",
            (now - self._keep, last),
        )
        if self._retention is not None:
            await drop_days(database, "decisions", now - self._retention)
        await drop_days(database, "texts", now - self._text_retention)
        self._tidy_at = now if deleted == _DELETE else now + TIDY_EVERY

    def _mine(self) -> bool:
        """Whether this process ships for all who share the file."""
        if self._lock is None:
            held = self.path.with_name(self.path.name + ".shipping").open("w")
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                held.close()
                return False
            self._lock = held
        return True

    def _failed(self, error: Exception) -> None:
        said = error.message if isinstance(error, LogFailure) else f"{type(error).__name__}: {error}".rstrip(": ")
        with suppress(Exception):
            self.backlog = left(self.path)
        problem = f"rows wait in {self.path} until PostgreSQL can be reached: {said}"
        if problem != self.problem:
            _logger.error("%s", problem)
        self.problem = problem

    async def _let_go(self) -> None:
        await self._end_shipment()
        if self._lock is not None:
            self._lock.close()
        self._lock = None

    async def _end_shipment(self) -> None:
        if self._shipment is not None:
            await self._shipment.close()
        self._shipment = None
