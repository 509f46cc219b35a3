"""One HTTP request and the answer to it, as the handlers see them: what came in, who calls, and the gateway that answers it (a reload in
between does not change it)."""

from __future__ import annotations

from time import perf_counter
from typing import TypeVar

import msgspec

from tierline.gateway.gateway import Gateway
from tierline.gateway.trace import Trace
from tierline.interfaces import Dialect
from tierline.server.headers import JSON, Headers
from tierline.server.incoming import Broken, Incoming, Overlong
from tierline.server.limit_headers import limits
from tierline.state.rates import Turn
from tierline.state.turns import Turns
from tierline.types.access import ANYONE, Key
from tierline.types.errors import BadRequest, TooLarge

T = TypeVar("T")


class Exchange:
    """One request and the task that answers it; `dialect` is the one its errors are told in. `rest` is what follows the path of a
    route that ends in `/`; `turn` is its part of its key's limits, where it has any; `reading` is true while its body is awaited, `late`
    where it did not come in time. `trace` is there where it is traced; `logged`: it has its row."""

    __slots__ = (
        "_at_hand",
        "answered",
        "dialect",
        "gateway",
        "headers",
        "incoming",
        "key",
        "late",
        "logged",
        "reading",
        "rest",
        "started",
        "trace",
        "turn",
    )

    def __init__(self, incoming: Incoming, gateway: Gateway, dialect: Dialect) -> None:
        self.incoming = incoming
        self.gateway = gateway
        self.dialect = dialect
        self.headers = incoming.headers
        self.started = perf_counter()
        self.key: Key = ANYONE
        self.rest = ""
        self.answered = False
        self.reading = False
        self.late = False
        self.turn: Turn | None = None
        self.trace: Trace | None = None
        self.logged = False
        self._at_hand = False

    def count(self, turn: Turn) -> None:
        """Count the request under its key's limits; raises RateLimited."""
        self.turn = turn
        turn.begin()

    def close(self) -> None:
        """The request is over."""
        if self._at_hand:
            self.turns.leave()
        self.incoming.abandon()
        if self.turn is not None:
            self.turn.close()

    def give_up(self) -> None:
        """Wait no longer for the body."""
        self.late = True
        self.incoming.task.cancel()

    async def body(self) -> bytes:
        """The whole body; raises TooLarge before reading it where its length is told, else as soon as it is over the limit; BadRequest
        where it is not written as HTTP wants it."""
        limit = self.gateway.loaded.spec.server.max_body
        self.reading = True
        try:
            return await self.incoming.body(limit)
        except Overlong:
            raise TooLarge(f"the body is over the limit of {limit} bytes (`server.max_body` in the spec)") from None
        except Broken as problem:
            raise BadRequest(f"the body cannot be read: {problem}") from None
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
        self.incoming.reply(status, headers, body)

    def json(self, value: object, status: int = 200) -> None:
        """Send a value as JSON."""
        self.reply(status, [JSON], msgspec.json.encode(value))
