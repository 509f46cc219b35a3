"""One process among others: again and again it says how it stands and hears how they do, and its leases are renewed.

Where the engine that they share is away, it goes on with what it holds and a share of what was left, says so once, and tries again at
every beat. When the engine is back, or has begun anew, or another process is gone without a word, the log is read for what nobody has
said."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from tierline.gateway.recall import remember
from tierline.interfaces import Shared
from tierline.state.standing import answered_of, encode, standing_of
from tierline.state.world import World
from tierline.types.errors import SharedStateGone

_logger = logging.getLogger("tierline.gateway")

BEAT = 0.3
"""Seconds between two exchanges: how long the others take to hear of something."""
SETTLE = 2.0
"""Seconds after which the log is read when something was lost: by then who is still there has said what it knows, and rows are on disk."""


class SharedSeen(msgspec.Struct, frozen=True):
    """What processes share, to be looked at: whether the engine answers and if not, why; how many others are heard; whether one of them
    took another spec after this process took its own."""

    up: bool
    problem: str
    others: int
    spec_behind: bool


class Together:
    """One process among others. `spec` tells the fingerprint of the spec at work and since when (Unix seconds); `logs` is where spending
    is read that nobody has said."""

    def __init__(self, shared: Shared, world: World, logs: Sequence[Path | str], spec: Callable[[], tuple[str, float]]) -> None:
        self._shared = shared
        self._world = world
        self._logs = logs
        self._spec = spec
        self._members: frozenset[str] = frozenset()
        self._born = ""
        self._problem = "it has not been asked yet"
        self._behind = False
        self._recount_at = float("inf")
        self._recounting: asyncio.Task[None] | None = None

    @property
    def seen(self) -> SharedSeen:
        """How it stands."""
        return SharedSeen(not self._problem, self._problem, len(self._members), self._behind)

    async def beat(self) -> None:
        """Say and hear once, renew the leases, and have the log read where that is due."""
        await self._exchange()
        await self._world.renew()
        if self._world.clock() >= self._recount_at and not self._problem:
            self._recount_at = float("inf")
            self._recounting = asyncio.create_task(remember(self._world.budgets, self._logs))

    async def follow(self) -> None:
        """Beat again and again, until cancelled."""
        while True:
            await asyncio.sleep(BEAT)
            await self.beat()

    async def _exchange(self) -> None:
        world, news = self._world, self._world.news()
        policy, since = self._spec()
        try:
            heard = await self._shared.exchange(encode(world.standing(policy, since)), encode(news) if news else b"")
        except SharedStateGone as gone:
            self._lost(gone.message)
            return
        members = frozenset(heard.standings)
        if self._problem and self._born:
            _logger.warning("the shared engine answers again: what was used meanwhile is being said")
        if self._born and (self._problem or heard.born != self._born or not members >= self._members):
            self._recount_at = world.clock() + SETTLE
        self._problem, self._born, self._members = "", heard.born, members
        others = [standing_of(said) for said in heard.standings.values()]
        self._behind = any(other.policy and other.policy != policy and other.since > since for other in others)
        world.hear(others, [answered for said in heard.news for answered in answered_of(said)])
        world.shares(1.0 / (1 + len(members)))

    def _lost(self, problem: str) -> None:
        if not self._problem or not self._born:
            self._born = self._born or "-"
            share = 1 + len(self._members)
            _logger.warning("%s: this process goes on with what it holds of budgets and rates and 1/%d of what was left", problem, share)
        self._problem = problem
        self._world.hear((), ())
