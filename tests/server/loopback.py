"""A server on a free port of loopback, in a thread of its own, for tests that play the upstream."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterator
from typing import Any, Self


class Loopback:
    """Runs `_connection` for each connection; `port` is its port while it is `running`."""

    def __init__(self) -> None:
        self.port = 0
        self._ready = threading.Event()

    @contextlib.contextmanager
    def running(self) -> Iterator[Self]:
        thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        thread.start()
        assert self._ready.wait(30)
        try:
            yield self
        finally:
            self._loop.call_soon_threadsafe(self._stop.set)
            thread.join(30)

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._connection, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raise NotImplementedError


async def request(reader: asyncio.StreamReader) -> tuple[str, dict[str, str], dict[str, Any]]:
    """The next request, whole: its path, its headers in small letters and its JSON body."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
    return head[0].split()[1], headers, json.loads(await reader.readexactly(int(headers["content-length"])))
