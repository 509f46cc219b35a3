"""What operators do with keys and the audit trail over HTTP: make keys, rotate and revoke them, see who did what."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import parse_qs

import msgspec

from tierline.config.units import Duration
from tierline.gateway.books import Books
from tierline.gateway.reload import Live
from tierline.ledger.key_check import check_given
from tierline.ledger.keys import CannotKeep, Given, Kept, Scope
from tierline.ledger.ledger import Ledger
from tierline.server.errors import NotFound
from tierline.server.exchange import Exchange
from tierline.server.keyring import Keyring
from tierline.types.access import Rate
from tierline.types.errors import BadRequest

T = TypeVar("T")

MOST_LISTED = 1000
"""Entries of the audit trail that one answer lists."""


class Wanted(msgspec.Struct, forbid_unknown_fields=True):
    """The body of POST /admin/keys. `expires_in` is a duration (`90d`); `per` is the time of `requests` and `tokens`, a duration too."""

    name: str
    scopes: tuple[Scope, ...] = ("call",)
    owner: str = ""
    team: str = ""
    routes: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    task: str = ""
    requests: int | None = None
    tokens: int | None = None
    per: str | float = "1m"
    max_concurrency: int | None = None
    expires_in: str | float | None = None

    def given(self) -> Given:
        """What the key may do. Raises BadRequest."""
        per = _seconds(self.per, "per")
        rate = None if self.requests is None and self.tokens is None else Rate(self.requests, self.tokens, per)
        return Given(self.scopes, self.owner, self.team, self.routes, self.models, self.task, rate, self.max_concurrency)


class Rotated(msgspec.Struct, forbid_unknown_fields=True):
    """The body of POST /admin/keys/{name}/rotate: for how long the secrets it has still open."""

    grace: str | float = "24h"


class Keeping:
    """Handlers for keys with the scope `admin`."""

    def __init__(self, live: Live, books: Books, ring: Keyring) -> None:
        self._live = live
        self._books = books
        self.ring = ring

    async def list(self, exchange: Exchange) -> None:
        """GET /admin/keys: the keys of the ledger, `?all=1` with those that have ended, and the names of the spec's. No secret is kept."""
        ended = parse_qs(exchange.incoming.query_string, keep_blank_values=True).get("all") == ["1"]
        kept = await self._books.ask(lambda ledger: ledger.keys.list(ended=ended))
        exchange.json({"keys": [_shown(one) for one in kept], "spec": sorted(exchange.gateway.loaded.spec.keys)})

    async def one(self, exchange: Exchange) -> None:
        """GET /admin/keys/{name}: one key of the ledger."""
        name = exchange.rest
        kept = await self._books.ask(lambda ledger: ledger.keys.get(name))
        if kept is None:
            raise NotFound(f"the ledger has no key {name[:100]!r}")
        exchange.json(_shown(kept))

    async def create(self, exchange: Exchange) -> None:
        """POST /admin/keys: `{"name": "ci", "scopes": ["call"], "owner": "ada", "models": ["mini"], "requests": 60, "per": "1m"}`.
        The answer holds the secret, which is shown this once."""
        wanted = await exchange.read(Wanted)
        given, who, loaded = wanted.given(), exchange.key.name, exchange.gateway.loaded
        ends = None if wanted.expires_in is None else time.time() + _seconds(wanted.expires_in, "expires_in")

        def create(ledger: Ledger) -> tuple[Kept, str]:
            check_given(wanted.name, given, loaded)
            return ledger.keys.create(wanted.name, given, who, ends)

        kept, secret = await self._do(create)
        exchange.json({**_shown(kept), "secret": secret}, 201)

    async def change(self, exchange: Exchange) -> None:
        """POST /admin/keys/{name}/rotate: `{"grace": "24h"}`; another secret, shown this once."""
        name, _, verb = exchange.rest.rpartition("/")
        if verb != "rotate":
            raise NotFound(f"write /admin/keys/{{name}}/rotate, not {exchange.rest[:60]!r}")
        asked, who = await exchange.read(Rotated), exchange.key.name
        grace = _seconds(asked.grace, "grace")
        kept, secret = await self._do(lambda ledger: ledger.keys.rotate(name, grace, who))
        exchange.json({**_shown(kept), "secret": secret})

    async def revoke(self, exchange: Exchange) -> None:
        """DELETE /admin/keys/{name}: end a key now, for good."""
        name, who = exchange.rest, exchange.key.name
        exchange.json(_shown(await self._do(lambda ledger: ledger.keys.revoke(name, who))))

    async def audit(self, exchange: Exchange) -> None:
        """GET /admin/audit?limit=100: the newest entries first, and the head's number and hash, to keep elsewhere."""
        limit = parse_qs(exchange.incoming.query_string, keep_blank_values=True).get("limit", ["100"])[0]
        if not limit.isdecimal() or not 1 <= int(limit) <= MOST_LISTED:
            raise BadRequest(f"limit: a number from 1 to {MOST_LISTED}", param="limit")
        entries, head = await self._books.ask(lambda ledger: (ledger.audit.list(int(limit)), ledger.audit.head()))
        exchange.json({"head": head, "entries": entries})

    async def _do(self, act: Callable[[Ledger], T]) -> T:
        """What `act` returns, at work in this process at once; others see it within a second."""
        try:
            done = await self._books.ask(act)
        except CannotKeep as error:
            raise BadRequest(error.message) from None
        await self.ring.read(self._books, self._live)
        return done


def _shown(kept: Kept) -> dict[str, object]:
    return {**msgspec.to_builtins(kept), "state": kept.state(time.time())}


def _seconds(text: str | float, field: str) -> float:
    try:
        seconds = float(Duration.parse(text))
    except ValueError as error:
        raise BadRequest(f"{field}: {error}", param=field) from None
    if seconds <= 0 and field != "grace":
        raise BadRequest(f"{field}: write a duration above zero", param=field)
    return seconds
