"""What the workers of one machine hold in common, without any engine: their parent keeps the table and answers on a Unix socket.

Frames in both directions are a length of four bytes and a MessagePack text. A worker that dies closes its connection, and with that gives
back what it holds.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from tierline.state.local_shared import Table, new_member
from tierline.state.uses import Uses
from tierline.types.errors import SharedStateGone
from tierline.types.shared import Claim, Grant, Heard, Logged

TIMEOUT = 0.5
"""Seconds that a worker waits for its parent's answer."""
_MOST = 16 * 1024**2


class Settled(msgspec.Struct, frozen=True, array_like=True, tag="c"):
    """Claims, with the whole use of each (None: forgotten)."""

    claims: list[tuple[Claim, float | None]]


class Credited(msgspec.Struct, frozen=True, array_like=True, tag="l"):
    """What the log knows."""

    logged: list[Logged]


class Exchanged(msgspec.Struct, frozen=True, array_like=True, tag="e"):
    """A worker's word."""

    standing: bytes
    news: bytes


_encode = msgspec.msgpack.Encoder().encode
_question = msgspec.msgpack.Decoder(tuple[str, Settled | Credited | Exchanged])
_grants = msgspec.msgpack.Decoder(list[tuple[Grant, float]])
_heard = msgspec.msgpack.Decoder(Heard)


class HostTable:
    """The parent's side: a table behind a Unix socket at `path`, on a thread of its own until `close`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._table = Table()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tierline-shared", daemon=True)
        self._thread.start()
        self._ready.wait()

    def close(self) -> None:
        """Answer nobody any more."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        with contextlib.closing(self._loop):
            self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        connected: set[asyncio.Task[Any]] = set()

        async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            connected.add(task)
            task.add_done_callback(connected.discard)
            with contextlib.closing(writer), contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._answer(reader, writer)

        server = await asyncio.start_unix_server(connection, self._path)
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in connected:
            task.cancel()
        await asyncio.gather(*connected, return_exceptions=True)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        member = ""
        try:
            while True:
                member, question = _question.decode(await _read(reader))
                _write(writer, self._said(member, question))
                await writer.drain()
        finally:
            self._table.leave(member)

    def _said(self, member: str, question: Settled | Credited | Exchanged) -> object:
        match question:
            case Settled(claims):
                return [self._table.settle(member, claim, whole) for claim, whole in claims]
            case Credited(logged):
                for one in logged:
                    self._table.credit(one)
                return None
            case Exchanged(standing, news):
                return self._table.exchange(member, standing, news)


class HostShared:
    """A worker's side: a member of the table at `path`. It asks one thing at a time, over one connection."""

    def __init__(self, path: Path) -> None:
        self.member = new_member()
        self._path = path
        self._uses = Uses()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._asking = asyncio.Lock()

    async def claim(self, claims: Sequence[Claim]) -> Sequence[Grant]:
        """Settle them in one round trip. Raises SharedStateGone."""
        if not claims:
            return []
        settled = _grants.decode(await self._ask(Settled([(claim, self._uses.whole(claim)) for claim in claims])))
        for claim, (_, whole) in zip(claims, settled, strict=True):
            self._uses.keep(claim, whole)
        return [grant for grant, _ in settled]

    async def credit(self, logged: Sequence[Logged]) -> None:
        """Count what the log knows of processes that have said less. Raises SharedStateGone."""
        await self._ask(Credited(list(logged)))

    async def exchange(self, standing: bytes, news: bytes) -> Heard:
        """Say how this process stands and what is new, and hear the others. Raises SharedStateGone."""
        return _heard.decode(await self._ask(Exchanged(standing, news)))

    async def close(self) -> None:
        """Hang up, which gives back every lease."""
        self._hang_up()

    async def _ask(self, question: Settled | Credited | Exchanged) -> bytes:
        async with self._asking:
            try:
                async with asyncio.timeout(TIMEOUT):
                    if self._streams is None:
                        self._streams = await asyncio.open_unix_connection(self._path)
                    reader, writer = self._streams
                    _write(writer, (self.member, question))
                    return await _read(reader)
            except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
                self._hang_up()
                raise SharedStateGone(f"the parent of the workers does not answer: {type(error).__name__}") from None
            except BaseException:
                self._hang_up()
                raise

    def _hang_up(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


def _write(writer: asyncio.StreamWriter, said: object) -> None:
    text = _encode(said)
    writer.write(len(text).to_bytes(4, "big") + text)


async def _read(reader: asyncio.StreamReader) -> bytes:
    length = int.from_bytes(await reader.readexactly(4), "big")
    if length > _MOST:
        raise OSError("a frame is too long")
    return await reader.readexactly(length)
