"""The decision log in a SQLite file: `put` encodes a row and appends it to a queue, a thread of its own writes.

A row is encoded where it was made: its parts are at hand there, and go where they came from. The writer would have to fetch them once
more, while the event loop waits for the interpreter's lock.

A row leaves the queue only when its transaction is committed, so the length of the queue is the number of rows that a crash of
the process would lose, and a disk that cannot be written loses nothing: rows wait, are tried again, and past `max_queue`
`put` refuses. Several processes may write the same file.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec

from tierline import sqlite_file
from tierline.decision_log.codec import decode, encode, mended
from tierline.decision_log.reader import Filter, LogReader
from tierline.decision_log.retention import Retention
from tierline.decision_log.schema import COLUMNS, MIGRATIONS, PART, insert
from tierline.sqlite_file import Connect, Durability, transaction
from tierline.types.errors import LogFailure
from tierline.types.record import Record

_logger = logging.getLogger("tierline.decision_log")

GATHER = 0.1
"""Seconds for which the writer lets rows come together before it writes them."""

BATCH = 2048
"""Most rows of one transaction."""

RETRY_FIRST, RETRY_LAST = 0.05, 5.0
"""Seconds between two tries to write, at first and at most."""

_IDLE = 30.0
_BAD_ROW = (
    sqlite3.IntegrityError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
    sqlite3.DataError,
    OverflowError,
    TypeError,
    ValueError,
    AttributeError,
)
_ID, _AT = COLUMNS.index("request_id"), COLUMNS.index("at")
_INSERTS = tuple((rows, insert(rows)) for rows in (512, 256, 128, 64, 32, 16, 8, 4, 2, 1))
"""Statements that write so many rows at once. Each run of one lets go of the interpreter's lock several times and has to get it back from a
busy event loop, which costs more than the writing does."""
_EVEN, _MANY = 32, 64
"""Where there are many rows, those that are over an even number wait for the next batch: few statements write it then."""
_INSERT_TEXT = "INSERT OR REPLACE INTO texts (request_id, at, body) VALUES (?, ?, ?)"

_Values = tuple[Any, ...]
"""A row, in the order of `schema.COLUMNS`."""

_Taken = tuple[_Values, bytes | None]


class _Waiter(msgspec.Struct, frozen=True):
    """Someone who waits for the `position`-th row to be on disk."""

    position: int
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[None]


class SqliteLog:
    """A DecisionLog in one SQLite file, and the tables of the ledger beside it if there is one.

    `retention` and `text_retention` are seconds (None: kept for ever), `max_queue` counts rows, `clock` gives Unix time in
    seconds. `durability` says what an acknowledged row survives: `process` (kill -9) or `power` (one fsync a batch).
    Raises LogFailure when the file cannot be opened. Where `close` is forgotten, the interpreter's exit does it."""

    def __init__(
        self,
        path: str | Path,
        *,
        retention: float | None = None,
        text_retention: float = 7 * 86400.0,
        max_queue: int = 100_000,
        clock: Callable[[], float] = time.time,
        durability: Durability = "process",
        connect: Connect = sqlite_file.connect,
    ) -> None:
        self.path = Path(path)
        self.rejected = 0
        """Rows that have no stored form at all; each was named in an error of the logger `tierline.decision_log`."""
        self._max_queue = max_queue
        self._durability: Durability = durability
        self._connect = connect
        self._retention = Retention(retention, text_retention, clock)
        self._queue: list[_Taken] = []
        self._written = 0
        self._idle = False
        self._closing = False
        self._problem = ""
        self._wake = threading.Event()
        self._lock = threading.Lock()
        self._waiters: list[_Waiter] = []
        self._stop = threading.Event()
        self._give_up = float("inf")
        self._file: tuple[int, int] | None = None
        self._connection: sqlite3.Connection | None = None
        self._current()
        self._thread = threading.Thread(target=self._run, name="tierline-log", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def put(self, record: Record, text: bytes | None = None) -> None:
        """Take a row, and its prompt and answer where they are kept, without waiting.

        Raises LogFailure when the queue is full or the log closed. A row with an id that the log already has replaces it.
        May be called from any thread."""
        queue = self._queue
        if len(queue) >= self._max_queue or self._closing:
            raise self._refusal()
        values = self._encoded(record)
        if values is not None:
            queue.append((values, text))
        if self._idle:
            self._wake.set()

    async def flushed(self) -> None:
        """Returns when every row taken before this call is on disk; for as long as the disk cannot be written it waits.

        Raises LogFailure when the log is closed before that."""
        loop = asyncio.get_running_loop()
        with self._lock:
            if not self._queue:
                return
            if self._closing:
                raise self._refusal()
            future = loop.create_future()
            self._waiters.append(_Waiter(self._written + len(self._queue), loop, future))
        self._wake.set()
        await future

    def get(self, request_id: str) -> Record | None:
        """One row, written or still waiting, or None. Raises LogFailure when the file cannot be read."""
        for values, _ in reversed(self._queue[:]):
            if values[_ID] == request_id:
                return _record(values)
        with closing(LogReader(self.path)) as reader:
            return reader.get(request_id)

    def rows(self, since: float = 0.0, until: float | None = None, limit: int | None = None) -> Iterator[Record]:
        """Rows on disk by time, oldest first: `since` ≤ at < `until`, in Unix seconds. Rows still waiting are not among them."""
        with closing(LogReader(self.path)) as reader:
            yield from reader.records(Filter(since=since, until=until), limit)

    @property
    def waiting(self) -> int:
        """Rows taken and not yet on disk."""
        return len(self._queue)

    @property
    def healthy(self) -> bool:
        """False while rows cannot be written, or the queue is full."""
        return not self.problem

    @property
    def problem(self) -> str:
        """What keeps rows from the disk and how to mend it; empty while all is well."""
        if not self._problem and len(self._queue) >= self._max_queue:
            return f"{self.path}: {len(self._queue)} rows wait for the disk, as many as may: it is too slow for this traffic"
        return self._problem

    @property
    def backlog(self) -> int:
        """None: what is in the file is where it is read."""
        return 0

    @property
    def behind(self) -> str:
        """Nothing."""
        return ""

    def close(self, patience: float = 10.0) -> None:
        """Write what is waiting and let go of the file; a second call does nothing.

        Raises LogFailure, with the number of rows lost, when they cannot be written within `patience` seconds."""
        if self._closing:
            return
        self._give_up = time.monotonic() + patience
        self._closing = True
        atexit.unregister(self.close)
        self._stop.set()
        self._wake.set()
        self._thread.join(patience + 2 * sqlite_file.BUSY)
        left = len(self._queue)
        self._release(LogFailure(f"{self.path}: the log was closed before the row was written"))
        if left:
            raise LogFailure(f"{left} rows of the decision log could not be written and are lost: {self._problem or self.path}")

    def _encoded(self, record: Record) -> _Values | None:
        """The row, or the nearest that has a stored form; None where there is none."""
        try:
            return encode(record)
        except _BAD_ROW:
            try:
                return encode(mended(record))
            except _BAD_ROW as error:
                self._reject(record.decision.request_id, error)
                return None

    def _reject(self, request_id: str, error: Exception) -> None:
        self.rejected += 1
        _logger.error("the row of request %r has no stored form and is not in the log: %s", request_id, type(error).__name__)

    def _refusal(self) -> LogFailure:
        if self._closing:
            return LogFailure(f"{self.path}: the decision log is closed")
        return LogFailure(f"the decision log takes no more rows: {self.problem}")

    # The rest runs in the writer's thread.

    def _run(self) -> None:
        delay = RETRY_FIRST
        while self._queue or not self._closing:
            self._gather()
            try:
                self._settle()
                delay = RETRY_FIRST
            except Exception as error:  # whatever it is, the rows are still in the queue and the next try may go well
                self._failed(error)
                if time.monotonic() > self._give_up:
                    break
                self._stop.wait(delay) if not self._closing else time.sleep(RETRY_FIRST)
                delay = min(delay * 2, RETRY_LAST)
        self._disconnect()

    def _gather(self) -> None:
        """Sleep until there is a row, then let others join it, unless someone waits for them."""
        if not self._queue:
            # A `put` that does not yet see `_idle` has appended before the queue is looked at again.
            self._idle = True
            if not self._queue and not self._closing:
                self._wake.wait(_IDLE)
            self._idle = False
            self._wake.clear()
        if len(self._queue) < BATCH and not self._waiters and not self._closing:
            self._wake.wait(GATHER)
        self._wake.clear()

    def _settle(self) -> None:
        """One pass: what is too old goes out, what waits goes in."""
        connection = self._current()
        self._retention.run(connection)
        waiting = min(len(self._queue), BATCH)
        taken = self._queue[: waiting if waiting < _MANY else waiting // _EVEN * _EVEN]
        try:
            if taken:
                _write(connection, taken)
        except _BAD_ROW:
            for one in taken:  # the others shall not wait for the one that the file refuses
                self._write_one(connection, one)
        self._problem = ""
        with self._lock:
            del self._queue[: len(taken)]
            self._written += len(taken)
        self._release(None)

    def _write_one(self, connection: sqlite3.Connection, one: _Taken) -> None:
        values, text = one
        try:
            _write(connection, [one])
        except _BAD_ROW:
            try:
                _write(connection, [(encode(mended(_record(values))), text)])
            except _BAD_ROW as error:
                self._reject(values[_ID], error)

    def _failed(self, error: Exception) -> None:
        problem = error.message if isinstance(error, LogFailure) else sqlite_file.explain(self.path, error)
        if problem != self._problem:
            _logger.error("the decision log cannot be written, %d rows wait: %s", len(self._queue), problem)
        self._problem = problem
        self._disconnect()

    def _current(self) -> sqlite3.Connection:
        """The connection to the file that stands at the path now: one that was moved or deleted is left, and a new one begun."""
        if self._connection is not None and _file_id(self.path) != self._file:
            self._disconnect()
        if self._connection is None:
            self._connection = sqlite_file.open_file(self.path, PART, MIGRATIONS, durability=self._durability, connect=self._connect)
            self._file = _file_id(self.path)
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
        self._connection = None

    def _release(self, error: LogFailure | None) -> None:
        """Wake those whose rows are on disk, or everyone with an error."""
        with self._lock:
            due = [waiter for waiter in self._waiters if error is not None or waiter.position <= self._written]
            self._waiters = [waiter for waiter in self._waiters if waiter not in due]
        for waiter in due:
            with suppress(RuntimeError):  # its loop is closed: nobody waits any more
                waiter.loop.call_soon_threadsafe(_resolve, waiter.future, error)


def _write(connection: sqlite3.Connection, taken: list[_Taken]) -> None:
    texts = [(values[_ID], values[_AT], text) for values, text in taken if text is not None]
    most = connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER) // len(COLUMNS)  # builds of SQLite differ in it
    with transaction(connection):
        begun = 0
        for rows, statement in _INSERTS:
            while rows <= most and len(taken) - begun >= rows:
                connection.execute(statement, [*chain.from_iterable([values for values, _ in taken[begun : begun + rows]])])
                begun += rows
        if texts:
            connection.executemany(_INSERT_TEXT, texts)


def _record(values: _Values) -> Record:
    return decode(dict(zip(COLUMNS, values, strict=True)))


def _resolve(future: asyncio.Future[None], error: LogFailure | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)


def _file_id(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
