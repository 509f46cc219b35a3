"""The HTTP server, in this process's event loop: it takes connections from a listening socket, sweeps them, and ends them.

It speaks HTTP/1.1 alone: every proxy and client does.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Awaitable, Callable
from email.utils import formatdate

from tierline.server.connection import Connection
from tierline.server.incoming import Incoming
from tierline.server.listen import room

_logger = logging.getLogger("tierline.server")

SWEEP = 1.0
"""Seconds between two looks at all connections."""
AT_ONCE = 64
"""Connections that are taken before requests have their turn again."""


class Serving:
    """`answer` is called with each request. At most `connections` are open, others wait in the socket's queue; `idle` is in seconds, for a
    connection's headers, between two requests, and for a client that does not take what it is sent. `leaving`: every answer is its
    connection's last."""

    def __init__(
        self, answer: Callable[[Incoming], Awaitable[None]], listener: socket.socket, connections: int = 20_000, idle: float = 75.0
    ) -> None:
        self.answer = answer
        self.idle = idle
        self.leaving = self.stopping = False
        self.date = _date()
        self._listener = listener
        self._room = room(connections)
        self._listening = False
        self._open: set[Connection] = set()
        self._taking: set[asyncio.Task[None]] = set()
        self._ended = asyncio.Event()

    async def serve(self) -> None:
        """Returns after `stop`, once no connection is left. Cancelled, it leaves none."""
        self._loop = asyncio.get_running_loop()
        sweeping = self._loop.create_task(self._sweep())
        self._listen()
        try:
            await self._ended.wait()
        finally:
            sweeping.cancel()
            self._shut()
            for connection in tuple(self._open):
                connection.abort()

    def stop(self) -> None:
        """Take no more connections, and end those on which nothing is being answered."""
        self.leaving = self.stopping = True
        self._shut()
        for connection in tuple(self._open):
            connection.leave()
        self._look_around()

    def made(self, connection: Connection) -> None:
        """A connection has begun."""
        self._open.add(connection)
        if self.stopping:
            connection.leave()

    def lost(self, connection: Connection) -> None:
        """A connection has ended."""
        self._open.discard(connection)
        self._look_around()

    def _look_around(self) -> None:
        self._listen()
        if self.stopping and not self._open and not self._taking:
            self._ended.set()

    def sweep(self, now: float) -> None:
        """End the connections whose client has been waited for too long."""
        for connection in tuple(self._open):
            connection.sweep(now)

    async def _sweep(self) -> None:
        while True:
            self.sweep(time.monotonic())
            self.date = _date()
            self._listen()
            await asyncio.sleep(SWEEP)

    def _listen(self) -> None:
        if not self._listening and not self.stopping and len(self._open) + len(self._taking) < self._room:
            self._listening = True
            self._loop.add_reader(self._listener, self._take)

    def _shut(self) -> None:
        if self._listening:
            self._listening = False
            self._loop.remove_reader(self._listener)

    def _take(self) -> None:
        """Somebody waits at the door."""
        for _ in range(AT_ONCE):
            try:
                client, _ = self._listener.accept()
            except (BlockingIOError, ConnectionAbortedError, InterruptedError):  # another worker was faster, or the client has gone
                return
            except OSError as error:
                _logger.error("cannot take a connection: %s", error)
                self._shut()  # until the next sweep
                return
            client.setblocking(False)
            task = self._loop.create_task(self._connect(client))
            self._taking.add(task)
            task.add_done_callback(self._taken)
            if len(self._open) + len(self._taking) >= self._room:
                self._shut()
                return

    async def _connect(self, client: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(lambda: Connection(self, self._loop), client)
        except OSError:
            client.close()

    def _taken(self, task: asyncio.Task[None]) -> None:
        self._taking.discard(task)
        self._look_around()


def _date() -> str:
    return f"date: {formatdate(usegmt=True)}"
