"""The ledger on a thread of its own, so that nobody waits for the disk but who asks it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from tierline.config.loaded import Loaded
from tierline.ledger.ledger import Ledger
from tierline.state.world import World

T = TypeVar("T")

LOOK_EVERY = 1.0
"""Seconds between two looks at the pins: how long one set by another process takes to work."""


class Books:
    """One ledger and its thread. Raises LogFailure when the file cannot be opened."""

    def __init__(self, path: Path) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="tierline-ledger")
        self._ledger = self._thread.submit(Ledger, path).result()

    async def ask(self, act: Callable[[Ledger], T]) -> T:
        """What `act` returns; it runs on the ledger's thread, alone."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, act, self._ledger)

    def keep_spec(self, loaded: Loaded) -> None:
        """Keep a spec before it decides anything; returns when it is on disk. For threads that may wait."""
        at = time.time()
        self._thread.submit(self._ledger.specs.keep, loaded.fingerprint, loaded.parts, loaded.canonical, at).result()

    async def follow_pins(self, world: World) -> None:
        """Bring the world's pins up to date, again and again, until cancelled. A pin ends by itself: it is no longer read."""
        while True:
            await self.read_pins(world)
            await asyncio.sleep(LOOK_EVERY)

    async def read_pins(self, world: World) -> None:
        """Bring the world's pins up to date."""
        world.pin(await self.ask(lambda ledger: ledger.pins.active(time.time())))

    def close(self) -> None:
        """Finish what was asked, and let go of the file."""
        self._thread.submit(self._ledger.close).result()
        self._thread.shutdown()
