"""One request as it comes over its connection, and the way back for its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tierline.server.connection import Connection

STATUS = {status.value: f"HTTP/1.1 {status.value} {status.phrase}" for status in HTTPStatus}
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
BODILESS = (204, 304)
"""Statuses whose answers have no body, and tell no length."""


class Overlong(Exception):
    """The body is longer than the reader takes."""


class Broken(Exception):
    """The body is not written as HTTP wants it; the message says what is wrong."""


class Incoming:
    """A request. `headers` have lower-case names; of a repeated one the first counts, and one that is not ASCII is None. `task` answers it;
    `keep`: the connection may go on after the answer; `whole`: all of the body is there."""

    __slots__ = (
        "_chunked",
        "_connection",
        "_length",
        "_limit",
        "_pieces",
        "_problem",
        "_reader",
        "headers",
        "keep",
        "method",
        "modern",
        "path",
        "query_string",
        "task",
        "whole",
    )

    task: asyncio.Task[None]

    def __init__(
        self, connection: Connection, method: str, path: str, query: str, headers: Mapping[str, str | None], modern: bool, keep: bool
    ) -> None:
        self._connection = connection
        self.method = method
        self.path = path
        self.query_string = query
        self.headers = headers
        self.modern = modern
        self.keep = keep
        self.whole = False
        self._pieces: list[bytes] = []
        self._length = 0
        self._limit: float = float("inf")
        self._reader: asyncio.Future[None] | None = None
        self._problem: Exception | None = None
        self._chunked = False

    @property
    def unread(self) -> int:
        """Bytes of the body that nobody waits for."""
        return self._length if self._reader is None else 0

    def take(self, piece: bytes) -> None:
        """A piece of the body has come; what is over the limit is dropped."""
        self._length += len(piece)
        if self._length <= self._limit:
            self._pieces.append(piece)
        else:
            self._fail(Overlong())

    def complete(self) -> None:
        """All of the body has come."""
        self.whole = True
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def spoil(self, why: str) -> None:
        """The rest of the body cannot be read."""
        self._fail(Broken(why))

    def _fail(self, problem: Exception) -> None:
        self._pieces.clear()
        self._problem = problem
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    async def body(self, limit: int) -> bytes:
        """The whole body, once; raises Overlong as soon as it is known to be longer than `limit`, and Broken. A client that goes away
        cancels the task."""
        told = self.headers.get("content-length")
        if self._length > limit or (told is not None and int(told) > limit):
            raise Overlong
        if not self.whole and self._problem is None:
            await self._rest(limit)
        if self._problem is not None:
            raise self._problem
        pieces, self._pieces = self._pieces, []
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def _rest(self, limit: int) -> None:
        self._limit = limit
        self._reader = asyncio.get_running_loop().create_future()
        self._connection.regulate()
        if self.modern and self._length == 0 and (self.headers.get("expect") or "").lower() == "100-continue":
            self._connection.write(CONTINUE)
        await self._reader

    def reply(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        """Send the whole answer; nothing where the client has gone or has been answered."""
        connection = self._connection
        if connection.current is not self:
            return
        head = self._head(status, headers, None if status in BODILESS else f"content-length: {len(body)}")
        connection.write(head if self.method == "HEAD" or status in BODILESS else head + body)
        connection.finish(keep=self.keep)

    def begin(self, status: int, headers: list[tuple[str, str]]) -> None:
        """Begin a streamed answer: in chunks, or up to the connection's end for a client of HTTP/1.0."""
        if self._connection.current is self:
            self._chunked = self.modern
            self.keep = self.keep and self.modern
            self._connection.write(self._head(status, headers, "transfer-encoding: chunked" if self.modern else None))

    async def send(self, data: bytes) -> None:
        """Send on; waits while the client is slow. Raises ConnectionResetError where it has gone."""
        connection = self._connection
        if connection.current is not self:
            raise ConnectionResetError
        if data:
            connection.write(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)
            await connection.drained()

    def end(self) -> None:
        """The streamed answer is over."""
        if self._connection.current is self:
            if self._chunked:
                self._connection.write(b"0\r\n\r\n")
            self._connection.finish(keep=self.keep)

    def abandon(self) -> None:
        """Nobody answers any more: where there is no whole answer yet, there will be none."""
        if self._connection.current is self:
            self._connection.abort()

    def _head(self, status: int, headers: list[tuple[str, str]], framing: str | None) -> bytes:
        self.keep = self.keep and self.whole and not self._connection.house.leaving
        lines = [STATUS.get(status) or f"HTTP/1.1 {status} ", *[f"{name}: {value}" for name, value in headers], self._connection.house.date]
        if framing is not None:
            lines.append(framing)
        if not self.keep:
            lines.append("connection: close")
        elif not self.modern:
            lines.append("connection: keep-alive")
        text = "\r\n".join(lines)
        if not text.count("\r") == text.count("\n") == len(lines) - 1:
            text = "\r\n".join([line.replace("\r", " ").replace("\n", " ") for line in lines])
        return (text + "\r\n\r\n").encode("latin-1", "replace")
