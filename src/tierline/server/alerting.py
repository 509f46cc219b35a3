"""The chore that looks at what is watched, writes alerts into the ledger, and tells of them.

Of several processes with one ledger only one looks, for as long as it lives; that no alert is raised twice the ledger sees to."""

from __future__ import annotations

import asyncio
import importlib
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from tierline.config.alerts import watches
from tierline.config.loaded import Loaded
from tierline.decision_log.opening import open_reader
from tierline.decision_log.reader import LogReader
from tierline.gateway.books import Books
from tierline.gateway.reload import Live
from tierline.ledger.ledger import Ledger
from tierline.server.alert_meters import AlertMeters
from tierline.types.alert import Alert
from tierline.types.errors import TierlineError

_logger = logging.getLogger("tierline.watch")

WHAT = "alerts"
"""The name under which the ledger knows who looks."""

BEAT = 5.0
"""Seconds between two glances at the spec and at what is open."""

HELD = 60.0
"""Seconds after which another process takes over from one that no longer says that it looks."""

IDLE = 4.0
"""How many times as long as hours were read is waited before more are: a fifth of a core at most."""

MOST_TELLING = 200
"""Alerts that are told of at one time; others wait in the ledger."""

ENDED = 14 * 86400.0
"""Seconds for which it is remembered that something has recovered."""


class Alerting:
    """The chore of one process. `where` is the decision log's place; `clock` gives Unix seconds."""

    def __init__(
        self,
        live: Live,
        books: Books,
        where: Path | str,
        meters: AlertMeters,
        clock: Callable[[], float] = time.time,
        beat: float = BEAT,
    ) -> None:
        self._live, self._books, self._where, self._meters, self._clock = live, books, where, meters, clock
        self._beat = beat
        self._holder = f"{live.world.member or ''}{id(self):x}-{time.monotonic_ns():x}"
        self._notifier: Any = None
        self._watcher: Any = None
        self._looked = 0.0
        self._telling: set[tuple[int, bool]] = set()

    async def run(self) -> None:
        """Look again and again, until cancelled. While nothing is watched, nothing is read."""
        async with asyncio.TaskGroup() as group:
            while True:
                loaded = self._live.gateway.loaded
                if loaded.spec.alerts.watch:
                    try:
                        await self.glance(loaded, group)
                    except TierlineError as failure:
                        _logger.error("what is watched could not be looked at: %s", failure.message)
                else:
                    self._watcher = None
                await asyncio.sleep(self._beat)

    async def glance(self, loaded: Loaded, group: asyncio.TaskGroup) -> None:
        """Show what is open; where this process is the one that looks and it is time to, look, and tell of what nobody was told of."""
        now = self._clock()
        names = [watch.name for watch in watches(loaded.spec.alerts)]
        if await self._books.ask(partial(_take, self._holder, now)):
            watcher = self._watcher
            if watcher is None or watcher.loaded is not loaded or now >= self._looked + float(loaded.spec.alerts.every):
                self._looked = now if await self._look(loaded, now) else self._looked
            await self._tell(loaded, group)
        else:
            self._watcher = None
        self._meters.show(names, await self._books.ask(lambda ledger: ledger.alerts.list("open", 1000)))

    async def _look(self, loaded: Loaded, now: float) -> bool:
        """Count the hours that are over and look at them; returns False where another process has taken over meanwhile."""
        watching = await asyncio.to_thread(importlib.import_module, "tierline.evaluation.watching.watcher")  # it needs NumPy, an extra
        if self._watcher is None or self._watcher.loaded is not loaded:
            first = watching.first_hour(now)
            kept = await self._books.ask(lambda ledger: ledger.alerts.hours(first))
            self._watcher = await asyncio.to_thread(watching.Watcher, loaded, kept)
        while True:
            began = time.perf_counter()
            fresh, done = await asyncio.to_thread(self._read, lambda reader: self._watcher.catch_up(reader, now))
            await self._books.ask(partial(_keep, fresh, watching.first_hour(now)))
            if done:
                break
            await asyncio.sleep(IDLE * (time.perf_counter() - began))
            at = self._clock()
            if not await self._books.ask(partial(_take, self._holder, at)):
                self._watcher = None
                return False
        open_now, ended = await self._books.ask(lambda ledger: (ledger.alerts.list("open", 1000), ledger.alerts.ended(now - ENDED)))
        budgets = self._budgets()
        found = await asyncio.to_thread(self._read, lambda reader: self._watcher.look(reader, open_now, ended, budgets, now))
        for watch in await self._books.ask(lambda ledger: _write(ledger, found)):
            self._meters.raised(watch)
        return True

    async def _tell(self, loaded: Loaded, group: asyncio.TaskGroup) -> None:
        """Say what nobody was told of yet: a line in the log, and every webhook. Each is told beside, so that nothing waits for it; what
        was not told when the process ended, the next one tells."""
        raised, over = await self._books.ask(lambda ledger: ledger.alerts.untold())
        first_told = [msgspec.structs.replace(alert, recovered=None) for alert in raised]
        for alert in [*reversed(first_told), *reversed(over)]:
            key = (alert.id, alert.recovered is not None)
            if key not in self._telling and len(self._telling) < MOST_TELLING:
                self._telling.add(key)
                group.create_task(self._told(loaded, alert, key))

    async def _told(self, loaded: Loaded, alert: Alert, key: tuple[int, bool]) -> None:
        subject = alert.subject or "all requests"
        if alert.recovered is None:
            _logger.warning("alert %s of %s: %s → %s", alert.watch, subject, alert.what, alert.todo)
        else:
            _logger.warning("alert %s of %s is over; it was: %s", alert.watch, subject, alert.what)
        try:
            if loaded.webhooks:
                self._notifier = self._notifier or importlib.import_module("tierline.watch.notify").Notifier()
                await self._notifier.tell(loaded.webhooks, alert)
            await self._books.ask(lambda ledger: ledger.alerts.told(alert.id, self._clock(), over=alert.recovered is not None))
        except TierlineError as failure:
            _logger.error("what was told could not be noted: %s", failure.message)
        finally:
            self._telling.discard(key)

    def _budgets(self) -> list[Any]:
        """Every paced budget, as it stands."""
        budgeted = importlib.import_module("tierline.watch.past").Budgeted
        return [
            budgeted(seen.name, seen.limit, seen.used, seen.projected, seen.exhausted_at, seen.ends)
            for seen in self._live.world.budgets.seen()
            if seen.projected is not None and seen.limit > 0
        ]

    def _read(self, act: Callable[[LogReader], Any]) -> Any:
        """What `act` returns, with a reader of its own; for a thread that may wait."""
        with closing(open_reader(self._where)) as reader:
            return act(reader)


def _take(holder: str, at: float, ledger: Ledger) -> bool:
    return ledger.alerts.take(WHAT, holder, at, at + HELD)


def _keep(fresh: Sequence[tuple[int, bytes]], first: int, ledger: Ledger) -> None:
    ledger.alerts.keep(fresh, first)


def _write(ledger: Ledger, found: Any) -> list[str]:
    """Write what a look has found; the watches of the alerts that were raised by it."""
    for alert in found.over:
        ledger.alerts.recover(alert.id, alert.recovered)
    return [alert.watch for alert in found.raised if ledger.alerts.put(alert) is not None]
