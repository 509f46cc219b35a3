"""Chores that look at the log again and again: how often, so that looking never takes much of the machine."""

from __future__ import annotations

import asyncio
import importlib
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from tierline.types.errors import TierlineError

T = TypeVar("T")

LOOK_EVERY = 2.0
"""Seconds between two looks; more where a look takes long."""

PATIENCE = 15.0
"""How many times as long as a look kept a processor busy is waited before the next. What it waited for a busy machine does not count: a
gateway under load looks as often as an idle one."""


class Looks:
    """The looks of one chore, each in a thread of its own."""

    def __init__(self) -> None:
        self.spent = 0.0

    async def at(self, look: Callable[[], T]) -> T:
        """What a look finds; its processor time is counted."""
        found, spent = await asyncio.to_thread(_timed, look)
        self.spent += spent
        return found

    async def again_and_again(self, chore: Callable[[], Awaitable[None]], failed: Callable[[TierlineError], None]) -> None:
        """Do the chore until cancelled; what goes wrong is told, and tried again."""
        while True:
            await asyncio.sleep(max(LOOK_EVERY, PATIENCE * self.spent))
            self.spent = 0.0
            try:
                await chore()
            except TierlineError as failure:
                failed(failure)


async def imported(module: str) -> Any:
    """A module that needs NumPy, which is an extra, imported when it is asked for. It takes the better part of a second once, which is
    neither the event loop's nor a look's."""
    return await asyncio.to_thread(importlib.import_module, module)


def _timed(look: Callable[[], T]) -> tuple[T, float]:
    began = time.thread_time()
    found = look()
    return found, time.thread_time() - began
