"""Whether the audit trail is as it was written."""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path

import msgspec

from tierline.ledger.audit import Broken, Head, verify
from tierline.ledger.reader import LedgerReader
from tierline.server.exchange import Exchange
from tierline.server.panels.asked import Asked
from tierline.server.panels.ground import Ground
from tierline.server.route import Route, Routes
from tierline.types.errors import BadRequest, LogFailure, Unavailable


class Verified(msgspec.Struct, frozen=True):
    """`whole`: no entry was changed, taken out or put in between, and with an earlier head, it is still held. `broken` is the first place
    at which that is not so. `head` is the newest entry's number and hash, and `entries` how many there are."""

    whole: bool
    broken: Broken | None
    head: Head
    entries: int


def routes(ground: Ground) -> Routes:
    """The one address."""

    async def verified(exchange: Exchange) -> None:
        """GET /admin/audit/verified?head=12:ab34…: the whole chain of the audit trail, hash by hash; with the number and hash of an earlier
        head, also whether the trail still holds it: that shows whether its newest entries were cut off."""
        head = _head(Asked(exchange.incoming.query_string).word("head"))
        try:
            exchange.json(await asyncio.to_thread(_verified, ground.logs[-1], head))
        except LogFailure as failure:
            raise Unavailable(f"the audit trail cannot be read: {failure.message}") from None

    return Routes({("GET", "/admin/audit/verified"): Route(verified, "admin")})


def _head(given: str) -> Head | None:
    if not given:
        return None
    seq, _, digest = given.partition(":")
    if not (seq.isascii() and seq.isdecimal() and len(seq) < 19) or len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        raise BadRequest("head: the number of an entry and its hash, 12:ab34…, as GET /admin/audit gives them", param="head")
    return Head(int(seq), digest)


def _verified(where: Path | str, head: Head | None) -> Verified:
    with closing(LedgerReader(where)) as ledger:
        links = [*ledger.audit()]
    broken = verify(links, head)
    return Verified(broken is None, broken, links[-1].head if links else Head(0, bytes(32).hex()), len(links))
