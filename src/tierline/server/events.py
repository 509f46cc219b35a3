"""The client's end of a stream: server-sent events as they are, or the events' data as one JSON array."""

from __future__ import annotations

from typing import Any

from granian._granian import RSGIProtocolClosed as ProtocolClosed

from tierline.dialects.sse import data_of, events
from tierline.gateway.downstream import ClientGone, Opening
from tierline.gateway.gateway import Gateway
from tierline.server import headers


class Events:
    """Server-sent events. `begun` is true once the status has left."""

    __slots__ = ("_gateway", "_protocol", "_transport", "begun")

    content = headers.EVENTS

    def __init__(self, protocol: Any, gateway: Gateway) -> None:
        self._protocol = protocol
        self._gateway = gateway
        self._transport: Any = None
        self.begun = False

    def begin(self, opening: Opening) -> None:
        """The stream is committed."""
        self.begun = True
        self._transport = self._protocol.response_stream(200, headers.of_opening(self._gateway, opening, self.content))

    async def send(self, data: bytes) -> None:
        """Send on; waits while the client is slow. Raises ClientGone."""
        try:
            await self._transport.send_bytes(data)
        except ProtocolClosed:
            raise ClientGone from None

    async def end(self) -> None:
        """Nothing more comes."""


class JsonArray(Events):
    """The data of each event as an element of one JSON array, sent as it comes: Gemini's stream without `alt=sse`.

    What is sent here holds whole events only, as every reader hands them on."""

    __slots__ = ("_elements",)

    content = headers.JSON

    def __init__(self, protocol: Any, gateway: Gateway) -> None:
        super().__init__(protocol, gateway)
        self._elements = 0

    async def send(self, data: bytes) -> None:
        """Send on the data of these events."""
        pieces = []
        for event in events(data):
            element = data_of(event)
            if element:
                pieces.append((b",\r\n" if self._elements else b"[") + element)
                self._elements += 1
        if pieces:
            await super().send(b"".join(pieces))

    async def end(self) -> None:
        """Close the array."""
        await super().send(b"]" if self._elements else b"[]")
