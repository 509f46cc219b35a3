"""The sockets that libcurl wants to be watched, kept in the system's list from one transfer to the next.

libcurl asks for the socket of a kept connection anew with every transfer and takes it back when that is over, although nothing comes
in between as a rule. So a socket that it takes back is only *left*: it stays in the list until it is asked for again, or until
something does come, which is the end of the connection; libcurl finds that by itself when it wants to use it.

A left socket may be closed without a word, which takes it out of the system's list, and its number may be given to another one.
Therefore a number that was left is always put to the system again, which says whether it still knows it.
"""

from __future__ import annotations

import select
import selectors
from contextlib import suppress
from typing import Protocol

import pycurl

_LEFT = 0
_IN, _OUT = 1, 4
"""What epoll calls them."""
_MASK = {pycurl.POLL_IN: _IN, pycurl.POLL_OUT: _OUT, pycurl.POLL_INOUT: _IN | _OUT}
_READY = {_IN: pycurl.CSELECT_IN, _OUT: pycurl.CSELECT_OUT}


class Listing(Protocol):
    """The system's list: the part of `select.epoll` that is used."""

    def register(self, fd: int, eventmask: int, /) -> None:
        """Take a socket in."""

    def modify(self, fd: int, eventmask: int, /) -> None:
        """Watch it for something else; raises FileNotFoundError where it is not in the list."""

    def unregister(self, fd: int, /) -> None:
        """Take it out; raises OSError where it is not in the list."""

    def poll(self, timeout: float, /) -> list[tuple[int, int]]:
        """Those with events, and which."""

    def fileno(self) -> int:
        """Ready when one of them has an event."""

    def close(self) -> None:
        """Let go of it."""


class Sockets:
    """The sockets of one libcurl, by their numbers."""

    __slots__ = ("_list", "_watched")

    def __init__(self, listing: Listing | None = None) -> None:
        self._list: Listing = listing or (select.epoll() if hasattr(select, "epoll") else Selected())
        self._watched: dict[int, int] = {}

    def watch(self, socket: int, events: int) -> None:
        """Watch this socket for these events, as libcurl names them."""
        before, mask = self._watched.get(socket), _MASK[events]
        self._watched[socket] = mask
        if before is None:
            self._list.register(socket, mask)
        elif before != mask:
            try:
                self._list.modify(socket, mask)
            except FileNotFoundError:
                self._list.register(socket, mask)

    def leave(self, socket: int) -> None:
        """Watch it no longer."""
        self._watched[socket] = _LEFT

    def ready(self) -> list[tuple[int, int]]:
        """Those with events, and which, as libcurl names them."""
        found = []
        for socket, events in self._list.poll(0):
            mask = self._watched.get(socket, _LEFT)
            if mask == _LEFT:
                self._forget(socket)
            elif mask in _READY:
                found.append((socket, _READY[mask]))  # an error too is for the one that waits to find
            else:
                found.append((socket, (events & ~_OUT and pycurl.CSELECT_IN) | (events & ~_IN and pycurl.CSELECT_OUT)))
        return found

    def fileno(self) -> int:
        """Ready when a socket has an event."""
        return self._list.fileno()

    def close(self) -> None:
        """Let go of all."""
        self._list.close()

    def _forget(self, socket: int) -> None:
        self._watched.pop(socket, None)
        with suppress(OSError):
            self._list.unregister(socket)


class Selected:
    """The list where the system has no epoll."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()

    def register(self, fd: int, eventmask: int, /) -> None:
        """Take a socket in."""
        self._selector.register(fd, eventmask & _IN | eventmask // _OUT * selectors.EVENT_WRITE)

    def modify(self, fd: int, eventmask: int, /) -> None:
        """Take it out and in again: the selector would not ask the system where it takes it for the same."""
        self._selector.unregister(fd)
        self.register(fd, eventmask)

    def unregister(self, fd: int, /) -> None:
        """Take it out."""
        self._selector.unregister(fd)

    def poll(self, timeout: float, /) -> list[tuple[int, int]]:
        """Those with events, and which."""
        return [
            (key.fd, (_IN if events & selectors.EVENT_READ else 0) | (_OUT if events & selectors.EVENT_WRITE else 0))
            for key, events in self._selector.select(timeout)
        ]

    def fileno(self) -> int:
        """Ready when one of them has an event."""
        return int(self._selector.fileno())

    def close(self) -> None:
        """Let go of it."""
        self._selector.close()
