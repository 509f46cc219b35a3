"""The worksheet of the spec at work, by the newest rows of its log, and what comes of it at a volume that is asked for."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from tierline.config.loaded import Loaded
from tierline.server.exchange import Exchange
from tierline.server.panels.analysis import MISSING, reckoner
from tierline.server.panels.asked import Asked
from tierline.server.panels.ground import Ground
from tierline.server.panels.lasting import Lasting
from tierline.server.route import Route, Routes

if TYPE_CHECKING:
    from tierline.evaluation.estimate.evidence import Evidence
    from tierline.evaluation.estimate.volume import Volume

DAYS = 30
MOST_ROWS = 20_000
"""Of the newest, in so many days: what one look reads, in about half a second."""
HOLDS = 60.0
"""Seconds for which evidence and estimates are kept."""


class Worksheet:
    """Handlers for keys with the scope `read`."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._known: Lasting[Evidence] = Lasting(HOLDS)
        self._made: Lasting[dict[str, Any]] = Lasting(HOLDS)

    async def show(self, exchange: Exchange) -> None:
        """GET /admin/worksheet: the worksheet of the spec at work, each number with its source, filled in by the newest 20,000 rows of the
        last 30 days, and its estimate at `volume` (`1M/month`; as the log counts, where none is given), with the sheet as CSV."""
        volume, loaded = Asked(exchange.incoming.query_string).word("volume"), exchange.gateway.loaded
        reckons = await reckoner("tierline.evaluation.estimate.of_newest")
        if reckons is None:
            exchange.json(MISSING)
            return
        wanted = reckons.volume_of(volume)
        exchange.json(await self._made.get((loaded.fingerprint, volume), lambda: self._estimated(reckons, loaded, wanted)))

    async def _estimated(self, reckons: Any, loaded: Loaded, volume: Volume | None) -> dict[str, Any]:
        since = time.time() - DAYS * 86400
        known = await self._known.get(loaded.fingerprint, lambda: self._ground.read(lambda log: reckons.evidence_of(log, since, MOST_ROWS)))
        found = await asyncio.to_thread(reckons.worked, loaded, known, volume)
        said = found.estimate.volume
        return {
            "made": time.time(),
            "days": DAYS,
            "most": MOST_ROWS,
            "requests": found.requests,
            "since": known.since,
            "until": known.until,
            "per": {period: said.over(period) for period in ("day", "month", "year")},
            "estimate": found.estimate,
            "csv": found.csv,
        }


def routes(ground: Ground) -> Routes:
    """The one address."""
    return Routes({("GET", "/admin/worksheet"): Route(Worksheet(ground).show, "read")})
