"""What the log proves of the routing: calibration, slices, tiers too low or too high, and the evaluation that stands beside the spec."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from tierline.config.loaded import Loaded
from tierline.server.exchange import Exchange
from tierline.server.panels.analysis import MISSING, reckoner
from tierline.server.panels.ground import Ground
from tierline.server.panels.lasting import Lasting
from tierline.server.panels.worksheet import DAYS, HOLDS, MOST_ROWS
from tierline.server.route import Route, Routes


class Quality:
    """Handlers for keys with the scope `read`."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._made: Lasting[dict[str, Any]] = Lasting(HOLDS)

    async def show(self, exchange: Exchange) -> None:
        """GET /admin/quality: what the newest 20,000 rows of the last 30 days prove of the routing, what they have no evidence of, and the
        evaluation that stands beside the spec (`evaluation.json`)."""
        loaded = exchange.gateway.loaded
        reckons = await reckoner("tierline.evaluation.quality.of_newest")
        if reckons is None:
            exchange.json(MISSING)
            return
        exchange.json(await self._made.get(loaded.fingerprint, lambda: self._proven(reckons, loaded)))

    async def _proven(self, reckons: Any, loaded: Loaded) -> dict[str, Any]:
        now = time.time()
        found = await self._ground.read(lambda log: reckons.proven_of(log, loaded, now - DAYS * 86400, MOST_ROWS))
        evaluation = await asyncio.to_thread(reckons.evaluation_of, loaded.path)
        routes = loaded.spec.routes
        return {
            "made": now,
            "days": DAYS,
            "most": MOST_ROWS,
            "explores": [name for name, route in routes.items() if route.explore],
            "shadows": [name for name, route in routes.items() if route.shadow is not None],
            "log": found,
            "evaluation": evaluation,
        }


def routes(ground: Ground) -> Routes:
    """The one address."""
    return Routes({("GET", "/admin/quality"): Route(Quality(ground).show, "read")})
