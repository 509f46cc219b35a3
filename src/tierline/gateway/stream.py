"""A stream on its way from an upstream to the client.

`relay` commits it at the first event that carries content. Until then its bytes are held back, and a failure is invisible: the course
goes on with another model. Afterwards they are passed on as they come, and a failure is told openly: the stream ends as `cut`.

`hold` keeps it back whole, for validators to look at first: whatever goes wrong stays invisible.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from time import perf_counter

import msgspec

from tierline.dialects.events import Joining
from tierline.gateway.downstream import ClientGone, Downstream, Opening
from tierline.gateway.race import Claim
from tierline.interfaces import Dialect, StreamReader
from tierline.types.completion import Broken, Completion
from tierline.types.errors import ProviderFailure
from tierline.types.outcome import ErrorClass
from tierline.types.wire import Reply

MOST_HELD = 8 * 1024 * 1024
"""Bytes of a stream that are held or read for its validators."""


class End(msgspec.Struct, frozen=True):
    """How a stream ended. `committed_at` is the reading of `perf_counter` at its first content, None where there was none."""

    committed_at: float | None = None
    error: ErrorClass = ""
    detail: str = ""


async def relay(
    reply: Reply, reader: StreamReader, client: Downstream, opening: Opening, deadline: float | None, claim: Claim | None = None
) -> End:
    """Pass a stream on until it ends. Raises ProviderFailure while nothing has reached the client; `deadline` is a reading of
    `perf_counter` by which content must have come; `claim` is called just before the client gets something."""
    held, ended = await _first_content(reply, reader, deadline)
    committed_at = perf_counter()
    if claim is not None:
        claim()
    client.begin(opening)
    try:
        await client.send(held)
        while not ended and (chunk := await reply.chunk()) is not None:
            if out := reader.feed(chunk):
                await client.send(out)
            if reader.error is not None:
                return End(committed_at, "cut", reader.error.message)
        if (tail := reader.finished()) and reader.error is None:
            await client.send(tail)
        if not (reader.done or reader.finish):
            return End(committed_at, "cut", "the upstream closed the stream before its end")
    except ProviderFailure as failure:
        return End(committed_at, "cut", failure.message)
    except (ClientGone, asyncio.CancelledError):
        return End(committed_at, "cancelled", "the client went away")
    return End(committed_at)


async def _first_content(reply: Reply, reader: StreamReader, deadline: float | None) -> tuple[bytes, bool]:
    """Every byte up to and with the first content, or the whole of a stream that ends properly without any; and whether it has ended."""
    held = bytearray()
    ended = False
    try:
        async with asyncio.timeout(None if deadline is None else max(deadline - perf_counter(), 0.0)):
            while not (reader.content or reader.done or ended):
                chunk = await reply.chunk()
                ended = chunk is None
                held += reader.finished() if chunk is None else reader.feed(chunk)
                if reader.error is not None:
                    raise reader.error
    except TimeoutError:
        raise ProviderFailure("timeout", "no content came before the deadline") from None
    if not (reader.content or reader.done or reader.finish):
        raise ProviderFailure("malformed", "the upstream closed the stream before its first content")
    return bytes(held), ended


async def hold(reply: Reply, reader: StreamReader, content_by: float | None, whole_by: float | None) -> tuple[bytes, float]:
    """The whole stream as its client would get it, and the reading of `perf_counter` at its first content. Raises ProviderFailure: what the
    upstream did wrong, `timeout` where content has not come by `content_by` or the end by `whole_by`, `malformed` past `MOST_HELD`."""
    begun, ended = await _first_content(reply, reader, content_by)
    content_at, kept = perf_counter(), bytearray(begun)
    try:
        async with asyncio.timeout(None if whole_by is None else max(whole_by - content_at, 0.0)):
            while not ended and (chunk := await reply.chunk()) is not None:
                kept += reader.feed(chunk)
                _check(reader, kept)
    except TimeoutError:
        raise ProviderFailure("timeout", "the answer, held for its checks, was not whole before the deadline") from None
    kept += reader.finished()
    _check(reader, kept)
    if not (reader.done or reader.finish):
        raise ProviderFailure("cut", "the upstream closed the stream before its end")
    return bytes(kept), content_at


def _check(reader: StreamReader, kept: bytearray) -> None:
    if reader.error is not None:
        raise reader.error
    if len(kept) > MOST_HELD:
        raise ProviderFailure("malformed", f"the answer is longer than {MOST_HELD} bytes, the most that is held for its checks")


class Read:
    """A `Reply` whose stream is read into an answer as it passes. Past `MOST_HELD` bytes it is only passed. That a stream ends without
    its end is for others to judge."""

    __slots__ = ("_decoder", "_joining", "_reply", "_sound", "_taken")

    def __init__(self, reply: Reply, dialect: Dialect) -> None:
        self._reply = reply
        self._decoder = dialect.decoder()
        self._joining = Joining(dialect.name)
        self._taken = 0
        self._sound = True

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self._reply.status

    @property
    def headers(self) -> Mapping[str, str]:
        """Header values by lower-case name."""
        return self._reply.headers

    async def body(self) -> bytes:
        """The whole body."""
        return await self._reply.body()

    async def chunk(self) -> bytes | None:
        """The next piece; None at the end."""
        chunk = await self._reply.chunk()
        if self._sound:
            self._taken += len(chunk or b"")
            self._sound = self._taken <= MOST_HELD
            for event in self._decoder.finished() if chunk is None else self._decoder.feed(chunk):
                self._sound = self._sound and (chunk is None or not isinstance(event, Broken))
                self._joining.take(event)
        return chunk

    async def close(self) -> None:
        """Let go of the connection."""
        await self._reply.close()

    @property
    def completion(self) -> Completion | None:
        """The answer that has passed; None where it was too long, or no stream of its dialect."""
        return self._joining.completion() if self._sound else None
