"""Many HTTP transfers at a time in one event loop: libcurl talks and keeps the connections, the loop says when a socket is ready.

No thread has a part in it, so that a call costs no hand-over of the interpreter's lock. What begins in one turn of the loop goes out
together when the turn is over: libcurl's code and the interpreter's do not fit into the processor's first cache at once, and calls that
go out one by one cost a seventh more. The sockets stand in a list of their own, which the loop watches as one.

One timer watches over all transfers: it goes off when the first of them could have lasted too long, and asks each when to look again.
"""

from __future__ import annotations

import asyncio
import math
from typing import Protocol

import pycurl

from tierline.providers.sockets import Sockets

KEPT = 1024
"""Unused connections that are kept at most."""

LOOK_EVERY = 0.01
"""Least seconds between two looks at the transfers under way."""


class Transfer(Protocol):
    """One transfer, as it is told of."""

    def over(self, code: int) -> None:
        """It has ended, with libcurl's code for how it went, 0 where well."""

    def look(self, now: float) -> float:
        """End a wait that has lasted too long by the loop's time `now`; gives the earliest moment at which one could have."""


class Transfers:
    """The transfers of the loop that runs when this is made, and the connections that they share."""

    __slots__ = ("_armed", "_closing", "_due", "_looking", "_looks_at", "_multi", "_sockets", "_soon", "_timer", "_under_way", "loop")

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._under_way: dict[pycurl.Curl, Transfer] = {}
        self._looking: asyncio.TimerHandle | None = None
        self._looks_at = math.inf
        self._timer: asyncio.TimerHandle | None = None
        self._due = self._armed = math.inf
        self._soon = self._closing = False
        self._sockets = Sockets()
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAXCONNECTS, KEPT)
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._wake_in)
        self.loop.add_reader(self._sockets.fileno(), self._ready)

    def begin(self, curl: pycurl.Curl, transfer: Transfer, until: float) -> None:
        """Start a transfer, in the next turn of the loop, and look at it by `until` at the latest; unless it is dropped, it is told when it
        is over."""
        self._under_way[curl] = transfer
        if until < self._looks_at:
            self.look_by(until)
        self._multi.add_handle(curl)

    def drop(self, curl: pycurl.Curl) -> None:
        """End a transfer now and tell nobody: its connection is closed, or its stream reset."""
        if self._under_way.pop(curl, None) is not None:
            self._multi.remove_handle(curl)
            self._shut_if_over()

    def look_by(self, until: float) -> None:
        """Look at the transfers under way by this moment of the loop's time at the latest."""
        if until < self._looks_at:
            if self._looking is not None:
                self._looking.cancel()
            self._looks_at = until
            self._looking = self.loop.call_at(until, self._look)

    def close(self) -> None:
        """Let go of every connection, as soon as no transfer is under way."""
        self._closing = True
        self._shut_if_over()

    # what libcurl asks for

    def _watch(self, events: int, socket: int, _multi: pycurl.CurlMulti, _data: object) -> None:
        """Watch this socket for these events, or no longer."""
        if events & pycurl.POLL_INOUT:
            self._sockets.watch(socket, events)
        else:
            self._sockets.leave(socket)

    def _wake_in(self, milliseconds: int) -> None:
        """Wake libcurl after so long. A timer that goes off too early is set again then: cheaper than one for each call."""
        if milliseconds > 0:
            self._due = self.loop.time() + milliseconds / 1000
            if self._due < self._armed:
                self._arm()
        elif milliseconds < 0:
            self._due = math.inf
        elif not self._soon:
            self._soon = True
            self.loop.call_soon(self._act)

    # what the loop tells

    def _ready(self) -> None:
        for socket, events in self._sockets.ready():
            self._multi.socket_action(socket, events)
        self._collect()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._armed = self._due
        self._timer = self.loop.call_at(self._due, self._wake)

    def _wake(self) -> None:
        self._timer, self._armed = None, math.inf
        if self._due <= self.loop.time():
            self._due = math.inf
            self._act()
        elif self._due < math.inf:
            self._arm()

    def _act(self) -> None:
        """Let libcurl do what is due."""
        self._soon = False
        if not self._multi.closed:
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
            self._collect()

    def _collect(self) -> None:
        """Tell those whose transfers have ended."""
        _, well, badly = self._multi.info_read()
        for curl in well:
            self._end(curl, 0)
        for curl, code, _ in badly:
            self._end(curl, code)

    def _end(self, curl: pycurl.Curl, code: int) -> None:
        transfer = self._under_way.pop(curl)
        self._multi.remove_handle(curl)
        transfer.over(code)
        self._shut_if_over()

    def _look(self) -> None:
        """See whose wait has lasted too long."""
        now = self.loop.time()
        self._looking, self._looks_at = None, math.inf
        self.look_by(max(min([transfer.look(now) for transfer in self._under_way.values()], default=math.inf), now + LOOK_EVERY))

    def _shut_if_over(self) -> None:
        if not self._closing or self._under_way or self._multi.closed:
            return
        for timer in (self._timer, self._looking):
            if timer is not None:
                timer.cancel()
        self.loop.remove_reader(self._sockets.fileno())
        self._multi.close()
        self._sockets.close()
