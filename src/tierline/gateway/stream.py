"""A stream on its way from an upstream to the client.

It commits at the first event that carries content. Until then its bytes are held back, and a failure is invisible: the course
goes on with another model. Afterwards they are passed on as they come, and a failure is told openly: the stream ends as `cut`.
"""

from __future__ import annotations

import asyncio
from time import perf_counter

import msgspec

from tierline.gateway.downstream import ClientGone, Downstream, Opening
from tierline.interfaces import StreamReader
from tierline.types.errors import ProviderFailure
from tierline.types.outcome import ErrorClass
from tierline.types.wire import Reply


class End(msgspec.Struct, frozen=True):
    """How a stream ended. `committed_at` is the reading of `perf_counter` at its first content, None where there was none."""

    committed_at: float | None = None
    error: ErrorClass = ""
    detail: str = ""


async def relay(reply: Reply, reader: StreamReader, client: Downstream, opening: Opening, deadline: float | None) -> End:
    """Pass a stream on until it ends. Raises ProviderFailure while nothing has reached the client; `deadline` is a reading of
    `perf_counter` by which content must have come."""
    held, ended = await _first_content(reply, reader, deadline)
    committed_at = perf_counter()
    client.begin(opening)
    try:
        await client.send(held)
        while not ended and (chunk := await reply.chunk()) is not None:
            if (out := reader.feed(chunk)) and reader.error is None:
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
