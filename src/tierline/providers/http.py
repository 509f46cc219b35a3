"""Upstreams over HTTP: one pool of connections for each door of a provider, every failure as a ProviderFailure.

Redirects are not followed and proxies of the environment are not used: a call goes where the spec says and nowhere else. A call
that is cancelled, at whatever moment, closes its connection at once, so that the upstream stops working (and billing) for nobody.
One timer watches all calls; reading a piece of a stream sets none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import msgspec

from tierline.providers.credentials import Credentials, credentials_of
from tierline.providers.head import Heads
from tierline.providers.http_reply import HttpReply
from tierline.providers.lines import Lines, silent
from tierline.types.access import Door, Endpoint
from tierline.types.wire import Call, Reply

STALE = 1.0
"""Seconds within which a kept connection shows that its other end is gone."""

_ID = "x-request-id"


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
    """One door with its connections."""

    def __init__(self, endpoint: Endpoint, door: Door, credentials: Credentials | None, stale: float) -> None:
        self._base = door.base_url.rstrip("/")
        self._headers = _static_headers(endpoint, door.secret)
        self._heads = Heads(door.base_url, self._headers)
        self._credentials = credentials
        self._connect_timeout = endpoint.connect_timeout
        self._idle_timeout = endpoint.idle_timeout
        self._stale = stale
        self._lines: Lines | None = None

    async def send(self, call: Call) -> Reply:
        own, limit = dict(call.headers), call.timeout
        if call.request_id and _ID not in self._headers:
            own.setdefault(_ID, call.request_id)
        if self._credentials is not None:
            limit -= await self._sign(self._credentials, own, call)
        head = self._heads.of(call.path, own, len(call.body))
        if self._lines is None or self._lines.loop.is_closed():
            self._lines = Lines(self._base, self._connect_timeout)
        reply = HttpReply(self._lines, limit, stream=call.stream)
        await reply.sent(head, call.body, self._idle_timeout, self._stale)
        return reply

    def close(self) -> None:
        lines, self._lines = self._lines, None
        if lines is not None:
            lines.close()

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


def _static_headers(endpoint: Endpoint, secret: str) -> dict[str, str]:
    headers = {"user-agent": "tierline", "content-type": "application/json", "accept-encoding": "identity"}
    if secret and endpoint.auth == "bearer":
        headers["authorization"] = f"Bearer {secret}"
    elif secret and endpoint.auth != "none":
        headers[endpoint.auth.lower()] = secret
    return headers | {name.lower(): value for name, value in endpoint.headers}
