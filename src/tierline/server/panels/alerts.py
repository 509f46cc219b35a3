"""What was watched and has moved: the alerts, open and past."""

from __future__ import annotations

from typing import cast
from urllib.parse import parse_qs

from tierline.ledger.alerts import State
from tierline.server.exchange import Exchange
from tierline.server.panels.ground import Ground
from tierline.server.route import Route, Routes
from tierline.types.errors import BadRequest

STATES = ("open", "recovered", "all")
MOST_LISTED = 1000


def routes(ground: Ground) -> Routes:
    """GET /admin/alerts."""

    async def listed(exchange: Exchange) -> None:
        """GET /admin/alerts?state=open&limit=100: the newest first; `state` is open, recovered or all."""
        asked = parse_qs(exchange.incoming.query_string, keep_blank_values=True)
        state, limit = asked.get("state", ["open"])[0], asked.get("limit", ["100"])[0]
        if state not in STATES:
            raise BadRequest(f"state: no {state[:40]!r}; it is one of {', '.join(STATES)}", param="state")
        if not limit.isdecimal() or not 1 <= int(limit) <= MOST_LISTED:
            raise BadRequest(f"limit: a number from 1 to {MOST_LISTED}", param="limit")
        which = cast("State", state)
        found = await ground.books.ask(lambda ledger: ledger.alerts.list(which, int(limit)))
        exchange.json({"alerts": found})

    return Routes({("GET", "/admin/alerts"): Route(listed, "read")})
