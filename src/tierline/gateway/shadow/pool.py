"""The shadows of one process: so many at a time, so many waiting, and an end to all of them.

It outlives a spec, and with it the day's accounts. Whoever is not begun yet waits in a queue that is bounded in number and in bytes;
where it is full, the one that has waited longest is left out."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec

from tierline.gateway.shadow.accounts import Accounts
from tierline.ledger.shadows import Shadowed

_logger = logging.getLogger("tierline.gateway")

AFTER = 0.05
"""Seconds in which an answer leaves the process before the work on its shadow begins."""
AT_ONCE = 32
"""Shadows that run at the same time."""
OF_ONE = 8
"""Of them so many are of one model: one that hangs is not to keep the others from answering."""
MOST_WAITING = 64
MOST_BYTES = 16 * 1024 * 1024
"""Bytes of requests and answers whose shadows wait or run."""


class Watch(Protocol):
    """Who counts."""

    def shadowed(self, row: Shadowed) -> None:
        """An answer was asked for, whatever came of it."""

    def skipped(self, model: str, why: str) -> None:
        """One was drawn and not asked for."""


class Unwatched:
    """Nobody counts."""

    def shadowed(self, row: Shadowed) -> None:
        """Nothing is done."""

    def skipped(self, model: str, why: str) -> None:
        """Nothing is done."""


class Job(msgspec.Struct, frozen=True):
    """One shadow that is to run: of `model`, for a request that takes about `size` bytes. `owner` is whose spec it belongs to."""

    model: str
    size: int
    owner: object
    run: Callable[[], Awaitable[None]]


class Pool:
    """Runs jobs. `accounts` say what may still be spent, `watch` counts."""

    def __init__(self, accounts: Accounts, watch: Watch | None = None) -> None:
        self.accounts = accounts
        self.watch = watch or Unwatched()
        self._waiting: deque[Job] = deque()
        self._bytes = 0
        self._running: dict[asyncio.Task[None], Job] = {}
        self._closed = False

    @property
    def waiting(self) -> int:
        """Shadows that are not begun yet."""
        return len(self._waiting)

    @property
    def running(self) -> int:
        """Shadows under way."""
        return len(self._running)

    def runs_for(self, owner: object) -> bool:
        """Whether anything of that owner's is under way."""
        return any(job.owner is owner for job in self._running.values())

    def offer(self, job: Job) -> None:
        """Take a job; it begins once the code that now runs has let go."""
        if self._closed:
            self.watch.skipped(job.model, "stopped")
            return
        self._waiting.append(job)
        self._bytes += job.size
        while self._waiting and self._bytes > MOST_BYTES:
            self._leave_out("queue")
        self._begin()
        while len(self._waiting) > MOST_WAITING:
            self._leave_out("queue")

    def forget(self, owner: object) -> None:
        """Leave out what waits for an owner whose spec is no longer at work."""
        for at in reversed([at for at, job in enumerate(self._waiting) if job.owner is owner]):
            self._leave_out("reloaded", at)

    async def idle(self) -> None:
        """Returns when nothing runs or waits any more, and all of it is written down."""
        while self._running:
            await asyncio.wait(list(self._running))
        await self.accounts.written()

    async def close(self) -> None:
        """End everything: who waits is left out, who runs is cancelled, and what it has cost is written down."""
        self._closed = True
        while self._waiting:
            self._leave_out("stopped")
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await self.accounts.written()

    def _leave_out(self, why: str, at: int = 0) -> None:
        job = self._waiting[at]
        del self._waiting[at]
        self._bytes -= job.size
        self.watch.skipped(job.model, why)

    def _next(self) -> Job | None:
        """The job that has waited longest, of those that may run now."""
        if len(self._running) >= AT_ONCE:
            return None
        busy = Counter(job.model for job in self._running.values())
        at = next((at for at, job in enumerate(self._waiting) if busy[job.model] < OF_ONE), None)
        if at is None:
            return None
        job = self._waiting[at]
        del self._waiting[at]
        return job

    def _begin(self) -> None:
        while (job := self._next()) is not None:
            task = asyncio.get_running_loop().create_task(self._run(job))
            self._running[task] = job
            task.add_done_callback(self._ended)

    async def _run(self, job: Job) -> None:
        try:
            await asyncio.sleep(AFTER)
            await job.run()
        except asyncio.CancelledError:
            self.watch.skipped(job.model, "stopped")
        except Exception as error:
            # Its words are left out: they may quote the request.
            _logger.error("a shadow of %s failed by itself: %s", job.model, type(error).__name__)
            self.watch.skipped(job.model, "failed")

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._bytes -= self._running.pop(task).size
        if not self._closed:
            self._begin()
