"""What takes seconds to work out, worked out once for all who ask."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Any

MOST_KEPT = 8
"""Results that are kept; past it the oldest goes."""


class Once:
    """Results by what was asked, each kept for `seconds`; one is worked out at a time."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._kept: dict[Hashable, tuple[float, Any]] = {}
        self._working = asyncio.Lock()

    async def get(self, asked: Hashable, work: Callable[[], Awaitable[Any]]) -> Any:
        """The result that is kept, or that `work` gives now."""
        async with self._working:
            now = time.monotonic()
            found = self._kept.get(asked)
            if found is not None and now - found[0] < self._seconds:
                return found[1]
            made = await work()
            self._kept.pop(asked, None)
            while len(self._kept) >= MOST_KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[asked] = (now, made)
            return made
