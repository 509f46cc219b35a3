"""Every key that opens this gateway now: those of the spec, and those that are made beside it in the ledger.

The spec's change with the spec, the ledger's when somebody makes, rotates or revokes one, in this process or another: `read` brings
the ring up to date, and is called about once a second. A request pays one SHA-256 and at most two look-ups in a dictionary."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Mapping

from tierline.config.loaded import Loaded
from tierline.gateway.books import LOOK_EVERY, Books
from tierline.gateway.reload import Live
from tierline.ledger.keys import Ring
from tierline.types.access import Key
from tierline.types.errors import LogFailure

_logger = logging.getLogger("tierline.server")

KNOWN_FOR = 86400.0
"""Seconds for which the ledger's keys still open after it was last read: a key that is revoked meanwhile may open for as long."""


class Keyring:
    """The keys of the ledger as this process knows them. `public`: others than this machine can reach the gateway, so that it is
    never open, not even when its last key is taken out of the spec. `clock` gives seconds that only grow."""

    def __init__(self, *, public: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        self._public = public
        self._clock = clock
        self._failing = False
        self._opens: Mapping[bytes, Key] = {}
        self._ended: Collection[bytes] = ()
        self._minted = False
        self._clashing: frozenset[str] = frozenset()
        self._head = -1
        self._read_at = float("-inf")
        self.blind = False
        """Whether the ledger could not be read at the start, or not for `KNOWN_FOR`: who is not known to the spec may be known to the
        ledger, and nobody is let in for want of keys."""

    def is_open(self, loaded: Loaded) -> bool:
        """Whether nobody needs a key: there is none, nor ever was one in the ledger, and nobody else can reach the gateway."""
        return not (self._minted or loaded.keys or self._public or self.blind)

    def find(self, digest: bytes, loaded: Loaded) -> Key | None:
        """The key of a secret's digest; one that has expired is still found."""
        return loaded.keys.get(digest) or self._opens.get(digest)

    def was_revoked(self, digest: bytes) -> bool:
        """Whether a key of the ledger had this secret when it was revoked."""
        return digest in self._ended

    async def read(self, books: Books, live: Live) -> None:
        """Bring the ring up to date where the ledger has changed; every change of a key is in the audit trail, so its head tells."""
        head = await books.ask(lambda ledger: ledger.audit.head().seq)
        if head != self._head:
            self._take(await books.ask(lambda ledger: ledger.keys.ring()), live)
            self._head = head
        self._read_at, self.blind = self._clock(), False

    async def follow(self, books: Books, live: Live) -> None:
        """Stay up to date until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            await self.look(books, live)

    async def look(self, books: Books, live: Live) -> None:
        """Bring the ring up to date. While the ledger cannot be read, what is known stands for `KNOWN_FOR`, and that is said once."""
        try:
            await self.read(books, live)
            self._failing = False
        except LogFailure as failure:
            if not self._failing:
                _logger.error("keys that are made or revoked now are not seen: %s", failure.message)
            self._failing = True
            if not self.blind and self._clock() - self._read_at > KNOWN_FOR:
                _logger.error("the ledger's keys open nothing any more, for it was not read for so long")
                self.blind, self._opens, self._head = True, {}, -1

    def _take(self, ring: Ring, live: Live) -> None:
        """The spec's own keys go before those of the same name that somebody made with another spec at hand: these open nothing."""
        specs = {key.name for key in live.gateway.loaded.keys.values()}
        clashing = ring.names & specs
        if clashing - self._clashing:
            named = ", ".join(sorted(clashing))
            _logger.error(
                "spec and ledger both have the keys %s: those of the ledger open nothing → revoke them, or rename the spec's", named
            )
        self._clashing = clashing
        self._opens = {digest: key for digest, key in ring.opens.items() if key.name not in clashing}
        self._ended = ring.ended
        self._minted = bool(ring.names)
        live.world.keep_keys(specs | ring.names)
