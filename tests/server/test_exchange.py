"""One request as the handlers see it: its client is watched while it lasts, and not a moment longer."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from tierline.server.exchange import Exchange


class Protocol:
    """A connection that stays open until it is told to close."""

    def __init__(self) -> None:
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def client_disconnect(self) -> asyncio.Future[None]:
        return self.closed


async def watched(protocol: Protocol) -> tuple[Exchange, asyncio.Task[Any]]:
    task: asyncio.Task[Any] = asyncio.create_task(asyncio.Event().wait())
    unused: Any = None
    exchange = Exchange(SimpleNamespace(headers={}), protocol, unused, task, unused)
    exchange.watch()
    await asyncio.sleep(0)
    return exchange, task


def test_a_client_that_goes_away_ends_its_request() -> None:
    async def story() -> None:
        protocol = Protocol()
        _, task = await watched(protocol)
        protocol.closed.set_result(None)
        await asyncio.wait([task])
        assert task.cancelled()

    asyncio.run(story())


def test_the_watch_is_called_off_with_the_request_and_cancels_nothing() -> None:
    async def story() -> None:
        protocol = Protocol()
        exchange, task = await watched(protocol)
        exchange.close()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert protocol.closed.cancelled()
        assert not task.cancelled() and task.cancelling() == 0
        task.cancel()

    asyncio.run(story())
