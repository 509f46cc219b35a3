"""The connections to one address: opened by the calls that find none free, kept between calls, and one timer for all that wait."""

from __future__ import annotations

import asyncio
import math
import os
import socket
import ssl
from collections import deque
from collections.abc import Sequence
from typing import Any, Protocol
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

KNOWN = 60.0
"""Seconds for which it is known where a host is."""

_NEXT_ADDRESS = 0.25
"""Seconds after which the next address of a host is tried beside the one before (RFC 8305)."""


class Waiting(Protocol):
    """One who waits for the upstream."""

    def look(self, now: float) -> float:
        """End a wait that has lasted too long by the loop's time `now`; gives the earliest moment at which one could have."""


class Lines:
    """The connections to the address of `base_url`, in the loop that runs when this is made; `connect_timeout` in seconds."""

    __slots__ = (
        "_asking", "_closing", "_connect_timeout", "_context", "_found", "_found_at", "_free", "_host", "_looking", "_looks_at", "_port",
        "_secure", "_waiting", "loop",
    )  # fmt: skip

    def __init__(self, base_url: str, connect_timeout: float) -> None:
        self.loop = asyncio.get_running_loop()
        address = urlsplit(base_url)
        self._secure = address.scheme == "https"
        self._host = address.hostname or ""
        self._port = address.port or (443 if self._secure else 80)
        self._connect_timeout = connect_timeout
        self._context: ssl.SSLContext | None = None
        self._asking = asyncio.Lock()
        self._found: Sequence[_Address] = ()
        self._found_at = -math.inf
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
                line.abort()
            elif line.open:
                return line
        return None

    async def opened(self, until: float, limit: float) -> Line:
        """A new connection, by `until` of the loop's time, when the `limit` of the call is over; raises ProviderFailure: `connect`,
        `timeout`."""
        latest = min(until, self.loop.time() + self._connect_timeout)
        try:
            async with asyncio.timeout_at(latest):
                return await self._open()
        except TimeoutError as error:  # ours, or the system's own
            if latest == until and not error.errno:
                raise silent("timeout", limit) from None
            why = os.strerror(error.errno) if error.errno else f"no connection within {self._connect_timeout:g} s"
        except ssl.SSLCertVerificationError as error:
            said = "it is another's" if error.verify_code in _ANOTHERS else error.verify_message
            why = f"its certificate is not to be trusted: {said}"
        except ssl.SSLError as error:
            why = f"no TLS: {error.reason}"
        except socket.gaierror as error:
            why = f"its name leads nowhere: {error.strerror}"
        except OSError as error:
            why = os.strerror(error.errno) if error.errno else "it cannot be reached"  # its own words may name the address
        except RuntimeError:  # uvloop's word for a socket that it cannot watch
            why = "it cannot be reached"
        except ValueError:
            why = "its name is none that could be looked up"
        raise ProviderFailure("connect", f"no answer from the upstream: {why}") from None

    async def _open(self) -> Line:
        async with self._asking:
            await self._ask()
        try:
            reached = await aiohappyeyeballs.start_connection(self._found, happy_eyeballs_delay=_NEXT_ADDRESS, loop=self.loop)
        except BaseException:
            self._found_at = -math.inf  # it may have moved
            raise
        line = Line(self._done, self._gone)
        try:
            reached.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            name = self._host if self._secure else None
            await self.loop.create_connection(lambda: line, sock=reached, ssl=self._context, server_hostname=name)
        except BaseException:
            if line.made:
                line.abort()  # not the socket beneath it: its number would be another's before the transport has let go of it
            else:
                reached.close()
            raise
        return line

    async def _ask(self) -> None:
        """See to what every connection needs, once for all that are opened at one time: where the host is, and whom to trust."""
        if self._secure and self._context is None:
            self._context = await asyncio.to_thread(_context)
        if self.loop.time() - self._found_at > KNOWN:
            self._found = await self.loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
            self._found_at = self.loop.time()

    def _done(self, line: Line) -> None:
        if self._closing:
            line.abort()
            return
        line.since = now = self.loop.time()
        self._free.append(line)
        oldest = self._free[0]
        if now - oldest.since > IDLE or len(self._free) > KEPT:
            self._free.popleft().abort()

    def _gone(self, line: Line) -> None:
        if line in self._free:
            self._free.remove(line)

    def close(self) -> None:
        """Let go of every connection, of those in use as soon as their replies are whole."""
        self._closing = True
        while self._free:
            self._free.pop().abort()
        self._rest()

    # those that wait

    def watch(self, waiting: Waiting, until: float) -> None:
        """Look at this one by `until` at the latest, in the loop's time, and then when it says, until it is let go of."""
        self._waiting.add(waiting)
        if until < self._looks_at:
            self.look_by(until)

    def let_go(self, waiting: Waiting) -> None:
        """It waits no longer."""
        self._waiting.discard(waiting)
        if self._closing:
            self._rest()

    def _rest(self) -> None:
        """Once this is closed and nobody waits, there is nothing to look at."""
        if self._looking is not None and not self._waiting:
            self._looking.cancel()
            self._looking, self._looks_at = None, math.inf

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


_Address = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]

_ANOTHERS = frozenset({62, 64})
"""OpenSSL's codes for a certificate of another host or address; its own words name the one that was asked for."""


def silent(kind: ErrorClass, seconds: float) -> ProviderFailure:
    """Nothing came for so long."""
    return ProviderFailure(kind, f"the upstream was silent for {seconds:g} s")


def _context() -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=certifi.where())
    context.set_alpn_protocols(["http/1.1"])
    return context
