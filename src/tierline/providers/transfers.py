"""Many HTTP transfers at a time in one event loop: libcurl talks and keeps the connections, the loop says when a socket is ready.

No thread has a part in it, so that a call costs no hand-over of the interpreter's lock. What begins in one turn of the loop goes out
together when the turn is over: libcurl's code and the interpreter's do not fit into the processor's first cache at once, and calls that
go out one by one cost a seventh more. The sockets stand in a selector of their own, which the loop watches as one.
"""

from __future__ import annotations

import asyncio
import math
import selectors
from collections.abc import Callable

import pycurl

KEPT = 1024
"""Unused connections that are kept at most."""


class Transfers:
    """The transfers of the loop that runs when this is made, and the connections that they share."""

    __slots__ = ("_armed", "_closing", "_due", "_ended", "_multi", "_selector", "_soon", "_timer", "_watched", "loop")

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._ended: dict[pycurl.Curl, Callable[[int], None]] = {}
        self._watched: dict[int, int] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._due = self._armed = math.inf
        self._soon = self._closing = False
        self._selector = selectors.DefaultSelector()
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAXCONNECTS, KEPT)
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._wake_in)
        self.loop.add_reader(self._selector.fileno(), self._ready)

    def begin(self, curl: pycurl.Curl, ended: Callable[[int], None]) -> None:
        """Start a transfer, in the next turn of the loop; unless it is dropped, `ended` is told libcurl's code for how it went, 0 where
        well."""
        self._ended[curl] = ended
        self._multi.add_handle(curl)

    def drop(self, curl: pycurl.Curl) -> None:
        """End a transfer now and tell nobody: its connection is closed, or its stream reset."""
        if self._ended.pop(curl, None) is not None:
            self._multi.remove_handle(curl)
            self._shut_if_over()

    def close(self) -> None:
        """Let go of every connection, as soon as no transfer is under way."""
        self._closing = True
        self._shut_if_over()

    # what libcurl asks for

    def _watch(self, events: int, socket: int, _multi: pycurl.CurlMulti, _data: object) -> None:
        """Watch this socket for these events, or no longer."""
        events &= pycurl.POLL_INOUT
        watched = self._watched.pop(socket, 0)
        if events:
            self._watched[socket] = events
            if not watched:
                self._selector.register(socket, events)
            elif watched != events:
                self._selector.modify(socket, events)
        elif watched:
            self._selector.unregister(socket)

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
        for key, events in self._selector.select(0):
            self._multi.socket_action(key.fd, events)
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
        ended = self._ended.pop(curl)
        self._multi.remove_handle(curl)
        ended(code)
        self._shut_if_over()

    def _shut_if_over(self) -> None:
        if not self._closing or self._ended or self._multi.closed:
            return
        if self._timer is not None:
            self._timer.cancel()
        self.loop.remove_reader(self._selector.fileno())
        self._multi.close()
        self._selector.close()
