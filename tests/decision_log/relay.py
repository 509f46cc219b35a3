"""A TCP relay in front of a database, which a test can cut, freeze and mend: an outage on a real socket."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from urllib.parse import parse_qs, urlsplit


class Relay:
    """Listens on a port of its own and passes everything on to the database at `url`, until it is cut."""

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)
        self._loop = asyncio.new_event_loop()
        self._open: set[asyncio.StreamWriter] = set()
        self._up = True
        self._frozen = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._ready.wait()

    @property
    def url(self) -> str:
        """The address of the database by way of the relay."""
        user = self._parts.netloc.rpartition("@")[0]
        return f"postgresql://{user or 'postgres'}@127.0.0.1:{self.port}{self._parts.path}"

    def cut(self) -> None:
        """Close every connection and refuse new ones."""
        self._do(self._cut)

    def mend(self) -> None:
        """Let everything through again."""
        self._do(self._mend)

    def close(self) -> None:
        self._do(self._cut)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, act: object) -> None:
        done = threading.Event()

        def run() -> None:
            act()  # type: ignore[operator]
            done.set()

        self._loop.call_soon_threadsafe(run)
        done.wait()

    def _cut(self) -> None:
        self._up = False
        for writer in tuple(self._open):
            writer.transport.abort()

    def _mend(self) -> None:
        self._up = True

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        if not self._up:
            writer.transport.abort()
            self._open.discard(writer)
            return
        there, onward = await self._dial()
        self._open.add(onward)
        await asyncio.gather(self._pass(reader, onward), self._pass(there, writer))
        self._open -= {writer, onward}

    async def _dial(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        folder = parse_qs(self._parts.query).get("host", [""])[0]
        if folder:
            return await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.{self._parts.port or 5432}")
        return await asyncio.open_connection(self._parts.hostname, self._parts.port or 5432)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while chunk := await reader.read(65536):
                writer.write(chunk)
                await writer.drain()
        writer.transport.abort()
