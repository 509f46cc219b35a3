"""The client's end of a stream: server-sent events as they are, or the events' data as one JSON array."""

from __future__ import annotations

from tierline.dialects.gemini.array import ArrayWriter
from tierline.gateway.downstream import ClientGone, Opening
from tierline.server import headers
from tierline.server.exchange import Exchange
from tierline.server.limit_headers import limits


class Events:
    """Server-sent events. `begun` is true once the status has left."""

    __slots__ = ("_exchange", "begun")

    content = headers.EVENTS

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.begun = False

    def begin(self, opening: Opening) -> None:
        """The stream is committed."""
        self.begun = True
        exchange = self._exchange
        said = headers.of_opening(exchange.gateway, opening, self.content)
        if exchange.turn is not None:
            said += limits(exchange.turn, exchange.dialect.name)
        exchange.incoming.begin(200, said)

    async def send(self, data: bytes) -> None:
        """Send on; waits while the client is slow. Raises ClientGone."""
        try:
            await self._exchange.incoming.send(data)
        except ConnectionResetError:
            raise ClientGone from None

    async def end(self) -> None:
        """Nothing more comes."""
        self.let_go()

    def let_go(self) -> None:
        """Close the body, whatever it lacks."""
        if self.begun:
            self._exchange.incoming.end()


class JsonArray(Events):
    """One JSON array of the events' data, its elements sent as they come; `writer` makes it."""

    __slots__ = ("_writer",)

    content = headers.JSON

    def __init__(self, exchange: Exchange, writer: ArrayWriter) -> None:
        super().__init__(exchange)
        self._writer = writer

    async def send(self, data: bytes) -> None:
        """Send on the elements that are whole by now."""
        if elements := self._writer.feed(data):
            await super().send(elements)

    async def end(self) -> None:
        """Close the array."""
        await super().send(self._writer.finished())
        self.let_go()
