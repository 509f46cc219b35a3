"""One client's connection: bytes in, requests to the application one after the other, answers out.

httptools' parser (llhttp, at its strictest) says where a request begins and ends; nothing here reads HTTP by itself.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import unquote

import httptools
import msgspec

from tierline.server.incoming import Incoming
from tierline.types.header_names import USUAL

if TYPE_CHECKING:
    from tierline.server.serving import Serving

MAX_HEADERS = 64 * 1024
"""Bytes of the request line and all headers; past it the connection is refused with 431. The same holds for what stands between the
pieces of a chunked body, and behind them."""
MOST_HEADERS = 100
"""Names of headers in one request."""
MOST_AHEAD = 32
"""Requests that may wait behind the one that is being answered; a client that sends more of them at once has the rest to send again."""
UNREAD = 64 * 1024
"""Bytes of a body that are taken before somebody reads it."""
LINGER = 2.0
"""Seconds in which a client that still sends may take its last answer."""

_AUTHORITY = re.compile("[a-z]+://[^/?#]*", re.IGNORECASE)


class Refused(Exception):
    """What came is no request that is answered here."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class _Enough(Exception):
    """More requests at once than are taken: those that were taken are answered, and the connection ends."""


class Connection(asyncio.Protocol):
    """A connection. `current` is the request that is being answered. `since`: when the sweep first saw it as it still is, waiting for its
    client; None where that has changed."""

    __slots__ = (
        "_again",
        "_ahead",
        "_coming",
        "_deaf",
        "_drained",
        "_head",
        "_headers",
        "_loop",
        "_parser",
        "_refusal",
        "_silent",
        "_slow",
        "_transport",
        "_url",
        "current",
        "house",
        "on_header",
        "since",
    )

    _transport: asyncio.Transport

    def __init__(self, house: Serving, loop: asyncio.AbstractEventLoop) -> None:
        self.house = house
        self._loop = loop
        self.current: Incoming | None = None
        self.since: float | None = None
        self._coming: Incoming | None = None  # its body is still on its way
        self._ahead: list[Incoming] = []
        self._again = b""  # how a request's body is bounded that wants an upgrade
        self._url = b""
        self._headers: dict[bytes, bytes] = {}
        self.on_header = self._headers.setdefault  # of a repeated header the first counts; the parser calls it without a frame of ours
        self._parser = httptools.HttpRequestParser(self)
        self._head = 0  # bytes since the last progress: a whole head, a piece of a body, a chunk's bounds
        self._refusal: Refused | None = None
        self._deaf = False  # what still comes is dropped
        self._silent = False  # reading is paused
        self._slow = False  # writing is
        self._drained: asyncio.Future[None] | None = None

    # what the transport tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The client is there."""
        self._transport = transport  # type: ignore[assignment]  # it reads and writes
        self.house.made(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # in what way it went makes no difference
        """The client has gone: nobody is answered any more."""
        current, self.current = self.current, None
        self._ahead.clear()
        self._deaf = True
        self._coming = self._refusal = None
        del self._parser  # the two hold one another
        self.resume_writing()
        if current is not None:
            current.task.cancel()
        self.house.lost(self)

    def data_received(self, data: bytes | memoryview) -> None:
        """Bytes have come."""
        if self._deaf:
            return
        self._head += len(data)
        try:
            if self._head > MAX_HEADERS:
                self._head -= len(data)
                self._feed_in_parts(memoryview(data))
            else:
                self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._carry_on(data[upgrade.args[0] :])
        except httptools.HttpParserError as error:
            self._refuse(error)

    def _feed_in_parts(self, data: memoryview) -> None:
        """Much at once: no part is larger than what may come without a request or a piece of a body being seen in it."""
        while data and not self._deaf:
            part = data[: MAX_HEADERS - self._head]
            self._head += len(part)
            try:
                self._parser.feed_data(part)
            except httptools.HttpParserUpgrade as upgrade:
                self._carry_on(part[upgrade.args[0] :])
            if self._head >= MAX_HEADERS:
                self._turn_down(Refused(431, f"the request line and headers are over the limit of {MAX_HEADERS} bytes"))
            data = data[len(part) :]

    def _carry_on(self, rest: bytes | memoryview) -> None:
        """Nothing is upgraded: the request is one like any other. The parser has not read its body, so that another one does."""
        if not self._again:  # a tunnel
            self._deaf = True
            return
        self._parser = httptools.HttpRequestParser(self)
        self._parser.feed_data(self._again)
        self.data_received(rest)

    def pause_writing(self) -> None:
        """The client does not take what it is sent."""
        self._slow, self.since = True, None

    def resume_writing(self) -> None:
        """The client has taken most of it."""
        self._slow, self.since = False, None
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
        if self.current is None:
            self._go_on()

    # what the parser tells

    def on_url(self, url: bytes) -> None:
        """A part of the request's target, most often all of it."""
        self._url += url

    def on_headers_complete(self) -> None:
        """A request has begun; its body may be on its way."""
        parser, headers = self._parser, named(self._headers)
        self._headers.clear()
        if self._again:  # it is known already
            self._again = self._url = b""
            return
        version = parser.get_http_version()
        if version not in ("1.1", "1.0"):
            raise Refused(400, f"version {version} of HTTP is not spoken here: use 1.1")
        if len(headers) > MOST_HEADERS:
            raise Refused(431, f"there are over {MOST_HEADERS} headers")
        if "transfer-encoding" in headers and ((headers["transfer-encoding"] or "").lower() != "chunked" or version == "1.0"):
            raise Refused(400, "the only transfer-encoding is chunked, of HTTP 1.1")
        if len(self._ahead) >= MOST_AHEAD:
            self._ahead[-1].keep = False
            raise _Enough
        path, query = target_of(self._url)
        method = parser.get_method().decode("ascii")
        keep = parser.should_keep_alive() and method != "CONNECT"
        incoming = Incoming(self, method, path, query, headers, version == "1.1", keep)
        self._url, self._head = b"", 0
        self._coming = incoming
        if "upgrade" in headers and parser.should_upgrade() and method != "CONNECT":
            bounds = [f"{name}: {headers[name]}\r\n" for name in ("content-length", "transfer-encoding") if name in headers]
            self._again = f"POST / HTTP/1.1\r\n{''.join(bounds)}\r\n".encode()
        if self.current is None and not self._slow:
            self._begin(incoming)
        else:
            self._ahead.append(incoming)
            self.regulate()

    def on_chunk_header(self) -> None:
        """A chunk begins."""
        self._head = 0

    def on_chunk_complete(self) -> None:
        """A chunk ends."""
        self._head = 0

    def on_body(self, piece: bytes) -> None:
        """A piece of the body."""
        self._head = 0
        assert self._coming is not None
        self._coming.take(piece)
        if self._coming.unread > UNREAD:
            self.regulate()

    def on_message_complete(self) -> None:
        """The request is whole."""
        if self._again:
            return
        assert self._coming is not None
        self._coming.complete()
        self._coming = None
        self._head = 0
        self._headers.clear()  # trailers

    # the requests

    def _begin(self, incoming: Incoming) -> None:
        self.current, self.since = incoming, None
        incoming.task = asyncio.Task(self.house.answer(incoming), loop=self._loop)  # type: ignore[arg-type]

    def write(self, data: bytes) -> None:
        """Send."""
        self._transport.write(data)

    async def drained(self) -> None:
        """Returns when the client has taken most of what was sent, or has gone."""
        if self._slow:
            self._drained = self._loop.create_future()
            await self._drained

    def finish(self, *, keep: bool) -> None:
        """The answer is sent: the next request's turn, or the end."""
        whole = self._coming is not self.current
        self.current, self.since = None, None
        if not keep or self.house.stopping:
            self._close(whole)
        else:
            self._go_on()

    def _go_on(self) -> None:
        """The next request's turn, unless the client has still to take earlier answers."""
        if self._ahead:
            if not self._slow:
                self._begin(self._ahead.pop(0))
                self.regulate()
        elif self._refusal is not None:
            refusal, self._refusal = self._refusal, None
            self._tell(refusal)

    def regulate(self) -> None:
        """Read on, unless requests wait already, or a body that nobody reads."""
        coming = self._coming
        silent = not self._deaf and (bool(self._ahead) or (coming is not None and coming.unread > UNREAD))
        if silent != self._silent and not self._transport.is_closing():
            self._silent = silent
            if silent:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    # the end

    def _refuse(self, error: httptools.HttpParserError) -> None:
        """What came cannot be read; nothing more is."""
        cause = error.__context__ if isinstance(error, httptools.HttpParserCallbackError) else None
        if isinstance(cause, _Enough):
            self._deaf = True
        elif cause is not None and not isinstance(cause, Refused):
            raise cause
        else:
            self._turn_down(cause or Refused(400, f"this is not HTTP as it should be: {error}"))

    def _turn_down(self, refusal: Refused) -> None:
        self._deaf = True
        if self._coming is not None:
            self._coming.spoil(str(refusal))  # who reads its body tells
        elif self.current is not None or self._ahead:
            self._refusal = refusal
        else:
            self._tell(refusal)

    def _tell(self, refusal: Refused) -> None:
        refused = Incoming(self, "", "", "", {}, modern=True, keep=False)
        self.current = refused
        body = {"error": {"message": str(refusal), "type": "invalid_request_error", "code": "bad_request", "param": None}}
        refused.reply(refusal.status, [("content-type", "application/json")], msgspec.json.encode(body))

    def _close(self, whole: bool) -> None:
        """The last answer is sent. A client that still sends would lose it if the connection were closed on it: it is listened to for a
        moment longer."""
        self._ahead.clear()
        self._refusal = None
        if self.house.stopping or self._transport.is_closing() or (whole and not self._silent and not self._deaf):
            self._transport.close()
            return
        self._deaf = True
        self.regulate()
        self._transport.write_eof()

    def leave(self) -> None:
        """The server stops: end now, where nothing is being answered."""
        if self.current is None:
            self._transport.close()

    def abort(self) -> None:
        """End now, whatever is being sent."""
        self._transport.abort()

    def sweep(self, now: float) -> None:
        """End where the client has been waited for too long: for its next request, or to take what it was sent."""
        if self.current is not None and not self._slow:
            return
        if self.since is None:
            self.since = now
        elif now - self.since > (LINGER if self._deaf and self.current is None else self.house.idle):
            self._transport.abort()


def named(headers: Mapping[bytes, bytes]) -> dict[str, str | None]:
    """Headers by lower-case name; None for a value that is not ASCII."""
    found: dict[str, str | None] = {}
    usual = USUAL.get
    for name, value in headers.items():
        found.setdefault(usual(name) or name.decode("ascii").lower(), value.decode().rstrip() if value.isascii() else None)
    return found


def target_of(url: bytes) -> tuple[str, str]:
    """Path, decoded once, and query of a request's target."""
    text = url.decode("ascii")
    if not text.startswith(("/", "*")):  # as to a proxy, with scheme and host
        text = _AUTHORITY.sub("", text)
        text = text if text.startswith("/") else "/" + text
    path, _, query = text.partition("#")[0].partition("?")
    return unquote(path) if "%" in path else path, query
