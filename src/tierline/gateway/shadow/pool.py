"""The shadows of one process: so many at a time, so many waiting, and an end to all of them.

It outlives a spec, and with it the day's accounts. Whoever is not begun yet waits in a queue that is bounded in number and in bytes;
where it is full, the one that has waited longest is left out."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec

from tierline.gateway.shadow.accounts import Accounts
from tierline.ledger.shadows import Shadowed
from tierline.types.features import Features

_logger = logging.getLogger("tierline.gateway")

AT_ONCE = 4
"""Shadows that run at the same time."""
MOST_WAITING = 64
MOST_BYTES = 16 * 1024 * 1024
"""Bytes of requests and answers whose shadows wait."""

Charge = Callable[[Features, str, float], None]
"""Is told of the USD that a model's answer beside a request has cost: where budgets of one's own are kept."""


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
    """Runs jobs. `accounts` say what may still be spent, `watch` counts, `charge` is told of every cost."""

    def __init__(self, accounts: Accounts, watch: Watch | None = None, charge: Charge | None = None) -> None:
        self.accounts = accounts
        self.watch = watch or Unwatched()
        self.charge = charge or _not_charged
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
        while len(self._waiting) > MOST_WAITING or self._bytes > MOST_BYTES:
            self.watch.skipped(self._next().model, "queue")
        self._begin()

    def forget(self, owner: object) -> None:
        """Leave out what waits for an owner whose spec is no longer at work."""
        staying = [job for job in self._waiting if job.owner is not owner]
        for job in self._waiting:
            if job.owner is owner:
                self.watch.skipped(job.model, "reloaded")
        self._waiting, self._bytes = deque(staying), sum(job.size for job in staying)

    async def close(self) -> None:
        """End everything: who waits is left out, who runs is cancelled, and what it has cost is written down."""
        self._closed = True
        while self._waiting:
            self.watch.skipped(self._next().model, "stopped")
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await self.accounts.written()

    def _next(self) -> Job:
        job = self._waiting.popleft()
        self._bytes -= job.size
        return job

    def _begin(self) -> None:
        while self._waiting and len(self._running) < AT_ONCE:
            job = self._next()
            task = asyncio.get_running_loop().create_task(self._run(job))
            self._running[task] = job
            task.add_done_callback(self._ended)

    async def _run(self, job: Job) -> None:
        try:
            await job.run()
        except asyncio.CancelledError:
            self.watch.skipped(job.model, "stopped")
        except Exception as error:
            # Its words are left out: they may quote the request.
            _logger.error("a shadow of %s failed by itself: %s", job.model, type(error).__name__)
            self.watch.skipped(job.model, "failed")

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task, None)
        if not self._closed:
            self._begin()


def _not_charged(features: Features, model: str, usd: float) -> None:
    """Nobody keeps budgets."""
