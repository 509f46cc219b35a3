"""One HTTP request and the answer to it, as the handlers see them: granian's scope and protocol, who calls, and the gateway
that answers it (a reload in between does not change it)."""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import Any, TypeVar

import msgspec
from granian._granian import RSGIProtocolClosed as ProtocolClosed

from tierline.gateway.gateway import Gateway
from tierline.gateway.trace import Trace
from tierline.interfaces import Dialect
from tierline.server.headers import CLOSE, JSON, Headers
from tierline.server.limit_headers import limits
from tierline.state.rates import Turn
from tierline.state.turns import Turns
from tierline.types.access import ANYONE, Key
from tierline.types.errors import BadRequest, ClientClosed, TooLarge

T = TypeVar("T")


class Exchange:
    """One request and the task that answers it; `dialect` is the one its errors are told in. `rest` is what follows the path of a
    route that ends in `/`; `waiting` is true while a client waits for a model and nobody watches whether it goes away; `turn` is its
    part of its key's limits, where it has any; `reading` is true while its body is awaited (`pieces`: of no told
    length), `late` where it did not come in time. `leaving`: the server stops, so that the client is told to open another connection
    for its next request. `trace` is there where it is traced; `logged`: it has its row."""

    __slots__ = (
        "_at_hand",
        "_disconnect",
        "_over",
        "answered",
        "dialect",
        "gateway",
        "headers",
        "key",
        "late",
        "leaving",
        "logged",
        "pieces",
        "protocol",
        "reading",
        "rest",
        "scope",
        "started",
        "task",
        "trace",
        "turn",
        "waiting",
    )

    def __init__(self, scope: Any, protocol: Any, gateway: Gateway, task: asyncio.Task[Any], dialect: Dialect) -> None:
        self.scope = scope
        self.protocol = protocol
        self.gateway = gateway
        self.task = task
        self.dialect = dialect
        self.headers = scope.headers
        self.started = perf_counter()
        self.key: Key = ANYONE
        self.rest = ""
        self.answered = False
        self.waiting = False
        self.reading = False
        self.late = False
        self.pieces = False
        self.leaving = False
        self.turn: Turn | None = None
        self.trace: Trace | None = None
        self.logged = False
        self._at_hand = False
        self._over = False
        self._disconnect: Any = None

    def count(self, turn: Turn) -> None:
        """Count the request under its key's limits; raises RateLimited."""
        self.turn = turn
        turn.begin()

    def watch(self) -> None:
        """From now on, cancel the task as soon as the client closes its connection. Setting it up costs as much as a small request."""
        self.waiting = False
        self._disconnect = self.protocol.client_disconnect()
        self._disconnect.add_done_callback(self._gone)

    def close(self) -> None:
        """The request is over. A watch that is not called off lives, with all that it holds, as long as the client's connection."""
        self._over = True
        if self._at_hand:
            self.turns.leave()
        if self.turn is not None:
            self.turn.close()
        if self._disconnect is not None:
            self._disconnect.cancel()
            self._disconnect = None

    def give_up(self) -> None:
        """Wait no longer for the body: a client that still sends is told at its next piece, one that is silent at the next look."""
        if self.late or not self.pieces:
            self.reading = False
            self.task.cancel()
        self.late = True

    def _gone(self, _: Any) -> None:
        if not self._over:
            self.task.cancel()

    async def body(self) -> bytes:
        """The whole body; raises TooLarge before reading it where its length is told, else as soon as it is over the limit; ClientClosed
        where the client goes away in the middle."""
        self.reading = True
        try:
            return await self._whole_body()
        except ProtocolClosed:
            raise ClientClosed("the client went away before its body was whole") from None
        finally:
            self.reading = False

    @property
    def turns(self) -> Turns:
        """The turns of the requests that are at hand."""
        return self.gateway.world.turns

    async def joined(self) -> bytes:
        """The whole body, as `body` has it, of a request that is to be answered by models: it takes turns with the others from now on."""
        body = await self.body()
        self._at_hand = True
        self.turns.come()
        await self.turns.gather()
        return body

    async def _whole_body(self) -> bytes:
        limit = self.gateway.loaded.spec.server.max_body
        told = self.headers.get("content-length")
        if told is not None:
            if int(told) > limit:
                raise _too_large(limit)
            whole: bytes = await self.protocol()
            return whole
        pieces, length = [], 0
        self.pieces = True
        async for piece in self.protocol:
            if self.late:  # cancelled while it waits, granian would go on reading for as long as the client sends
                raise ClientClosed("the body did not come in time")
            length += len(piece)
            if length > limit:
                raise _too_large(limit)
            pieces.append(piece)
        return b"".join(pieces)

    async def read(self, shape: type[T]) -> T:
        """The body as JSON of that shape; raises BadRequest naming the field at fault."""
        try:
            return msgspec.json.decode(await self.body(), type=shape)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BadRequest(f"the body does not fit: {error}") from None

    def reply(self, status: int, headers: Headers, body: bytes) -> None:
        """Send the whole answer."""
        self.answered = True
        if self.turn is not None:
            headers = [*headers, *limits(self.turn, self.dialect.name)]
        if self.leaving:
            headers = [*headers, CLOSE]
        if self.scope.method == "HEAD":
            self.protocol.response_empty(status, headers)
        else:
            self.protocol.response_bytes(status, headers, body)

    def json(self, value: object, status: int = 200) -> None:
        """Send a value as JSON."""
        self.reply(status, [JSON], msgspec.json.encode(value))


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"the body is over the limit of {limit} bytes (`server.max_body` in the spec)")
