"""One call over HTTP, and its reply as it comes: what has come, who waits for it, and how long it may take."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Mapping, Sequence

import pycurl

from tierline.providers.transfers import Transfers
from tierline.types.errors import ProviderFailure
from tierline.types.outcome import ErrorClass

HELD = 1 << 20
"""Bytes of a stream that wait for their reader, before the upstream has to."""

_WELL, _LEFT = 0, -1


class HttpReply:
    """A call on its way with `curl`, one of the `free` handles of its door and path, which goes back there when it is over.

    Until the first piece of a stream has come, and for anything else to its end, `limit` seconds are for all waits together; after that
    `idle` seconds are for each: the longest silence. Seconds of `stale`: see `HttpProvider`."""

    __slots__ = (
        "_bound", "_code", "_curl", "_each", "_free", "_head", "_headers", "_held", "_limit", "_paused", "_pieces", "_sent_at", "_since",
        "_stale", "_streams", "_transfers", "_waiter", "status",
    )  # fmt: skip

    def __init__(self, curl: pycurl.Curl, free: list[pycurl.Curl], transfers: Transfers, limit: float, stale: float) -> None:
        self.status = 0
        self._curl = curl
        self._free = free
        self._transfers = transfers
        self._stale = stale
        self._head: list[bytes] = []
        self._headers: Mapping[str, str] | None = None
        self._pieces: deque[bytes] = deque()
        self._held = 0
        self._paused = self._streams = self._each = False
        self._sent_at: float | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._code: int | None = None
        self._limit = self._bound = limit
        self._since = transfers.loop.time()

    def begin(self, body: bytes, headers: Sequence[bytes], *, stream: bool) -> None:
        """Send the call."""
        self._streams = stream
        curl = self._curl
        curl.setopt(pycurl.POSTFIELDS, body)
        curl.setopt(pycurl.HTTPHEADER, headers)
        curl.setopt(pycurl.HEADERFUNCTION, self._head.append)
        curl.setopt(pycurl.WRITEFUNCTION, self._take if stream else self._pieces.append)
        curl.setopt(pycurl.PREREQFUNCTION, self._going_out)
        self._transfers.begin(curl, self, self._since + self._limit)

    async def whole(self) -> None:
        """Wait for all of it."""
        while self._code is None:
            await self._wait()
        self._check()

    async def started(self, idle: float) -> None:
        """Wait for its first piece."""
        await self._come()
        if not self._pieces:
            self._check()
        elif self._code is None:
            self.status = self._curl.getinfo(pycurl.RESPONSE_CODE)
            self._bound_by(idle, each=True)

    @property
    def headers(self) -> Mapping[str, str]:
        """Header values by lower-case name, read when first asked for."""
        if self._headers is None:
            self._headers = _read(self._head)
        return self._headers

    async def body(self) -> bytes:
        """The whole body; raises ProviderFailure: `cut`, `timeout`."""
        if self._code is None:
            self._streams, self._held = False, 0
            self._bound_by(self._limit, each=False)
            self._go_on()
            await self.whole()
        else:
            self._check()
        return b"".join(self._pieces)

    async def chunk(self) -> bytes | None:
        """The next piece, as soon as it is there; None at the end; raises ProviderFailure: `cut`, `idle`."""
        self._since = self._transfers.loop.time()
        await self._come()
        if not self._pieces:
            self._check()
            return None
        piece = self._pieces.popleft()
        self._held -= len(piece)
        self._go_on()
        return piece

    async def close(self) -> None:
        """Lets go of the connection; one whose answer has not come whole is closed, which ends the work upstream."""
        if self._code is None:
            self._transfers.drop(self._curl)
            self._done(_LEFT)

    # what libcurl tells

    def _going_out(self, *_: object) -> int:
        """The call is about to be sent. libcurl sends it anew where a kept connection breaks without a byte; that may not be one which
        the upstream has worked on."""
        now = self._transfers.loop.time()
        if self._sent_at is not None and now - self._sent_at >= self._stale:
            return int(pycurl.PREREQFUNC_ABORT)
        self._sent_at = now
        return int(pycurl.PREREQFUNC_OK)

    def _take(self, piece: bytes) -> int | None:
        if self._streams:
            if self._held > HELD:
                self._paused = True
                return int(pycurl.WRITEFUNC_PAUSE)
            self._held += len(piece)
            self._wake()
        self._pieces.append(piece)
        return None

    def over(self, code: int) -> None:
        """It has ended, with libcurl's code for how it went."""
        self.status = self._curl.getinfo(pycurl.RESPONSE_CODE)
        self._done(code)
        self._wake()

    def look(self, now: float) -> float:
        """Ends a wait that has lasted too long; gives the earliest moment at which one could have."""
        until = self._since + self._bound
        if self._waiter is None or self._waiter.done():
            return now + self._bound if self._each or until <= now else until
        if until > now:
            return until
        self._waiter.set_exception(silent("idle" if self._each else "timeout", self._bound))
        return math.inf

    def _done(self, code: int) -> None:
        self._code = code
        if not self._paused:
            self._free.append(self._curl)

    def _go_on(self) -> None:
        """There is room again for what the upstream sends."""
        if self._paused and self._code is None and self._held <= HELD:
            self._paused = False
            self._curl.pause(pycurl.PAUSE_CONT)

    # waiting

    async def _come(self) -> None:
        """Until there is a piece, or no more will come."""
        while not self._pieces and self._code is None:
            await self._wait()

    async def _wait(self) -> None:
        """Until something has come, or it is over; what is cancelled or late lets go of its connection."""
        self._waiter = self._transfers.loop.create_future()
        try:
            await self._waiter
        except BaseException:
            await self.close()
            raise
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _bound_by(self, seconds: float, *, each: bool) -> None:
        self._bound, self._each = seconds, each
        self._since = self._transfers.loop.time()
        self._transfers.look_by(self._since + seconds)

    def _check(self) -> None:
        """Raises ProviderFailure where it ended badly."""
        if self._code is not None and self._code > _WELL:
            kind: ErrorClass = "malformed" if self._code in _NO_HTTP else "cut" if self._head else "connect"
            raise ProviderFailure(kind, f"{_SAID[kind]}: {pycurl.easy_strerror(self._code)}")


def silent(kind: ErrorClass, seconds: float) -> ProviderFailure:
    """Nothing came for so long."""
    return ProviderFailure(kind, f"the upstream was silent for {seconds:g} s")


def _read(head: Sequence[bytes]) -> Mapping[str, str]:
    """The header lines of a reply, those of interim replies before it left out."""
    found: dict[str, str] = {}
    for line in head:
        name, colon, value = line.decode("latin-1").partition(":")
        if colon:
            found.setdefault(name.lower(), value.strip())
        elif name.startswith("HTTP/"):
            found.clear()
    return found


_NO_HTTP = frozenset({pycurl.E_UNSUPPORTED_PROTOCOL, pycurl.E_FTP_WEIRD_SERVER_REPLY})
"""libcurl's codes for what is no HTTP, or none that it takes."""

_SAID: dict[ErrorClass, str] = {
    "connect": "no answer from the upstream",
    "cut": "the upstream broke off",
    "malformed": "the upstream does not speak HTTP",
}
