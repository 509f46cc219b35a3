"""Something that lasts a while and takes a blocking call to get: a token, a set of keys."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from tierline.types.errors import ProviderFailure

T = TypeVar("T")


class Grant(msgspec.Struct, Generic[T], frozen=True):
    """A value to renew from `renew_at` on, and of no use from `ends_at` on (both seconds since the epoch). Its repr never shows it."""

    value: T
    renew_at: float
    ends_at: float

    def __repr__(self) -> str:
        return f"Grant(renew_at={self.renew_at}, ends_at={self.ends_at})"


EARLY = 300.0
"""Seconds before its end from which on a token is renewed."""
_SPARE = 10.0
"""Seconds before its end from which on a token is not sent any more: a call takes time to arrive."""


def token_grant(value: T, now: float, ends_at: float) -> Grant[T]:
    """The grant of a token that was given at `now`: renewed in its last minutes, or in the second half of a short life."""
    return Grant(value, max(ends_at - EARLY, (now + ends_at) / 2), ends_at - _SPARE)


class Renewed(Generic[T]):
    """Keeps the value of the latest grant. `fetch` blocks, so it runs in a thread, and never twice at one time; `who` names its source
    in errors.

    While a grant lasts nobody waits: it is renewed behind the calls that go on with it."""

    def __init__(self, who: str, fetch: Callable[[], Grant[T]], now: Callable[[], float] = time.time) -> None:
        self._who = who
        self._fetch = fetch
        self._now = now
        self._grant: Grant[T] | None = None
        self._renewal: asyncio.Task[str] | None = None

    async def value(self) -> T:
        """A value that is good now; raises ProviderFailure (`auth`) when none can be had."""
        now = self._now()
        if self._grant is not None and now < self._grant.renew_at:
            return self._grant.value
        if self._renewal is None or self._renewal.done():
            self._renewal = asyncio.get_running_loop().create_task(self._renew())
        if self._grant is not None and now < self._grant.ends_at:
            return self._grant.value
        problem = await asyncio.shield(self._renewal)  # the renewal is for everyone: one call that is cancelled does not end it
        if self._grant is None or self._now() >= self._grant.ends_at:
            raise ProviderFailure("auth", f"{self._who} gave no credentials: {problem or 'they had expired when they came'}")
        return self._grant.value

    async def _renew(self) -> str:
        """Fetches a new grant; says what went wrong by the name of the error alone, for its text may hold a secret."""
        try:
            self._grant = await asyncio.to_thread(self._fetch)
        except Exception as error:  # each library has its own
            return type(error).__name__
        return ""


class TokenHeaders:
    """Headers that bear a token: the same for every call while it lasts."""

    def __init__(self, token: Renewed[dict[str, str]]) -> None:
        self._token = token

    async def headers(self, url: str, body: bytes) -> dict[str, str]:  # noqa: ARG002  # a token signs no particular call
        """The headers of the token that is good now; raises ProviderFailure (`auth`)."""
        return await self._token.value()
