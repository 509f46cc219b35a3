"""`http`: what a search, a rule engine or any other service answers.

The address is the spec's; what a client says only fills the fields of its query or of its JSON body. Redirects are not followed.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

import msgspec
import wreq
from wreq.redirect import Policy

from tierline.answerers.pattern import Pattern
from tierline.answerers.question import question
from tierline.config.loaded import Loaded
from tierline.config.tools_first import HttpTool, settings
from tierline.types.ask import Hit
from tierline.types.errors import AnswererFailure
from tierline.types.features import Features
from tierline.types.request import Request

_IDLE = datetime.timedelta(seconds=15)
"""How long an unused connection is kept."""

KNOWS_NOTHING = frozenset({204, 404})
"""Statuses by which a service says that it has no answer."""


class Http:
    """Answers what its pattern matches and its service knows. Its client is made at the first call and belongs to the loop of that call."""

    def __init__(self, entry: Mapping[str, Any], loaded: Loaded) -> None:
        given: HttpTool = settings(HttpTool, entry)
        self.name = f"http:{given.http}"
        self._source = loaded.sources[given.http]
        self._pattern = Pattern(given.pattern)
        self._path = given.answer.split(".") if given.answer else []
        self._most = int(given.max_bytes)
        self._limit = datetime.timedelta(seconds=float(given.timeout))
        self._client: wreq.Client | None = None

    async def answer(self, request: Request, features: Features) -> Hit | None:  # noqa: ARG002  # the protocol's
        """What stands at the answer's place; None where nothing matches, or the service has nothing there."""
        named = self._pattern.named(question(request))
        if named is None:
            return None
        body = await self._asked(named)
        words = self._found(body) if body is not None else None
        return Hit(words) if words else None

    async def close(self) -> None:
        """Let go of every connection."""
        self._client = None

    async def _asked(self, named: Mapping[str, str]) -> bytes | None:
        """The service's body, None where it says that it has none."""
        client = self._client = self._client or self._opened()
        try:
            if self._source.method == "GET":
                response = await client.get(self._source.url, query=list(named.items()))
            else:
                response = await client.post(self._source.url, json=dict(named))
            try:
                return await self._body(response)
            finally:
                await response.close()
        except wreq.exceptions.TimeoutError:
            raise AnswererFailure("the service did not answer in time") from None
        except _RAISED as error:
            raise AnswererFailure(f"the service cannot be reached: {type(error).__name__}") from None

    async def _body(self, response: wreq.Response) -> bytes | None:
        status = response.status.as_int()
        if status in KNOWS_NOTHING:
            return None
        if not 200 <= status < 300:
            raise AnswererFailure(f"the service answered with status {status}")
        body = bytearray()
        async with response.stream() as pieces:
            async for piece in pieces:
                body += bytes(piece)
                if len(body) > self._most:
                    raise AnswererFailure(f"the service's answer is over the limit of {self._most} bytes")
        return bytes(body)

    def _found(self, body: bytes) -> str | None:
        """The words at the answer's place; None for nothing, an empty text, or a place that is not there."""
        if not self._path:
            return body.decode("utf-8", "replace").strip()
        try:
            value = msgspec.json.decode(body)
        except msgspec.DecodeError:
            raise AnswererFailure("the service's answer is not JSON") from None
        for part in self._path:
            value = _within(value, part)
        if isinstance(value, dict | list):
            raise AnswererFailure("what stands at the answer's place is no text")
        return str(value).lower() if isinstance(value, bool) else None if value is None else str(value).strip()

    def _opened(self) -> wreq.Client:
        return wreq.Client(
            runtime=wreq.Runtime(workers=1, thread_name="tierline-tools"),
            headers={"user-agent": "tierline", "accept-encoding": "identity", **dict(self._source.headers)},
            redirect=Policy.none(),
            no_proxy=True,
            cookie_store=False,
            timeout=self._limit,
            pool_idle_timeout=_IDLE,
        )


def _within(value: Any, part: str) -> Any:
    if isinstance(value, dict):
        return value.get(part)
    if isinstance(value, list) and part.isdecimal() and int(part) < len(value):
        return value[int(part)]
    return None


_RAISED = (
    wreq.exceptions.BodyError,
    wreq.exceptions.BuilderError,
    wreq.exceptions.ConnectionError,
    wreq.exceptions.ConnectionResetError,
    wreq.exceptions.DecodingError,
    wreq.exceptions.RequestError,
    wreq.exceptions.TlsError,
)
