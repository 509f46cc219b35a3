"""Answers that take a second to make and hold for a while."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

T = TypeVar("T")

MOST = 8
"""Answers that are kept at once."""


class Lasting(Generic[T]):
    """Answers by what they answer, each kept for so many seconds. Who asks while one is made waits for that one."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._made: dict[Hashable, tuple[float, asyncio.Task[T]]] = {}

    async def get(self, key: Hashable, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The kept answer, or a new one; one that fails is not kept."""
        now = time.monotonic()
        at, task = self._made.get(key, (0.0, None))
        if task is None or (task.done() and (now - at > self._seconds or task.cancelled() or task.exception() is not None)):
            while len(self._made) >= MOST:
                del self._made[next(iter(self._made))]
            task = asyncio.create_task(make())
            self._made[key] = now, task
        return await asyncio.shield(task)
