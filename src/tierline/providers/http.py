"""Upstreams over HTTP: one pooled client for each door of a provider, every failure as a ProviderFailure.

Redirects are not followed and proxies of the environment are not used: a call goes where the spec says and nowhere else. A call
that is cancelled, at whatever moment, closes its connection at once, so that the upstream stops working (and billing) for nobody.
One timer watches each call; reading a piece of a stream sets none.
"""

from __future__ import annotations

import asyncio
import datetime
import re
import time
from collections.abc import Awaitable, Iterator, Mapping
from typing import NoReturn, TypeVar

import msgspec
import wreq
from wreq.redirect import Policy

from tierline.providers.credentials import Credentials, credentials_of
from tierline.types.access import Door, Endpoint
from tierline.types.errors import ProviderFailure
from tierline.types.outcome import ErrorClass
from tierline.types.wire import Call, Reply

T = TypeVar("T")

_IDLE = datetime.timedelta(seconds=15)
"""How long an unused connection is kept."""

_STALE = 1.0
"""Seconds within which a kept connection shows that its other end is gone."""


class HttpProvider:
    """Reaches the upstream by the doors of `endpoint`, signed in as its `auth` says, or with `credentials`. The client of a door is made
    at its first call and belongs to the loop of that call. Raises TierlineError where the endpoint's credentials cannot be used."""

    def __init__(self, endpoint: Endpoint, credentials: Credentials | None = None) -> None:
        self.name = endpoint.name
        doors = endpoint.doors
        signers = {
            url: credentials_of(msgspec.structs.replace(endpoint, base_url=url, base_urls=())) if credentials is None else credentials
            for url in dict.fromkeys(door.base_url for door in doors)
        }
        self._ways = {door.name: _Way(endpoint, door, signers[door.base_url]) for door in doors}
        self._first = self._ways[doors[0].name]

    async def send(self, call: Call) -> Reply:
        """Send one call by its door, or by the first where it names none that is here. Raises ProviderFailure: `connect` (nothing came),
        `timeout`, `malformed` (what came is not HTTP), `auth` (the cloud gave no credentials to sign in with)."""
        return await self._ways.get(call.door, self._first).send(call)

    async def close(self) -> None:
        """Let go of every connection; a later call opens new ones."""
        for way in self._ways.values():
            way.close()


class _Way:
    """One door with its client."""

    def __init__(self, endpoint: Endpoint, door: Door, credentials: Credentials | None) -> None:
        self._base = door.base_url.rstrip("/")
        self._headers = _static_headers(endpoint, door.secret)
        self._credentials = credentials
        self._connect_timeout = endpoint.connect_timeout
        self._idle_timeout = endpoint.idle_timeout
        self._client: wreq.Client | None = None
        self._answered = False

    async def send(self, call: Call) -> Reply:
        client = self._client
        if client is None:
            client = self._client = self._open()
        headers = dict(call.headers)
        if call.request_id:
            headers.setdefault("x-request-id", call.request_id)
        watch = _Watch(call.timeout)
        try:
            post = self._post if self._credentials is None else self._signed_post
            response = await watch.over(post(client, self._base + call.path, call.body, headers))
        except BaseException:
            watch.end()
            raise
        self._answered = True
        return _HttpReply(response, watch, self._idle_timeout if call.stream else None)

    def close(self) -> None:
        self._client = None

    async def _signed_post(self, client: wreq.Client, url: str, body: bytes, headers: dict[str, str]) -> wreq.Response:
        """Sends with the credentials of a cloud; waiting for them counts as waiting for the upstream."""
        assert self._credentials is not None
        return await self._post(client, url, body, headers | dict(await self._credentials.headers(url, body)))

    async def _post(self, client: wreq.Client, url: str, body: bytes, headers: dict[str, str]) -> wreq.Response:
        """Sends once, and once more where a kept connection proves to be closed: known by an upstream that has answered before and
        breaks off within `_STALE` seconds without a byte."""
        started = time.monotonic()
        try:
            return await client.post(url, body=body, headers=headers)
        except (wreq.exceptions.ConnectionResetError, wreq.exceptions.RequestError):
            late = time.monotonic() - started > _STALE
            if late or not self._answered:
                raise
        return await client.post(url, body=body, headers=headers)

    def _open(self) -> wreq.Client:
        return wreq.Client(
            runtime=wreq.Runtime(workers=1, thread_name="tierline-http"),
            headers=self._headers,
            redirect=Policy.none(),
            no_proxy=True,
            cookie_store=False,
            connect_timeout=datetime.timedelta(seconds=self._connect_timeout),
            pool_idle_timeout=_IDLE,
        )


def _static_headers(endpoint: Endpoint, secret: str) -> dict[str, str]:
    headers = {"user-agent": "tierline", "content-type": "application/json", "accept-encoding": "identity"}
    if secret and endpoint.auth == "bearer":
        headers["authorization"] = f"Bearer {secret}"
    elif secret and endpoint.auth != "none":
        headers[endpoint.auth.lower()] = secret
    return headers | {name.lower(): value for name, value in endpoint.headers}


