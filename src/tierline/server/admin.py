"""What operators do: look at the spec at work, read it again, pin a route, look up a decision."""

from __future__ import annotations

import time
from typing import Literal, cast
from urllib.parse import parse_qs

import msgspec

from tierline.config.units import Duration
from tierline.gateway.books import Books
from tierline.gateway.reload import Live
from tierline.ledger.notes import Done
from tierline.ledger.reviews import STATES, CannotReview, State
from tierline.routing.explain_tools import explain_row
from tierline.server.errors import NoSuchDecision, NotFound
from tierline.server.exchange import Exchange
from tierline.types.errors import BadRequest

MOST_LISTED = 1000
"""Entries of the review queue that one answer lists."""

LEAST_PINNED = 1.0
MOST_PINNED = 7 * 86400.0
"""Seconds that a pin may last: longer is a change of the spec, shorter may be over before it is written."""


class Pinned(msgspec.Struct, forbid_unknown_fields=True):
    """The body of POST /admin/pins. `for_` is a duration (`1h`), written `for` in JSON."""

    model: str
    for_: str | float = msgspec.field(name="for")
    route: str = "auto"
    why: str = ""


class Admin:
    """Handlers for keys with the scope `admin` (or `read`, for looking)."""

    def __init__(self, live: Live, books: Books) -> None:
        self._live = live
        self._books = books

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
            }
        )

    async def reload(self, exchange: Exchange) -> None:
        """POST /admin/reload: read the spec again; 422 with the problems when it is bad, and the old one goes on.

        Of several workers the one that answers reloads at once, the others when they see that the file has changed."""
        done = await self._live.reload("admin")
        who, detail = exchange.key.name, {"changed": done.changed, "refused": bool(done.problem)}
        await self._books.note(Done(who, "reload", done.policy, done.at, detail))
        exchange.json(done, 422 if done.problem else 200)

    async def world(self, exchange: Exchange) -> None:
        """GET /admin/world: every model as this worker sees it now: its doors and their breakers, calls in flight and waiting, pressure,
        seconds to an answer."""
        exchange.json({"models": self._live.world.seen()})

    async def budgets(self, exchange: Exchange) -> None:
        """GET /admin/budgets: every budget as this worker knows it: limit, used, reserved, left, pace, and where it will end."""
        exchange.json({"budgets": self._live.world.budgets.seen()})

    async def pins(self, exchange: Exchange) -> None:
        """GET /admin/pins: the pins that hold now."""
        exchange.json({"pins": await self._books.ask(lambda ledger: ledger.pins.current(time.time()))})

    async def pin(self, exchange: Exchange) -> None:
        """POST /admin/pins: `{"route": "auto", "model": "opus", "for": "1h", "why": "..."}`; audited, and ends by itself."""
        asked = await exchange.read(Pinned)
        policy = exchange.gateway.router.policy
        if asked.route not in policy.routes:
            raise BadRequest(f"route: no {asked.route[:100]!r} in the spec; there are {', '.join(policy.routes)}", param="route")
        if asked.model not in exchange.gateway.lanes:
            raise BadRequest(f"model: no {asked.model[:100]!r} in the spec; there are {', '.join(exchange.gateway.lanes)}", param="model")
        until, who = time.time() + _seconds(asked.for_), exchange.key.name
        pinned = await self._books.ask(lambda ledger: ledger.pins.pin(asked.route, asked.model, until, who, asked.why))
        await self._books.read_pins(self._live.world)
        exchange.json(pinned, 201)

    async def unpin(self, exchange: Exchange) -> None:
        """DELETE /admin/pins/{route}: end a pin now."""
        route, who = exchange.rest, exchange.key.name
        if not await self._books.ask(lambda ledger: ledger.pins.unpin(route, who)):
            raise NotFound(f"the route {route[:100]!r} is not pinned")
        await self._books.read_pins(self._live.world)
        exchange.json({"route": route, "pinned": False})

    async def decision(self, exchange: Exchange) -> None:
        """GET /admin/decisions/{id}: the row of one request. It is explained where the spec that decided it is still at work."""
        record = await self._books.ask(lambda _: self._live.log.get(exchange.rest))
        if record is None:
            raise NoSuchDecision(f"the log has no decision {exchange.rest[:40]!r}")
        gateway, decision = exchange.gateway, record.decision
        explained = None
        answering = gateway.at(decision)
        if decision.policy == answering.loaded.fingerprint and record.error != "internal_error":
            explained = explain_row(answering.router, record)
        exchange.json({"record": record, "explanation": explained})


class Judged(msgspec.Struct, forbid_unknown_fields=True):
    """The body of POST /admin/reviews/{id}: `correction` is the right answer, and goes with `corrected` alone."""

    state: Literal["accepted", "corrected", "dismissed"]
    correction: str | None = None
    note: str = ""


class Reviewing:
    """Handlers of the review queue, for keys with the scope `admin` (or `read`, for looking at all but the words)."""

    def __init__(self, books: Books) -> None:
        self._books = books

    async def list(self, exchange: Exchange) -> None:
        """GET /admin/reviews?state=open&limit=100: the newest first; `state=all` for those that were judged too."""
        asked = parse_qs(exchange.incoming.query_string, keep_blank_values=True)
        state, limit = asked.get("state", ["open"])[0], asked.get("limit", ["100"])[0]
        if state not in (*STATES, "all"):
            raise BadRequest(f"state: no {state[:40]!r}; it is one of all, {', '.join(STATES)}", param="state")
        if not limit.isdecimal() or not 1 <= int(limit) <= MOST_LISTED:
            raise BadRequest(f"limit: a number from 1 to {MOST_LISTED}", param="limit")
        which: State | None = None if state == "all" else cast("State", state)
        found = await self._books.ask(lambda ledger: (ledger.reviews.counts(), ledger.reviews.list(which, int(limit))))
        exchange.json({"counts": found[0], "reviews": found[1]})

    async def one(self, exchange: Exchange) -> None:
        """GET /admin/reviews/{id}: one entry, with prompt and answer as JSON text where the route's `log_text` keeps them and the key
        has the scope `admin`."""
        request_id = exchange.rest
        review = await self._books.ask(lambda ledger: ledger.reviews.get(request_id))
        if review is None:
            raise NotFound(f"the review queue has no request {request_id[:40]!r}")
        kept = await self._books.text(request_id) if "admin" in exchange.key.scopes else None
        exchange.json({"review": review, "text": None if kept is None else kept.decode("utf-8", "replace")})

    async def judge(self, exchange: Exchange) -> None:
        """POST /admin/reviews/{id}: `{"state": "corrected", "correction": "...", "note": "..."}`; audited, and a label from then on."""
        asked, request_id, who = await exchange.read(Judged), exchange.rest, exchange.key.name
        try:
            judged = await self._books.ask(lambda ledger: ledger.reviews.judge(request_id, asked.state, who, asked.correction, asked.note))
        except CannotReview as error:
            raise NotFound(error.message) from None
        except ValueError as error:
            raise BadRequest(str(error), param="correction") from None
        exchange.json(judged)


def _seconds(given: str | float) -> float:
    try:
        seconds = Duration.parse(given)
    except ValueError as error:
        raise BadRequest(f"for: {error}", param="for") from None
    if not LEAST_PINNED <= seconds <= MOST_PINNED:
        raise BadRequest(
            f"for: a pin lasts from a second to {MOST_PINNED / 86400:g} days; what is longer belongs into the spec", param="for"
        )
    return seconds
