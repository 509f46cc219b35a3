"""Requests that are at hand together take their steps together.

A processor's first cache holds the code and data of one step of a request, not those of all of them. Sixteen requests that are all read,
then all scored, then all decided cost about a sixth less than sixteen of which each goes its whole way before the next begins. So where
one step ends and another begins, a request lets the others catch up; one that is alone waits for nobody.
"""

from __future__ import annotations

import asyncio
import types
from collections.abc import Generator


class Turns:
    """The requests of one process that want its processor: those that have come and are not with a model. Each one comes, is away and
    back as often as it calls models, and leaves."""

    __slots__ = ("at_hand",)

    def __init__(self) -> None:
        self.at_hand = 0

    def come(self) -> None:
        """A request has come, whole."""
        self.at_hand += 1

    def away(self) -> None:
        """It waits for models."""
        self.at_hand -= 1

    def back(self) -> None:
        """It waits no longer."""
        self.at_hand += 1

    def leave(self) -> None:
        """It is over."""
        self.at_hand -= 1

    @types.coroutine
    def next(self) -> Generator[None, None, None]:
        """Let those at hand do what this request has just done. It may be cancelled here."""
        if self.at_hand > 1:
            yield

    @types.coroutine
    def gather(self) -> Generator[None, None, None]:
        """Let those come that arrived in the same moment and are not counted yet. It may be cancelled here."""
        yield

    @types.coroutine
    def go_on(self, *, gather: bool = False) -> Generator[None, None, None]:
        """As `next`, or as `gather`, for a request that has something to lose: cancelled here, it is so where it waits next for anything
        else."""
        if gather or self.at_hand > 1:
            try:
                yield
            except asyncio.CancelledError:
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
