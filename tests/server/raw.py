"""The HTTP server alone, in the test's own loop, and clients that speak to it in bytes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any

import uvloop

from tierline.server.incoming import Broken, Incoming, Overlong
from tierline.server.listen import bind
from tierline.server.serving import Serving

LIMIT = 100_000
PLAIN = [("content-type", "text/plain")]
Answer = Callable[[Incoming], Awaitable[None]]


class Client:
    """A connection that is written to and read from as it stands."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self.writer = reader, writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def until(self, end: bytes) -> bytes:
        return await self._reader.readuntil(end)

    async def answer(self) -> bytes:
        """One answer that tells its length: its head and body."""
        head = await self.until(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        return head + await self._reader.readexactly(length)

    async def rest(self) -> bytes:
        """All that comes until the server closes."""
        return await self._reader.read()


class Served:
    """A server that runs."""

    def __init__(self, serving: Serving, port: int, task: asyncio.Task[None], clients: contextlib.AsyncExitStack) -> None:
        self.serving, self.port, self.task, self._clients = serving, port, task, clients

    async def client(self) -> Client:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self._clients.callback(writer.close)
        return Client(reader, writer)

    async def said(self, sent: bytes) -> bytes:
        """What comes back for these bytes on a connection of their own, until it is closed."""
        client = await self.client()
        client.send(sent)
        return await client.rest()


@contextlib.asynccontextmanager
async def served(answer: Answer, connections: int = 1000, idle: float = 60.0) -> AsyncIterator[Served]:
    """A server on a free port, for as long as the block lasts."""
    listener = bind("127.0.0.1", 0)
    serving = Serving(answer, listener, connections, idle)
    task = asyncio.create_task(serving.serve())
    await asyncio.sleep(0)
    try:
        async with contextlib.AsyncExitStack() as clients:
            yield Served(serving, listener.getsockname()[1], task, clients)
    finally:
        task.cancel()
        await asyncio.wait([task])
        listener.close()


def play(story: Coroutine[Any, Any, None]) -> None:
    """Run a story in the loop that serves in earnest; one that hangs fails, and so does one that leaves something unsaid in the loop."""
    unsaid: list[dict[str, Any]] = []

    async def timed() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, problem: unsaid.append(problem))
        async with asyncio.timeout(30):
            await story

    uvloop.run(timed())
    assert unsaid == []


async def echo(incoming: Incoming) -> None:
    """Says what it was asked."""
    try:
        body = await incoming.body(LIMIT)
    except Overlong:
        incoming.reply(413, PLAIN, b"too large")
    except Broken as problem:
        incoming.reply(400, PLAIN, f"broken: {problem}".encode())
    else:
        incoming.reply(200, PLAIN, f"{incoming.method} {incoming.path} {incoming.query_string} ".encode() + body)


def body_of(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]
