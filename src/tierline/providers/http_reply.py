"""One call over HTTP, and its reply as it comes: what has come, who waits for it, and how long it may take."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Mapping

from tierline.providers.line import Line
from tierline.providers.lines import Lines, silent
from tierline.providers.unpacking import Unpacking, unpacking
from tierline.types.errors import ProviderFailure
from tierline.types.header_names import USUAL
from tierline.types.outcome import ErrorClass

HELD = 1 << 20
"""Bytes of a stream that wait for their reader, before the upstream has to."""


class HttpReply:
    """A call on its way by one of `lines`, and what comes back.

    Until the first piece of a stream has come, and for anything else to its end, `limit` seconds are for all waits together; after that
    `idle` seconds are for each: the longest silence."""

    __slots__ = (
        "_bound", "_each", "_headers", "_held", "_limit", "_line", "_lines", "_pieces", "_problem", "_sent_at", "_since", "_streams",
        "_unpacking", "_waiter", "_why", "status",
    )  # fmt: skip

    def __init__(self, lines: Lines, limit: float, *, stream: bool) -> None:
        self.status = 0
        self._lines = lines
        self._line: Line | None = None
        self._streams = stream
        self._headers: dict[str, str] = {}
        self._pieces: deque[bytes] = deque()
        self._held = 0
        self._unpacking: Unpacking | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._each = False
        self._problem: ErrorClass | None = None
        self._why = ""
        self._limit = self._bound = limit
        self._since = self._sent_at = lines.loop.time()

    async def sent(self, head: bytes, body: bytes, idle: float, stale: float) -> None:
        """Send the call; returns when the first piece of a stream has come, or the whole of anything else. What breaks off without a byte
        on a connection that was used before is sent once more, unless the upstream has had it for `stale` seconds: it may have worked."""
        lines = self._lines
        until = self._since + self._limit
        line = lines.free() or await lines.opened(until, self._limit)
        self._go(line, head, body)
        await self._come()
        if self._problem == "connect" and line.used and lines.loop.time() - self._sent_at < stale:
            self._problem = None
            self._go(await lines.opened(until, self._limit), head, body)
            await self._come()
        if not self._pieces or not self._streams:
            self._check()
        elif self._line is not None:
            self._bound_by(idle, each=True)

    def _go(self, line: Line, head: bytes, body: bytes) -> None:
        self._line = line
        self._sent_at = self._lines.loop.time()
        self._lines.watch(self, self._since + self._limit)
        line.send(head, body, self)

    @property
    def headers(self) -> Mapping[str, str]:
        """Header values by lower-case name."""
        return self._headers

    async def body(self) -> bytes:
        """The whole body; raises ProviderFailure: `cut`, `timeout`."""
        if self._line is not None:
            self._streams, self._held = False, 0
            self._bound_by(self._limit, each=False)
            self._line.resume()
            await self._come()
        self._check()
        return self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)

    async def chunk(self) -> bytes | None:
        """The next piece, as soon as it is there; None at the end; raises ProviderFailure: `cut`, `idle`."""
        self._since = self._lines.loop.time()
        if not self._pieces:
            await self._come()
            if not self._pieces:
                self._check()
                return None
        piece = self._pieces.popleft()
        self._held -= len(piece)
        if self._line is not None and self._held <= HELD:
            self._line.resume()
        return piece

    async def close(self) -> None:
        """Lets go of the connection; one whose answer has not come whole is closed, which ends the work upstream."""
        line = self._line
        self._end()
        if line is not None:
            line.abort()
            self._wake()

    # what the connection tells

    def begun(self, status: int, headers: Mapping[bytes, bytes]) -> None:
        """Its head is there."""
        self.status = status
        kept, usual = self._headers, USUAL.get
        for name, value in headers.items():
            said = value.decode() if value.isascii() else value.decode("latin-1")
            kept.setdefault(usual(name) or name.decode("latin-1").lower(), said.rstrip(" \t"))
        if "content-encoding" in kept or "transfer-encoding" in kept:
            self._begun_packed(kept)

    def _begun_packed(self, headers: Mapping[str, str]) -> None:
        sent_as = headers.get("transfer-encoding", "chunked").lower()
        try:
            self._unpacking = unpacking(headers.get("content-encoding", ""))
            if sent_as != "chunked":
                raise ValueError(f"its answer is sent as {sent_as[:40]!r}, which nobody asked for")
        except ValueError as error:
            self._refuse(error)

    def take(self, piece: bytes) -> None:
        """A piece has come."""
        if self._unpacking is not None:
            piece = self._unpacked(self._unpacking, piece)
            if not piece:
                return
        self._pieces.append(piece)
        if self._streams:
            self._held += len(piece)
            if self._held > HELD and self._line is not None:
                self._line.pause()
            self._wake()

    def _unpacked(self, way: Unpacking, piece: bytes) -> bytes:
        try:
            return way.take(piece)
        except ValueError as error:
            self._refuse(error)
            return b""

    def _refuse(self, error: ValueError) -> None:
        """What has come cannot be taken."""
        if self._line is not None:
            self._line.abort()
        self.over("malformed", str(error))

    def over(self, problem: ErrorClass | None, why: str = "") -> None:
        """It is whole, or what has become of it."""
        if problem is None and self._unpacking is not None and not self._unpacking.whole:
            problem = "cut"
        self._problem, self._why = problem, why
        self._end()
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

    def _end(self) -> None:
        self._line = None
        self._lines.let_go(self)

    # waiting

    async def _come(self) -> None:
        """Until there is a piece of a stream, or no more will come. What is cancelled or late lets go of its connection."""
        while self._line is not None and not (self._pieces and self._streams):
            self._waiter = self._lines.loop.create_future()
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
        self._since = self._lines.loop.time()
        self._lines.look_by(self._since + seconds)

    def _check(self) -> None:
        """Raises ProviderFailure where it ended badly."""
        if self._problem is not None:
            raise ProviderFailure(self._problem, f"{_SAID[self._problem]}: {self._why}" if self._why else _SAID[self._problem])


_SAID: dict[ErrorClass, str] = {
    "connect": "no answer from the upstream",
    "cut": "the upstream broke off",
    "malformed": "the upstream does not speak HTTP as it should",
}
