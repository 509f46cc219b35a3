"""What operators do: look at the spec at work, read it again, pin a route, look up a decision."""

from __future__ import annotations

import asyncio

from tierline.gateway.reload import Live
from tierline.routing.explain import explain
from tierline.server.exchange import Exchange
from tierline.server.metrics import Meters
from tierline.types.errors import RequestError


class NoSuchDecision(RequestError):
    """No row with that id."""

    status = 404
    code = "decision_not_found"


class Admin:
    """Handlers for keys with the scope `admin` (or `read`, for looking)."""

    def __init__(self, live: Live, meters: Meters) -> None:
        self._live = live
        self._meters = meters

    async def spec(self, exchange: Exchange) -> None:
        """GET /admin/spec: which spec is at work, its parts and warnings, and what came of the last reload. Never its secrets."""
        loaded = exchange.gateway.loaded
        exchange.json(
            {
                "policy": loaded.fingerprint,
                "path": str(loaded.path),
                "parts": loaded.parts,
                "models": sorted(loaded.models),
                "warnings": [str(warning) for warning in loaded.warnings],
                "reload": self._live.last,
                "reloads": self._live.reloads,
            }
        )

    async def reload(self, exchange: Exchange) -> None:
        """POST /admin/reload: read the spec again; 422 with the problems when it is bad, and the old one goes on."""
        done = await self._live.reload("admin")
        exchange.json(done, 422 if done.problem else 200)

    async def decision(self, exchange: Exchange) -> None:
        """GET /admin/decisions/{id}: the row of one request. It is explained where the spec that decided it is still at work."""
        record = await asyncio.to_thread(self._live.log.get, exchange.rest)
        if record is None:
            raise NoSuchDecision(f"the log has no decision {exchange.rest[:40]!r}")
        gateway, decision = exchange.gateway, record.decision
        explained = None
        if decision.policy == gateway.loaded.fingerprint and record.error != "internal_error":
            explained = explain(gateway.router, record.features, record.scores, record.view, decision)
        exchange.json({"record": record, "explanation": explained})
