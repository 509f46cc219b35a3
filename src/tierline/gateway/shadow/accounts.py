"""What shadows have cost today, by route, and the rows that say so on their way to the ledger.

The sum is that of every process which writes to the same ledger: it is read again before a shadow begins, at most every `FRESH` seconds. So
a restart forgets nothing, and several workers together go over a cap by no more than what they begin within that time."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from tierline.gateway.shadow.worth import labels_of
from tierline.ledger.ledger import Ledger
from tierline.ledger.notes import Beside, Note
from tierline.ledger.shadows import Shadowed, Spent
from tierline.types.errors import LogFailure

_logger = logging.getLogger("tierline.gateway")

FRESH = 2.0
"""Seconds for which what others have spent is taken to be known."""
MOST_ROWS = 1000
"""Rows that wait for the disk; past it the oldest are left out."""
DAY = 86400.0


class AskLedger(Protocol):
    """Runs something on the ledger's own thread."""

    def __call__(self, act: Callable[[Ledger], Any], /) -> Awaitable[Any]:
        """What it returns; raises LogFailure."""


class Accounts:
    """Today's spending of one process's shadows. `clock` gives Unix time in seconds; days are those of UTC."""

    def __init__(self, ask: AskLedger, note: Callable[[Note], Awaitable[None]], clock: Callable[[], float] = time.time) -> None:
        self._ask = ask
        self._note = note
        self._clock = clock
        self._day = 0.0
        self._last = 0
        self._read_at = float("-inf")
        self._told: defaultdict[str, float] = defaultdict(float)
        self._held: defaultdict[str, float] = defaultdict(float)
        self._unwritten: defaultdict[str, float] = defaultdict(float)
        self._rows: deque[Shadowed] = deque(maxlen=MOST_ROWS)
        self._writing: asyncio.Task[None] | None = None

    def left(self, route: str, cap: float) -> float:
        """USD that the route's shadows may still cost today, as far as is known."""
        self._turn()
        return cap - self._told[route] - self._held[route] - self._unwritten[route]

    def hold(self, route: str, usd: float) -> None:
        """Set so many USD aside, or (below zero) give them back."""
        self._held[route] += usd

    async def refresh(self) -> None:
        """Read what others have spent, where that is not known freshly. Where it cannot be read, what was known holds."""
        self._turn()
        if self._clock() - self._read_at < FRESH:
            return
        since, after = self._day, self._last
        try:
            self._take(since, after, await self._ask(lambda ledger: ledger.shadows.spent(since, after)))
        except LogFailure as failure:
            _logger.error("what shadows have cost today cannot be read: %s", failure.message)

    def put(self, row: Shadowed) -> None:
        """Count a shadow, and write it and its labels down soon."""
        self._turn()
        self._unwritten[row.route] += row.cost
        self._rows.append(row)
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write())

    async def written(self) -> None:
        """Returns when every row that was put is on disk, or could not be written."""
        if self._writing is not None:
            await asyncio.wait([self._writing])

    async def _write(self) -> None:
        try:
            while self._rows:
                rows = list(self._rows)
                self._rows.clear()
                await self._keep(rows)
        finally:
            self._writing = None

    async def _keep(self, rows: list[Shadowed]) -> None:
        self._turn()
        since, after = self._day, self._last
        labels = tuple([label for row in rows for label in labels_of(row)])
        try:
            await self._note(Beside(tuple(rows), labels))
        except LogFailure as failure:
            _logger.error("%d shadows were not written down: %s", len(rows), failure.message)
            return
        try:
            spent = await self._ask(lambda ledger: ledger.shadows.spent(since, after))
        except LogFailure as failure:
            _logger.error("what shadows have cost today cannot be read: %s", failure.message)
            return  # what these cost stays counted here until the day ends
        for row in rows:
            if row.at >= self._day:
                self._unwritten[row.route] -= row.cost
        self._take(since, after, spent)

    def _take(self, since: float, after: int, spent: Spent) -> None:
        """Rows are counted once: where others have been read meanwhile, all of them are read again before the next shadow."""
        if (since, after) != (self._day, self._last):
            self._read_at = float("-inf")
            return
        self._last, self._read_at = spent.last, self._clock()
        for route, usd in spent.by_route.items():
            self._told[route] += usd

    def _turn(self) -> None:
        """A new day begins at nothing."""
        day = self._clock() // DAY * DAY
        if day != self._day:
            self._day, self._read_at = day, float("-inf")
            self._told.clear()
            self._unwritten.clear()
