"""Places at a model that takes only so many calls at one time, and the bounded queue before them.

A free place is taken without waiting for anything. Interactive calls wait before background ones, each kind in the order in which it
came; where the queue is full, an interactive call takes the turn of the background one that came last. Every place that was taken is
given back once; a waiter that is cancelled, or whose time is up, leaves no trace.

A **guest** is a call that nobody waits for at all. It takes a place that would stand empty and counts nowhere; when a call wants its place,
it is asked to leave and the place is the call's at once.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable


class Places:
    """The places of one model. `limit` None: as many as come; `most_waiting`: how long the queue may be."""

    __slots__ = ("_background", "_guests", "_interactive", "limit", "most_waiting", "taken")

    def __init__(self, limit: int | None, most_waiting: int) -> None:
        self.limit = limit
        self.most_waiting = most_waiting
        self.taken = 0
        self._interactive: deque[asyncio.Future[bool]] = deque()
        self._background: deque[asyncio.Future[bool]] = deque()
        self._guests: list[Callable[[], object]] = []

    @property
    def interactive(self) -> int:
        """Interactive calls that wait."""
        return len(self._interactive)

    @property
    def waiting(self) -> int:
        """Calls that wait, of either kind."""
        return len(self._interactive) + len(self._background)

    @property
    def busy(self) -> int:
        """Places that are taken, and calls that wait for one."""
        return self.taken + self.waiting

    def resize(self, limit: int) -> None:
        """Another limit, and the queue as it was."""
        self.change(limit, self.most_waiting)

    def change(self, limit: int | None, most_waiting: int) -> None:
        """New limits: calls beyond them end in their own time, and waiters come in where there is more room."""
        self.limit, self.most_waiting = limit, most_waiting
        self._hand_out()

    def take(self) -> bool:
        """A place at once, or False."""
        if self.limit is not None and self.taken >= self.limit:
            return False
        self.taken += 1
        if self._guests:
            self._make_room()
        return True

    def visit(self, leave: Callable[[], object]) -> bool:
        """A place for a guest at once, or False: none stands empty. `leave` is called when it has to go; its `depart` does nothing then."""
        if self.limit is not None and (self.waiting or self.taken + len(self._guests) >= self.limit):
            return False
        self._guests.append(leave)
        return True

    def depart(self, leave: Callable[[], object]) -> None:
        """A guest has ended by itself, or has left as it was asked to."""
        with contextlib.suppress(ValueError):  # who was asked to leave is not there any more
            self._guests.remove(leave)

    def give_back(self) -> None:
        """The call that held a place has ended."""
        self.taken -= 1
        self._hand_out()

    def ahead(self, *, background: bool) -> int:
        """How many calls would be served before one that came now."""
        return self.waiting if background else self.interactive

    async def wait(self, seconds: float, *, background: bool = False) -> bool:
        """A place within so many seconds, or False; False at once when the queue is full."""
        if seconds <= 0 or not self._room(background=background):
            return False
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[bool] = loop.create_future()
        queue = self._background if background else self._interactive
        queue.append(turn)
        timer = loop.call_later(seconds, _too_late, turn)
        try:
            got = await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.result():
                self.give_back()
            else:
                _forget(queue, turn)
            raise
        finally:
            timer.cancel()
        if not got:
            _forget(queue, turn)
        return got

    def _room(self, *, background: bool) -> bool:
        if self.waiting < self.most_waiting:
            return True
        if background or not self._background:
            return False
        _too_late(self._background.pop())
        return True

    def _hand_out(self) -> None:
        while (queue := self._interactive or self._background) and (self.limit is None or self.taken < self.limit):
            turn = queue.popleft()
            if not turn.done():
                self.taken += 1
                turn.set_result(True)
        if self._guests:
            self._make_room()

    def _make_room(self) -> None:
        """Guests beyond the limit leave, the last first."""
        while self._guests and self.limit is not None and self.taken + len(self._guests) > self.limit:
            self._guests.pop()()


def _forget(queue: deque[asyncio.Future[bool]], turn: asyncio.Future[bool]) -> None:
    with contextlib.suppress(ValueError):  # whoever ended its wait may have taken it out
        queue.remove(turn)


def _too_late(turn: asyncio.Future[bool]) -> None:
    if not turn.done():
        turn.set_result(False)
