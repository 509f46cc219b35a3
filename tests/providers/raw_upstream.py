"""A raw TCP upstream for tests: it does exactly what a test scripts, faults included."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tierline.types.access import Endpoint
from tierline.types.catalog import Model
from tierline.types.wire import Call

MODEL = Model(name="mini", tier="fast", provider="p", upstream="gpt-5-mini")


@dataclass
class Received:
    """One request as it came over the wire."""

    line: str
    headers: dict[str, str]
    body: bytes


class Connection:
    """One connection, seen from the upstream."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def request(self) -> Received:
        """The next request, whole; raises EOFError when the client has gone."""
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        return Received(head[0], headers, await self._reader.readexactly(int(headers.get("content-length", 0))))

    async def head(self) -> bytes:
        """The head of the next request; its body stays where it is."""
        return await self._reader.readuntil(b"\r\n\r\n")

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def answer(self, body: bytes, *, status: str = "200 OK", headers: str = "") -> None:
        await self.send(f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n{headers}\r\n".encode() + body)

    async def begin_stream(self, headers: str = "") -> None:
        await self.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n%b\r\n" % headers.encode())

    async def piece(self, data: bytes) -> None:
        await self.send(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    async def end_stream(self) -> None:
        await self.send(b"0\r\n\r\n")

    async def reset(self) -> None:
        """Breaks the connection with a TCP reset."""
        self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    async def gone(self) -> int:
        """Returns when the client has let go of the connection, with the number of bytes that came until then."""
        came = 0
        while piece := await self._reader.read(65536):
            came += len(piece)
        return came

    def end(self) -> None:
        """Says that no more will come, and goes on listening."""
        self._writer.write_eof()

    def close(self) -> None:
        self._writer.close()


Run = Callable[[Coroutine[Any, Any, None]], None]
"""Runs a test in an event loop."""

Handler = Callable[[Connection], Awaitable[None]]


@dataclass
class Upstream:
    """A listening upstream: its address and how many connections it has seen."""

    port: int
    connections: int = 0
    under_way: set[asyncio.Task[None]] = field(default_factory=set)

    def endpoint(self, **changes: object) -> Endpoint:
        return Endpoint(**{"name": "up", "base_url": f"http://127.0.0.1:{self.port}/v1", **changes})  # type: ignore[arg-type]

    async def all_gone(self) -> None:
        """Returns when every connection has ended."""
        while self.under_way:
            await asyncio.wait(self.under_way, timeout=5)
            assert not any(not task.done() for task in self.under_way), "a connection is still open"
            await asyncio.sleep(0)


@asynccontextmanager
async def listening(handle: Handler, listener: socket.socket | None = None) -> AsyncIterator[Upstream]:
    """An upstream that gives each connection to `handle`, on a port of its own or on this listener."""
    upstream = Upstream(0)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream.connections += 1
        connection = Connection(reader, writer)
        task = asyncio.current_task()
        assert task is not None
        upstream.under_way.add(task)
        task.add_done_callback(upstream.under_way.discard)
        try:
            await handle(connection)
        except (EOFError, ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            connection.close()

    server = await asyncio.start_server(serve, sock=listener or socket.create_server(("127.0.0.1", 0)))
    upstream.port = server.sockets[0].getsockname()[1]
    try:
        yield upstream
    finally:
        server.close()


def call(body: bytes = b'{"model":"gpt-5-mini"}', **changes: object) -> Call:
    return Call(**{"model": MODEL, "kind": "chat", "path": "/chat/completions", "body": body, "timeout": 5.0, **changes})  # type: ignore[arg-type]