class _Watch:
    """One timer for one call: it ends the wait that has lasted `limit` seconds, by cancelling it from within.

    Until `restart_at_each` the limit is for all waits together; afterwards for each of them."""

    __slots__ = ("_each", "_expired", "_limit", "_loop", "_since", "_task", "_timer")

    def __init__(self, limit: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._limit = limit
        self._each = False
        self._since = self._loop.time()
        self._task: asyncio.Task[object] | None = None
        self._expired = False
        self._timer = self._loop.call_later(limit, self._look)

    async def over(self, wait: Awaitable[T], *, begun: bool = False) -> T:
        """Waits; raises ProviderFailure for a time-out (`timeout`, or `idle` where each wait has its own) and for whatever the client
        raises. `begun`: some of the answer had come."""
        self._task = asyncio.current_task(self._loop)  # without its loop named, the system is asked for the process id each time
        if self._each:
            self._since = self._loop.time()
        try:
            return await wait
        except asyncio.CancelledError:
            if self._expired and self._task is not None and self._task.uncancel() == 0:
                kind: ErrorClass = "idle" if self._each else "timeout"
                raise ProviderFailure(kind, f"the upstream was silent for {self._limit:g} s") from None
            raise
        except _RAISED as error:
            _fail(error, begun)
        finally:
            self._task = None

    def restart_at_each(self, limit: float) -> None:
        """From now on each wait may last `limit` seconds."""
        if not self._each or limit != self._limit:
            self._each, self._limit, self._since = True, limit, self._loop.time()
            self._timer.cancel()
            self._timer = self._loop.call_later(limit, self._look)

    def end(self) -> None:
        """No more waits."""
        self._timer.cancel()

    def _look(self) -> None:
        """Ends a wait that has lasted too long; else looks again at the earliest moment at which one could have."""
        now = self._loop.time()
        left = self._since + self._limit - now
        if self._task is None:
            left = max(left, 0.001) if not self._each else self._limit
        if left <= 0 and self._task is not None:
            self._expired = True
            self._task.cancel()
        else:
            self._timer = self._loop.call_at(now + left, self._look)


class _HttpReply:
    """A reply as it comes: `idle` is the longest silence within it, None: its whole body is bound by the call's time-out."""

    __slots__ = ("_headers", "_idle", "_pieces", "_response", "_watch", "_whole", "status")

    def __init__(self, response: wreq.Response, watch: _Watch, idle: float | None) -> None:
        self.status = response.status.as_int()
        self._response = response
        self._watch = watch
        self._idle = idle
        self._pieces: wreq.Streamer | None = None
        self._whole = False
        self._headers: Mapping[str, str] | None = None

    @property
    def headers(self) -> Mapping[str, str]:
        """Header values by lower-case name, read when first asked for."""
        if self._headers is None:
            self._headers = _Headers(self._response.headers)
        return self._headers

    async def body(self) -> bytes:
        """The whole body; raises ProviderFailure: `cut`, `timeout`."""
        try:
            body = bytes(await self._watch.over(self._response.bytes(), begun=True))
        except BaseException:
            await self.close()
            raise
        self._whole = True
        self._watch.end()
        return body

    async def chunk(self) -> bytes | None:
        """The next piece, as soon as it is there; None at the end; raises ProviderFailure: `cut`, `timeout` before the first of a stream,
        `idle` after it."""
        if self._pieces is None:
            self._pieces = self._response.stream()
        try:
            piece = await self._watch.over(anext(self._pieces), begun=True)
        except StopAsyncIteration:
            piece = None
        except BaseException:
            await self.close()
            raise
        if isinstance(piece, memoryview):
            if self._idle is not None:
                self._watch.restart_at_each(self._idle)
            return bytes(piece)
        self._whole = True
        self._watch.end()
        return None

    async def close(self) -> None:
        """Lets go of the connection; one whose answer has not come whole is closed, which ends the work upstream."""
        self._watch.end()
        pieces, self._pieces = self._pieces, None
        if not self._whole:
            self._whole = True
            if pieces is not None:
                await pieces.__aexit__(None, None, None)
            await self._response.close()


class _Headers(Mapping[str, str]):
    """Header values by lower-case name, each read when it is asked for: most never are."""

    __slots__ = ("_found",)

    def __init__(self, found: wreq.header.HeaderMap) -> None:
        self._found = found

    def __getitem__(self, name: str) -> str:
        value = self._found.get(name)
        if value is None:
            raise KeyError(name)
        return bytes(value).decode("latin-1")

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self._found

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(bytes(name).decode("latin-1").lower() for name, _ in self._found))

    def __len__(self) -> int:
        return self._found.keys_len()


def _fail(error: Exception, begun: bool) -> NoReturn:
    """Raises the ProviderFailure for what the client raised. Its message has the cause in a few words, never an address or a header."""
    told = str(error)
    kind: ErrorClass = "cut" if begun else "malformed" if "Parse(" in told else "connect"
    cause = _CAUSE.search(told)
    raise ProviderFailure(kind, f"{_SAID[kind]}: {cause[1] or cause[2] if cause else type(error).__name__}") from None


_CAUSE = re.compile(r'message: "([^"]{1,80})"|netty::Error\((\w+)')
"""Where the client's own account of an error names the operating system's word, or the protocol's."""

_RAISED = (
    wreq.exceptions.BodyError,
    wreq.exceptions.BuilderError,
    wreq.exceptions.ConnectionError,
    wreq.exceptions.ConnectionResetError,
    wreq.exceptions.DecodingError,
    wreq.exceptions.RequestError,
    wreq.exceptions.TimeoutError,
    wreq.exceptions.TlsError,
)

_SAID: dict[ErrorClass, str] = {
    "connect": "no answer from the upstream",
    "cut": "the upstream broke off",
    "malformed": "the upstream does not speak HTTP",
}
