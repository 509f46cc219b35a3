"""Which tasks are to be looked at again, and why: what `tierline review` says, on the newest rows."""

from __future__ import annotations

import datetime
import time
from collections.abc import Mapping
from typing import Any

from tierline.config.loaded import Loaded
from tierline.decision_log.reader import LogReader
from tierline.evaluation.replay.logged import labels_of
from tierline.evaluation.review.due import Due, all_due
from tierline.evaluation.review.facts import TaskFacts, now_of
from tierline.evaluation.review.looks import looked
from tierline.server.exchange import Exchange
from tierline.server.panels.ground import Ground
from tierline.server.panels.once import Once
from tierline.server.route import Route, Routes

DAY = 86400.0
WINDOW = 30 * DAY
"""Seconds that are looked back, as long as the rows are not too many."""

MOST_ROWS = 30_000
"""Rows, the newest, that are looked at: the gateway answers requests meanwhile."""

KEPT = 300.0
"""Seconds for which a look holds."""

_OLDEST = "SELECT at FROM decisions ORDER BY at DESC LIMIT 1 OFFSET ?"


class DueTasks:
    """Handlers for keys with the scope `read`."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._once = Once(KEPT)

    async def list(self, exchange: Exchange) -> None:
        """GET /admin/due: every task of the spec with each reason to look at it again (none: it is not due), its traffic, and its last look;
        from at most the newest 30,000 rows of thirty days (`days` says how far back that is)."""
        loaded = exchange.gateway.loaded
        exchange.json(await self._once.get(loaded.fingerprint, lambda: self._looked(loaded)))

    async def _looked(self, loaded: Loaded) -> Mapping[str, Any]:
        now, where = time.time(), self._ground.logs[-1]
        window, facts = await self._ground.read(lambda log: _facts(loaded, log, labels_of(where), now))
        signed, alerts = await self._ground.books.ask(lambda ledger: (ledger.signoffs.newest(), ledger.alerts.list()))
        looks = {name: found for name in loaded.spec.tasks if (found := looked(loaded, name, signed.get(name))) is not None}
        due = all_due(loaded.spec.tasks, facts, looks, alerts, datetime.date.today())
        return {"at": now, "days": window / DAY, "tasks": [_told(one, facts[one.task]) for one in due]}


def routes(ground: Ground) -> Routes:
    """The one address."""
    return Routes({("GET", "/admin/due"): Route(DueTasks(ground).list, "read")})


def _facts(loaded: Loaded, log: LogReader, labels: Mapping[str, float], now: float) -> tuple[float, Mapping[str, TaskFacts]]:
    """Seconds that were looked back, and the facts of every task in them."""
    oldest = log.query(_OLDEST, (MOST_ROWS,))
    window = min(WINDOW, now - oldest[0][0]) if oldest else WINDOW
    return window, now_of(loaded, log, labels, window, now)


def _told(due: Due, facts: TaskFacts) -> Mapping[str, Any]:
    last = due.looked
    return {
        **{name: getattr(due, name) for name in ("task", "owner", "causes", "requests", "cost")},
        "looked": None if last is None else {"day": last.day, "by": last.by, "why": last.why},
        "share": facts.share,
        "p95": facts.p95,
        "models": facts.models,
    }
