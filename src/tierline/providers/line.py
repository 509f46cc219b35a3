"""One connection to an upstream: a call out, its reply in, then the next call.

httptools' parser (llhttp, at its strictest) says where a reply begins and ends; nothing here reads HTTP by itself.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Callable, Mapping
from typing import Protocol

import httptools

from tierline.types.outcome import ErrorClass

MAX_HEAD = 256 * 1024
"""Bytes of a reply's head, and of what stands between two pieces of its body or behind them."""

_INTERIM = 200
"""Statuses below it announce the reply that is still to come."""


class Listener(Protocol):
    """Who waits for a reply, as the connection tells it."""

    def begun(self, status: int, headers: Mapping[bytes, bytes]) -> None:
        """Its head is there, the names as they were written."""

    def take(self, piece: bytes) -> None:
        """A piece of its body has come."""

    def over(self, problem: ErrorClass | None, why: str = "") -> None:
        """It is whole, or what has become of it: `connect` (nothing came), `cut`, `malformed`."""


class Line(asyncio.Protocol):
    """A connection; `done` takes it back when a reply is whole and another call may go out on it, `gone` is told when it has ended.

    `made`: there is a connection. `used`: a reply has come by it. `since`: when it became free, in the loop's time."""

    __slots__ = (
        "_done", "_gone", "_headers", "_listener", "_parser", "_paused", "_status", "_transport", "_unread", "made", "on_header", "since",
        "used",
    )  # fmt: skip

    _transport: asyncio.Transport

    def __init__(self, done: Callable[[Line], None], gone: Callable[[Line], None]) -> None:
        self._done = done
        self._gone = gone
        self._headers: dict[bytes, bytes] = {}
        self.on_header = self._headers.setdefault  # the first of a name counts; the parser calls it without a frame of ours
        self._listener: Listener | None = None
        self._status = 0
        self._unread = 0
        self._paused = False
        self._parser = httptools.HttpResponseParser(self)
        self.made = self.used = False
        self.since = 0.0

    def send(self, head: bytes, body: bytes, listener: Listener) -> None:
        """Send a call, and tell `listener` of its reply."""
        self._listener = listener
        self._unread = 0
        self._transport.write(head + body)

    def pause(self) -> None:
        """Let the upstream wait."""
        if not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def resume(self) -> None:
        """Let it go on."""
        if self._paused:
            self._paused = False
            if not self._transport.is_closing():
                self._transport.resume_reading()

    def abort(self) -> None:
        """End it now, and tell nobody. TLS is not said goodbye to: the answer could take half a minute."""
        self._listener = None
        self._transport.abort()

    @property
    def open(self) -> bool:
        """Whether a call may go out on it."""
        return not self._transport.is_closing()

    # what the transport tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The upstream is there."""
        self.made = True
        self._transport = transport  # type: ignore[assignment]  # it reads and writes

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        if self._listener is None:  # nobody asked
            self._transport.abort()
            return
        self._unread += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail("malformed", "it wants to speak something else")
        except httptools.HttpParserError as error:
            cause = error.__context__ if isinstance(error, httptools.HttpParserCallbackError) else None
            if cause is not None:
                raise cause from None
            self._fail("malformed", str(error))
        else:
            if self._unread > MAX_HEAD:
                self._fail("malformed", f"its headers are over {MAX_HEAD} bytes")

    def eof_received(self) -> None:
        """The upstream says no more. A reply that does not tell its length ends here, and any other is lost: nothing waits until the rest
        of the call has gone out too."""
        listener = self._listener
        if listener is not None and self._status and not self._bounded() and self._farewell():
            self._listener = None
            listener.over(None)
        self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended."""
        listener, self._listener = self._listener, None
        del self._parser  # the two hold one another
        self._gone(self)
        if listener is not None:
            listener.over("cut" if self._status or self._unread else "connect", "" if exc is None else _said(exc))

    def _bounded(self) -> bool:
        """Whether the reply under way tells where it ends."""
        return not {name.lower() for name in self._headers}.isdisjoint((b"content-length", b"transfer-encoding"))

    def _farewell(self) -> bool:
        """Whether it was the upstream that ended the connection: over TLS anybody between could have."""
        tls: ssl.SSLObject | None = self._transport.get_extra_info("ssl_object")
        try:
            return tls is None or not tls.read(1)
        except ssl.SSLError as error:
            return isinstance(error, ssl.SSLZeroReturnError)

    def _fail(self, problem: ErrorClass, why: str) -> None:
        listener, self._listener = self._listener, None
        self._transport.abort()
        if listener is not None:
            listener.over(problem, why)

    # what the parser tells

    def on_message_begin(self) -> None:
        """A reply begins. One that nobody asked for ends the connection: the next call would take it for its own."""
        if self._listener is None:
            self._transport.abort()

    def on_headers_complete(self) -> None:
        """The head of a reply is there, or of one that only announces it."""
        self._status = status = self._parser.get_status_code()
        if status >= _INTERIM and self._listener is not None:
            self._listener.begun(status, self._headers)

    def on_body(self, piece: bytes) -> None:
        """A piece of the body."""
        self._unread = 0
        if self._listener is not None:
            self._listener.take(piece)

    def on_message_complete(self) -> None:
        """The reply is whole."""
        status, self._status = self._status, 0
        self._headers.clear()
        if status < _INTERIM:
            return
        self._unread = 0
        listener, self._listener = self._listener, None
        if listener is None:  # nobody asked, or who asked has left
            return
        self.used = True
        if self._parser.should_keep_alive() and not self._transport.get_write_buffer_size():
            self.resume()
            self._done(self)
        else:
            self._transport.abort()  # what is still to be sent is of no use
        listener.over(None)


def _said(exc: Exception) -> str:
    """What the system says of it, without the address that its own words may name."""
    return os.strerror(exc.errno) if isinstance(exc, OSError) and exc.errno else ""
