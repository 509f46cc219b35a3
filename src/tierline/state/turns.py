"""Requests that are at hand together take their steps together.

A processor's first cache holds the code and data of one step of a request, not those of all of them, and what it has learnt of the branches
is soon forgotten too. Sixteen requests that are all read, then all scored, then all decided cost about a fifth less than sixteen of which
each goes its whole way before the next begins. So where one step ends and another begins, a request lets the others catch up; one that is
alone waits for nobody.

Work that waits for nothing in between says where its stages end (`types/stages`), and goes through them `together` with that of the others:
that costs a tenth of a turn of the event loop, so its steps can be small.
"""

from __future__ import annotations

import asyncio
import types
from collections.abc import Generator
from typing import Any, Generic, TypeVar, cast

from tierline.types.stages import Stages, finish

T = TypeVar("T")


class Turns:
    """The requests of one process that want its processor: those that have come and are not with a model. Each one comes, is away and
    back as often as it calls models, and leaves."""

    __slots__ = ("_line", "at_hand")

    def __init__(self) -> None:
        self.at_hand = 0
        self._line: list[_Place[Any]] = []

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
    def gather(self) -> Generator[None, None, None]:
        """Let those come that arrived in the same moment and are not counted yet. It may be cancelled here."""
        yield

    @types.coroutine
    def go_on(self, *, gather: bool = False) -> Generator[None, None, None]:
        """Let those at hand do what this request has just done, or `gather`; for one that has something to lose: cancelled here, it is so
        where it waits next for anything else."""
        if gather or self.at_hand > 1:
            try:
                yield
            except asyncio.CancelledError:
                _later()

    @types.coroutine
    def together(self, work: Stages[T], *, gather: bool = False) -> Generator[None, None, T]:
        """What the work comes to, each stage of it done beside the same stage of the others' work. It may be cancelled before it is begun;
        with `gather` those that arrived in the same moment are waited for, and it is done whatever happens. Cancelled where it is done, a
        request is so where it waits next for anything else, as with `go_on`."""
        if not gather and self.at_hand <= 1:
            return finish(work)
        place = _Place(work)
        self._line.append(place)
        try:
            yield
        except asyncio.CancelledError:
            if not (gather or place.done):
                self._line.remove(place)
                raise
            _later()
        if not place.done:
            self._work()
        return place.outcome()

    def _work(self) -> None:
        """Do all that stands in line: the first of them to go on does it for everyone."""
        line, self._line = self._line, []
        while line:
            ended = False
            for place in line:
                try:
                    place.step(None)
                except StopIteration as end:
                    place.end(end.value)
                    ended = True
                except BaseException as error:  # it is raised where its own request goes on
                    place.end(None, error)
                    ended = True
            if ended:
                line = [place for place in line if not place.done]


class _Place(Generic[T]):
    """One request's work in line, and what comes of it."""

    __slots__ = ("_error", "_result", "done", "step")

    def __init__(self, work: Stages[T]) -> None:
        self.step = work.send
        self.done = False
        self._result: T | None = None
        self._error: BaseException | None = None

    def end(self, result: T | None, error: BaseException | None = None) -> None:
        """Its work is done, or has failed."""
        self.done, self._result, self._error = True, result, error

    def outcome(self) -> T:
        """What its work came to; raises what it failed with."""
        if self._error is not None:
            raise self._error
        return cast(T, self._result)


def _later() -> None:
    """The request that was cancelled here is cancelled where it waits next."""
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
