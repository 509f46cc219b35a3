"""The connections to one address: opened by the calls that find none free, kept between calls, and one timer for all that wait."""

from __future__ import annotations

import asyncio
import math
import os
import socket
import ssl
from collections import deque
from typing import Protocol
from urllib.parse import urlsplit

import aiohappyeyeballs
import certifi

from tierline.providers.line import Line
from tierline.types.errors import ProviderFailure
from tierline.types.outcome import ErrorClass

IDLE = 15.0
"""Seconds that a connection may have been unused and still be used again."""

KEPT = 1024
"""Unused connections that are kept at most."""

LOOK_EVERY = 0.01
"""Least seconds between two looks at those that wait."""

_NEXT_ADDRESS = 0.25
"""Seconds after which the next address of a host is tried beside the one before (RFC 8305)."""


class Waiting(Protocol):
    """One who waits for the upstream."""

    def look(self, now: float) -> float:
        """End a wait that has lasted too long by the loop's time `now`; gives the earliest moment at which one could have."""


class Lines:
    """The connections to the address of `base_url`, in the loop that runs when this is made; `connect_timeout` in seconds."""

    __slots__ = (
        "_closing", "_connect_timeout", "_context", "_free", "_host", "_looking", "_looks_at", "_port", "_secure", "_waiting", "loop",
    )  # fmt: skip

    def __init__(self, base_url: str, connect_timeout: float) -> None:
        self.loop = asyncio.get_running_loop()
        address = urlsplit(base_url)
        self._secure = address.scheme == "https"
        self._host = address.hostname or ""
        self._port = address.port or (443 if self._secure else 80)
        self._connect_timeout = connect_timeout
        self._context: ssl.SSLContext | None = None
        self._free: deque[Line] = deque()
        self._waiting: set[Waiting] = set()
        self._looking: asyncio.TimerHandle | None = None
        self._looks_at = math.inf
        self._closing = False

    # connections

    def free(self) -> Line | None:
        """The connection that was used last of those that are kept, or None."""
        free = self._free
        while free:
            line = free.pop()
            if self.loop.time() - line.since > IDLE:
                line.close()
            elif line.open:
                return line
        return None

    async def opened(self, limit: float) -> Line:
        """A new connection, within `limit` seconds; raises ProviderFailure: `connect`, `timeout`."""
        within = min(limit, self._connect_timeout)
        try:
            async with asyncio.timeout(within):
                return await self._open()
        except TimeoutError:
            if within == limit:
                raise silent("timeout", limit) from None
            why = f"no connection within {within:g} s"
        except ssl.SSLCertVerificationError as error:
            why = f"its certificate is not to be trusted: {error.verify_message}"
        except ssl.SSLError as error:
            why = f"no TLS: {error.reason}"
        except socket.gaierror as error:
            why = f"its name leads nowhere: {error.strerror}"
        except OSError as error:
            why = os.strerror(error.errno) if error.errno else "it cannot be reached"  # its own words may name the address
        except UnicodeError:
            why = "its name is none that could be looked up"
        raise ProviderFailure("connect", f"no answer from the upstream: {why}") from None

    async def _open(self) -> Line:
        found = await self.loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        reached = await aiohappyeyeballs.start_connection(found, happy_eyeballs_delay=_NEXT_ADDRESS, loop=self.loop)
        try:
            reached.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            if self._secure and self._context is None:
                self._context = await asyncio.to_thread(_context)
            name = self._host if self._secure else None
            _, line = await self.loop.create_connection(
                lambda: Line(self._done, self._gone), sock=reached, ssl=self._context, server_hostname=name
            )
        except BaseException:
            reached.close()
            raise
        return line

    def _done(self, line: Line) -> None:
        if self._closing:
            line.close()
            return
        line.since = now = self.loop.time()
        self._free.append(line)
        oldest = self._free[0]
        if now - oldest.since > IDLE or len(self._free) > KEPT:
            self._free.popleft().close()

    def _gone(self, line: Line) -> None:
        if line in self._free:
            self._free.remove(line)

    def close(self) -> None:
        """Let go of every connection, of those in use as soon as their replies are whole."""
        self._closing = True
        while self._free:
            self._free.pop().close()

    # those that wait

    def watch(self, waiting: Waiting, until: float) -> None:
        """Look at this one by `until` at the latest, in the loop's time, and then when it says, until it is let go of."""
        self._waiting.add(waiting)
        if until < self._looks_at:
            self.look_by(until)

    def let_go(self, waiting: Waiting) -> None:
        """It waits no longer."""
        self._waiting.discard(waiting)

    def look_by(self, until: float) -> None:
        """Look at those that wait by this moment at the latest."""
        if until < self._looks_at:
            if self._looking is not None:
                self._looking.cancel()
            self._looks_at = until
            self._looking = self.loop.call_at(until, self._look)

    def _look(self) -> None:
        """See whose wait has lasted too long."""
        now = self.loop.time()
        self._looking, self._looks_at = None, math.inf
        self.look_by(max(min([waiting.look(now) for waiting in tuple(self._waiting)], default=math.inf), now + LOOK_EVERY))


def silent(kind: ErrorClass, seconds: float) -> ProviderFailure:
    """Nothing came for so long."""
    return ProviderFailure(kind, f"the upstream was silent for {seconds:g} s")


def _context() -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=certifi.where())
    context.set_alpn_protocols(["http/1.1"])
    return context
