"""Upstreams over HTTP: one pool of connections for each door of a provider, every failure as a ProviderFailure.

Redirects are not followed and proxies of the environment are not used: a call goes where the spec says and nowhere else. A call
that is cancelled, at whatever moment, closes its connection at once, so that the upstream stops working (and billing) for nobody.
One timer watches all calls; reading a piece of a stream sets none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any

import certifi
import msgspec
import pycurl

from tierline.providers.credentials import Credentials, credentials_of
from tierline.providers.http_reply import HttpReply, silent
from tierline.providers.transfers import Transfers
from tierline.types.access import Door, Endpoint
from tierline.types.errors import ProviderFailure
from tierline.types.wire import Call, Reply

IDLE = 15
"""Seconds that a connection may have been unused and still be used again."""

STALE = 1.0
"""Seconds within which a kept connection shows that its other end is gone."""

_ID = "x-request-id"
_NO_EXPECT = b"expect:"
"""libcurl shall not ask before it sends a large body."""


class HttpProvider:
    """Reaches the upstream by the doors of `endpoint`, signed in as its `auth` says, or with `credentials`. The connections of a door are
    opened by its calls and belong to the loop of the first. A call that breaks off without a byte on a connection that was kept is sent
    once more, unless the upstream has had it for `stale` seconds: it may have done the work. Raises TierlineError where the endpoint's
    credentials cannot be used."""

    def __init__(self, endpoint: Endpoint, credentials: Credentials | None = None, stale: float = STALE) -> None:
        self.name = endpoint.name
        doors = endpoint.doors
        signers = {
            url: credentials_of(msgspec.structs.replace(endpoint, base_url=url, base_urls=())) if credentials is None else credentials
            for url in dict.fromkeys(door.base_url for door in doors)
        }
        self._ways = {door.name: _Way(endpoint, door, signers[door.base_url], stale) for door in doors}
        self._first = self._ways[doors[0].name]

    def send(self, call: Call) -> Coroutine[Any, Any, Reply]:
        """Send one call by its door, or by the first where it names none that is here; the reply is there when the first piece of a stream
        has come, or the whole of anything else. Raises ProviderFailure: `connect` (nothing came), `timeout`, `cut` (it broke off),
        `malformed` (what came is not HTTP), `auth` (the cloud gave no credentials to sign in with)."""
        return self._ways.get(call.door, self._first).send(call)

    async def close(self) -> None:
        """Let go of every connection; a later call opens new ones."""
        for way in self._ways.values():
            way.close()


class _Way:
    """One door with its connections, and for each path the handles that are free for a call."""

    def __init__(self, endpoint: Endpoint, door: Door, credentials: Credentials | None, stale: float) -> None:
        self._base = door.base_url.rstrip("/")
        self._headers = _static_headers(endpoint, door.secret)
        self._lines: list[bytes] | None = None
        self._credentials = credentials
        self._connect_timeout = endpoint.connect_timeout
        self._idle_timeout = endpoint.idle_timeout
        self._stale = stale
        self._transfers: Transfers | None = None
        self._free: dict[str, list[pycurl.Curl]] = {}

    async def send(self, call: Call) -> Reply:
        own, limit = dict(call.headers), call.timeout
        if call.request_id and _ID not in self._headers:
            own.setdefault(_ID, call.request_id)
        if self._credentials is not None:
            limit -= await self._sign(self._credentials, own, call)
        written = self._written(own)
        if self._transfers is None or self._transfers.loop.is_closed():
            self._transfers = Transfers()
        free = self._free.setdefault(call.path, [])
        reply = HttpReply(free.pop() if free else self._handle(call.path), free, self._transfers, limit, self._stale)
        reply.begin(call.body, written, stream=call.stream)
        await (reply.started(self._idle_timeout) if call.stream else reply.whole())
        return reply

    def _written(self, own: dict[str, str]) -> list[bytes]:
        """The header lines of a call with headers of its own: those that are the same for every call are written once."""
        if not own.keys().isdisjoint(self._headers):
            return [*_written({**self._headers, **own}), _NO_EXPECT]
        if self._lines is None:
            self._lines = _written(self._headers)
        return [*self._lines, *_written(own), _NO_EXPECT]

    def close(self) -> None:
        transfers, self._transfers, self._free = self._transfers, None, {}
        if transfers is not None:
            transfers.close()

    async def _sign(self, credentials: Credentials, own: dict[str, str], call: Call) -> float:
        """Adds the credentials of a cloud. The seconds that it took count as waiting for the upstream."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(call.timeout):
                own.update(await credentials.headers(self._base + call.path, call.body))
        except TimeoutError:
            raise silent("timeout", call.timeout) from None
        return loop.time() - began

    def _handle(self, path: str) -> pycurl.Curl:
        """A handle for any number of calls to one path, one at a time."""
        curl = pycurl.Curl()
        curl.setopt(pycurl.URL, self._base + path)
        curl.setopt(pycurl.POST, 1)
        curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        curl.setopt(pycurl.PROXY, "")
        curl.setopt(pycurl.ACCEPT_ENCODING, "")  # whatever comes packed is unpacked
        curl.setopt(pycurl.CAINFO, certifi.where())
        curl.setopt(pycurl.CONNECTTIMEOUT_MS, max(int(self._connect_timeout * 1000), 1))
        curl.setopt(pycurl.MAXAGE_CONN, IDLE)
        curl.setopt(pycurl.TCP_KEEPALIVE, 1)
        curl.setopt(pycurl.NOSIGNAL, 1)
        return curl


def _static_headers(endpoint: Endpoint, secret: str) -> dict[str, str]:
    headers = {"user-agent": "tierline", "content-type": "application/json", "accept-encoding": "identity"}
    if secret and endpoint.auth == "bearer":
        headers["authorization"] = f"Bearer {secret}"
    elif secret and endpoint.auth != "none":
        headers[endpoint.auth.lower()] = secret
    return headers | {name.lower(): value for name, value in endpoint.headers}


def _written(headers: Mapping[str, str]) -> list[bytes]:
    """Header lines as libcurl takes them: an empty value behind a semicolon, and nothing behind the name of one that is not to be sent.
    Raises ProviderFailure where a value would end its line."""
    lines = [f"{name}: {value}" if value else f"{name};" for name, value in headers.items()]
    if not lines:
        return []
    text = "\n".join(lines)
    if text.count("\n") >= len(lines) or "\r" in text or "\0" in text:
        raise ProviderFailure("connect", "a header of the call holds a line break → look at the secret and the headers of the provider")
    return text.encode().split(b"\n")
