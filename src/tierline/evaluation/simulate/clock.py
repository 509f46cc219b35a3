"""An event loop in which time is reckoned, not waited for: an hour of traffic passes as quickly as it can be computed."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _NothingToRead(selectors.SelectSelector):
    """Instead of waiting for its time-out it moves the clock on by it."""

    def __init__(self, passes: Callable[[float], None]) -> None:
        super().__init__()
        self._passes = passes

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("everything waits and nothing is due: the simulation cannot go on")
        self._passes(timeout)
        return []


class ReckonedLoop(asyncio.SelectorEventLoop):
    """Its `time()` starts at 0 and jumps to whatever is due next. It reads nothing from outside."""

    def __init__(self) -> None:
        self._now = 0.0
        super().__init__(_NothingToRead(self._pass))

    def time(self) -> float:
        """Seconds since the start, reckoned."""
        return self._now

    def _pass(self, seconds: float) -> None:
        if seconds > 0:
            self._now += seconds


class LoopStage:
    """A loop as the stage of `drive.perform`."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    @property
    def now(self) -> float:
        """Seconds since the start."""
        return self._loop.time()

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        """Let something happen so many seconds from now."""
        self._loop.call_later(max(seconds, 0.0), act)


def run(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine to its end in reckoned time."""
    with asyncio.Runner(loop_factory=ReckonedLoop) as runner:
        return runner.run(main())
