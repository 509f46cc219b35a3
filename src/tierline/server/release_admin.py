"""What operators do to the routing over HTTP: the same stages as `tierline release`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from tierline.gateway.books import Books
from tierline.gateway.canary import CannotRelease
from tierline.gateway.release import Desk, Wish, plain, status_of
from tierline.gateway.reload import Live
from tierline.ledger.ledger import Ledger
from tierline.ledger.releases import Release
from tierline.server.exchange import Exchange
from tierline.types.certificate import Certificate
from tierline.types.errors import BadRequest, SpecInvalid


class Asked(msgspec.Struct, forbid_unknown_fields=True):
    """The body of POST /admin/releases: `spec` is the candidate's text, left out for the one that is tried now."""

    stage: Literal["shadow", "canary", "publish", "rollback"]
    spec: str | None = None
    certificate: Certificate | None = None
    share: float = 0.05
    force: bool = False
    why: str = ""


class Releasing:
    """Handlers for keys with the scope `admin`. `environ` is what `${NAME}` reads."""

    def __init__(self, live: Live, books: Books, environ: Mapping[str, str]) -> None:
        self._live = live
        self._books = books
        self._environ = environ

    async def status(self, exchange: Exchange) -> None:
        """GET /admin/releases: the spec at work, what is tried, what it decided in shadow, and the newest stages."""
        exchange.json(await self._books.ask(status_of))

    async def enter(self, exchange: Exchange) -> None:
        """POST /admin/releases: `{"stage": "canary", "spec": "...", "certificate": {...}, "share": 0.05, "why": "..."}`; audited."""
        asked, who = await exchange.read(Asked), exchange.key.name
        path = self._live.gateway.loaded.path
        wish = Wish(who, asked.why, asked.spec, asked.certificate, asked.force)

        def act(ledger: Ledger) -> Release:
            desk = Desk(ledger, path, self._environ)
            if asked.stage == "shadow":
                return desk.shadow(wish)
            if asked.stage == "canary":
                return desk.canary(wish, asked.share)
            return desk.publish(wish) if asked.stage == "publish" else desk.rollback(wish)

        try:
            made = await self._books.ask(act)
        except (CannotRelease, SpecInvalid) as error:
            raise BadRequest(error.message) from None
        exchange.json(plain(made), 201)
