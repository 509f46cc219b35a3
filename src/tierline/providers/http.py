"""Upstreams over HTTP: one pooled client for each provider, every failure as a ProviderFailure.

HTTP/1.1 on purpose: a pool of connections fails one call at a time, where one HTTP/2 connection fails all of them at once.
Redirects are not followed and proxies of the environment are not used, so that a call goes where the spec says and nowhere else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import NoReturn

from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import (
    ConnectError,
    ConnectTimeoutError,
    DecodeError,
    PyreqwestError,
    RequestTimeoutError,
)
from pyreqwest.request import RequestBuilder, StreamRequest
from pyreqwest.response import Response, ResponseBodyReader

from tierline.types.access import Endpoint
from tierline.types.errors import ProviderFailure
from tierline.types.outcome import ErrorClass
from tierline.types.wire import Call, Reply


class HttpProvider:
    """Reaches the upstream at `endpoint.base_url`. Its client is made at the first call, in the process and loop that calls."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.name = endpoint.name
        self._endpoint = endpoint
        self._base = endpoint.base_url.rstrip("/")
        self._client: Client | None = None

    async def send(self, call: Call) -> Reply:
        """Send one call. Raises ProviderFailure: `connect` (nothing came), `timeout`, `malformed` (what came is not HTTP)."""
        client = self._client
        if client is None:
            client = self._client = _client(self._endpoint)
        request = client.post(self._base + call.path).body_bytes(call.body)
        if call.request_id:
            request = request.header("x-request-id", call.request_id)
        if call.headers:
            request = request.headers(call.headers)
        if call.stream:
            return await _Stream.open(request, call.timeout, self._endpoint.idle_timeout)
        return await _whole(request, call.timeout)

    async def close(self) -> None:
        """Let go of every connection; a later call opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()


def _client(endpoint: Endpoint) -> Client:
    headers = [("content-type", "application/json"), ("accept-encoding", "identity"), *endpoint.headers]
    if endpoint.secret and endpoint.auth == "bearer":
        headers.append(("authorization", f"Bearer {endpoint.secret}"))
    elif endpoint.secret and endpoint.auth != "none":
        headers.append((endpoint.auth, endpoint.secret))
    return (
        ClientBuilder()
        .user_agent("tierline")
        .default_headers(headers)
        .connect_timeout(timedelta(seconds=endpoint.connect_timeout))
        .follow_redirects(False)
        .no_proxy()
        .referer(False)
        .http1_lower_case_headers()
        .build()
    )


async def _whole(request: RequestBuilder, timeout: float) -> Reply:
    try:
        response = await request.timeout(timedelta(seconds=timeout)).build().send()
        return _Whole(response, (await response.bytes()).to_bytes())
    except PyreqwestError as error:
        _fail(error)


def _fail(error: PyreqwestError, begun: bool = False) -> NoReturn:
    """Raises the ProviderFailure for a client error; `begun`: some of the answer had come. Addresses stay out of the message."""
    kind: ErrorClass
    if isinstance(error, ConnectTimeoutError) and "connect" in _causes(error):
        kind = "connect"
    elif isinstance(error, RequestTimeoutError):
        kind = "timeout"
    elif begun or "body" in error.message:
        kind = "cut"
    elif isinstance(error, ConnectError):
        kind = "connect"
    else:
        kind = "malformed" if isinstance(error, DecodeError) else "connect"
    raise ProviderFailure(kind, f"{error.message}{_last_cause(error)}") from None


def _causes(error: PyreqwestError) -> str:
    details = getattr(error, "details", None) or {}
    return " ".join(str(cause["message"]).lower() for cause in details.get("causes") or ())


def _last_cause(error: PyreqwestError) -> str:
    details = getattr(error, "details", None) or {}
    causes = details.get("causes") or ()
    return f": {causes[-1]['message']}" if causes else ""


class _Whole:
    """A reply whose body is there."""

    __slots__ = ("_body", "_headers", "_response", "status")

    def __init__(self, response: Response, body: bytes) -> None:
        self.status = response.status
        self._response = response
        self._headers: Mapping[str, str] | None = None
        self._body: bytes | None = body

    @property
    def headers(self) -> Mapping[str, str]:
        if self._headers is None:
            self._headers = dict(self._response.headers.items())
        return self._headers

    async def body(self) -> bytes:
        return self._body or b""

    async def chunk(self) -> bytes | None:
        body, self._body = self._body, None
        return body or None

    async def close(self) -> None:
        return


class _Stream:
    """A reply whose body comes in pieces. One timer watches the whole stream; it costs nothing for each piece."""

    __slots__ = ("_expired", "_headers", "_limit", "_loop", "_reader", "_request", "_response", "_since", "_task", "_timer", "status")

    _response: Response
    _reader: ResponseBodyReader

    def __init__(self, request: StreamRequest, timeout: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._request = request
        self._headers: Mapping[str, str] | None = None
        self._limit = timeout
        self._since = self._loop.time()
        self._task: asyncio.Task[object] | None = None
        self._expired = False
        self._timer = self._loop.call_later(timeout, self._watch)
        self.status = 0

    @classmethod
    async def open(cls, builder: RequestBuilder, timeout: float, idle: float) -> _Stream:
        stream = cls(builder.streamed_read_buffer_limit(1).build_streamed(), timeout)
        stream._task = asyncio.current_task()
        try:
            response = await stream._request.__aenter__()
        except asyncio.CancelledError:
            stream._timer.cancel()
            stream._timed_out()
            raise
        except PyreqwestError as error:
            stream._timer.cancel()
            _fail(error)
        stream._task = None
        stream._response = response
        stream._reader = response.body_reader
        stream.status = response.status
        stream._limit = idle
        return stream

    @property
    def headers(self) -> Mapping[str, str]:
        if self._headers is None:
            self._headers = dict(self._response.headers.items())
        return self._headers

    async def body(self) -> bytes:
        pieces = []
        while (piece := await self.chunk()) is not None:
            pieces.append(piece)
        return b"".join(pieces)

    async def chunk(self) -> bytes | None:
        self._since = self._loop.time()
        self._task = asyncio.current_task()
        try:
            piece = await self._reader.read_chunk()
        except asyncio.CancelledError:
            self._timed_out()
            raise
        except PyreqwestError as error:
            _fail(error, begun=True)
        finally:
            self._task = None
        return None if piece is None else piece.to_bytes()

    async def close(self) -> None:
        self._timer.cancel()
        await self._request.__aexit__(None, None, None)

    def _watch(self) -> None:
        """Ends a read that has lasted too long; otherwise looks again when it would have."""
        left = self._since + self._limit - self._loop.time()
        if self._task is not None and left <= 0:
            self._expired = True
            self._task.cancel()
        else:
            self._timer = self._loop.call_later(left if self._task is not None else self._limit, self._watch)

    def _timed_out(self) -> None:
        """Raises the time-out if it was the timer that cancelled the read, and nobody else did as well."""
        if self._expired and self._task is not None and self._task.uncancel() == 0:
            raise ProviderFailure("timeout", f"the upstream was silent for {self._limit:g} s") from None
