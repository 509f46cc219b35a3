"""Which tasks are to be looked at again, and why: what `tierline review` says, on the newest rows."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from tierline.config.loaded import Loaded
from tierline.evaluation.replay.logged import labels_of
from tierline.server.exchange import Exchange
from tierline.server.looks import imported
from tierline.server.panels.ground import Ground
from tierline.server.panels.once import Once
from tierline.server.route import Route, Routes

KEPT = 300.0
"""Seconds for which a look holds."""

MISSING = "It reckons with numpy, which the gateway's Python lacks: pip install 'tierline[analysis]'"


class DueTasks:
    """Handlers for keys with the scope `read`."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._once = Once(KEPT)

    async def list(self, exchange: Exchange) -> None:
        """GET /admin/due: every task of the spec with each reason to look at it again (none: it is not due), its traffic, and its
        last look; from at most the newest 30,000 rows of thirty days (`days` says how far back that is). `missing` says what it lacks
        to reckon."""
        loaded = exchange.gateway.loaded
        exchange.json(await self._once.get(loaded.fingerprint, lambda: self._looked(loaded)))

    async def _looked(self, loaded: Loaded) -> Mapping[str, Any]:
        try:
            newest = await imported("tierline.evaluation.review.newest")
        except ModuleNotFoundError as error:
            if error.name != "numpy":
                raise
            return {"missing": MISSING, "tasks": []}
        now, where = time.time(), self._ground.logs[-1]
        window, facts = await self._ground.read(lambda log: newest.facts_of_newest(loaded, log, labels_of(where), now))
        signed, alerts = await self._ground.books.ask(lambda ledger: (ledger.signoffs.newest(), ledger.alerts.list()))
        due = newest.due_now(loaded, facts, signed, alerts)
        return {"missing": "", "at": now, "days": window / 86400.0, "tasks": [_told(one, facts[one.task]) for one in due]}


def routes(ground: Ground) -> Routes:
    """The one address."""
    return Routes({("GET", "/admin/due"): Route(DueTasks(ground).list, "read")})


def _told(due: Any, facts: Any) -> Mapping[str, Any]:
    """One task; `due` and `facts` are structs of modules that are imported when they are asked for."""
    last = due.looked
    return {
        **{name: getattr(due, name) for name in ("task", "owner", "causes", "requests", "cost")},
        "looked": None if last is None else {"day": last.day, "by": last.by, "why": last.why},
        "share": facts.share,
        "p95": facts.p95,
        "models": facts.models,
    }
