"""A member of what workers and replicas hold in common on a Redis or Valkey: standalone, over TLS, or a cluster.

Nobody waits for an engine that is away: the first call that fails takes it down, and from then on claims are refused at once until an
exchange (made again and again, off the path of requests) gets through. All keys lie in one slot, so that a claim on several counters is
one round trip in a cluster too.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from tierline.state.local_shared import MOST_NEWS, STANDS, new_member
from tierline.state.uses import Uses
from tierline.state.valkey.scripts import CLAIM, CREDIT, EXCHANGE
from tierline.types.errors import SharedStateGone
from tierline.types.shared import Claim, Grant, Heard, Logged

if TYPE_CHECKING:
    from redis.asyncio import Redis, RedisCluster

T = TypeVar("T")
FORGET = 3600.0
"""Seconds that a counter is kept after its window has ended, for those who come late."""
CLUSTER = "redis+cluster://"


class ValkeyShared:
    """One process's way to the engine at `url`; `prefix` begins every key. `timeout` is in seconds, `ca` a file with the certificate
    authority that an engine over TLS is signed by, empty: those that the system trusts."""

    def __init__(self, url: str, *, prefix: str = "tierline", timeout: float = 0.25, cluster: bool = False, ca: str = "") -> None:
        self.member = new_member()
        self._at = "{" + prefix + "}:"
        self._timeout = timeout
        self._uses = Uses()
        self._read_on = "-"
        self._born = ""
        self._down = ""
        self._redis = _client(url, timeout, cluster or url.startswith(CLUSTER), ca)
        self._claim = self._redis.register_script(CLAIM)
        self._credit = self._redis.register_script(CREDIT)
        self._exchange = self._redis.register_script(EXCHANGE)

    async def claim(self, claims: Sequence[Claim]) -> Sequence[Grant]:
        """Settle them in one round trip. Raises SharedStateGone, at once where the engine is known to be away."""
        if self._down:
            raise SharedStateGone(self._down)
        if not claims:
            return []
        keys: list[str] = []
        values: list[str | int] = [self.member]
        for claim in claims:
            whole = self._uses.whole(claim)
            used = f"+{claim.used!r}" if whole is None else repr(whole)
            keys += self._keys(claim.counter, claim.window)
            values += [repr(claim.limit), used, repr(claim.hold), repr(claim.lease), _forget(claim.ends)]
        answer = await self._ask(self._claim(keys=keys, args=values))
        said = [[float(part) for part in one.split()] for one in answer]
        for claim, (_, _, _, whole) in zip(claims, said, strict=True):
            self._uses.keep(claim, whole)
        return [Grant(*one[:3]) for one in said]

    async def credit(self, logged: Sequence[Logged]) -> None:
        """Count what the log knows of processes that have said less. Raises SharedStateGone."""
        if self._down:
            raise SharedStateGone(self._down)
        if logged:
            values: list[str | int] = [value for one in logged for value in (one.member, repr(one.used), _forget(one.ends))]
            await self._ask(self._credit(keys=[self._keys(one.counter, one.window)[0] for one in logged], args=values))

    async def exchange(self, standing: bytes, news: bytes) -> Heard:
        """Say how this process stands and what is new, and hear the others; it is tried also while the engine is away, and brings it
        back. Raises SharedStateGone."""
        keys = [self._at + name for name in ("born", "standings", "news")]
        values: list[str | bytes | float] = [self.member, secrets.token_hex(8), STANDS, standing, news, self._read_on, MOST_NEWS]
        born, last, others, told = await self._ask(self._exchange(keys=keys, args=values))
        self._down = ""
        born = born.decode()
        self._read_on = "-" if self._born and born != self._born else last.decode()
        self._born = born
        return Heard({who.decode(): said for who, said in zip(others[::2], others[1::2], strict=True)}, tuple(told), born)

    async def close(self) -> None:
        """Give back every lease and let go of the connections."""
        try:
            if not self._down:
                holds = [self._keys(*name)[1] for name in self._uses.since(time.time())]
                await self._ask(self._redis.hdel(self._at + "standings", self.member))
                for key in holds:
                    await self._ask(self._redis.hdel(key, self.member))
        except SharedStateGone:
            pass  # they run out by themselves
        finally:
            await self._redis.aclose()

    async def _ask(self, question: Awaitable[T]) -> T:
        from redis.exceptions import RedisError  # noqa: PLC0415  # an optional extra

        try:
            async with asyncio.timeout(self._timeout):
                return await question
        except TimeoutError:
            self._down = f"the shared engine has not answered within {self._timeout:g} s"
        except (RedisError, OSError) as error:
            self._down = f"the shared engine cannot be reached: {type(error).__name__}"
        raise SharedStateGone(self._down) from None

    def _keys(self, counter: str, window: str) -> tuple[str, str]:
        return f"{self._at}u:{counter}|{window}", f"{self._at}h:{counter}|{window}"


def _forget(ends: float) -> int:
    return int(ends + FORGET)


def _client(url: str, timeout: float, cluster: bool, ca: str) -> Redis | RedisCluster:
    """A client that tries once: whoever asks goes on with what it holds, rather than wait."""
    from redis.asyncio import Redis, RedisCluster  # noqa: PLC0415  # an optional extra
    from redis.asyncio.retry import Retry  # noqa: PLC0415
    from redis.backoff import NoBackoff  # noqa: PLC0415

    given: dict[str, Any] = {"socket_connect_timeout": timeout, "socket_timeout": timeout, "retry": Retry(NoBackoff(), 0)}
    if ca and url.startswith("rediss://"):
        given["ssl_ca_certs"] = ca
    if cluster:
        return RedisCluster.from_url(url.replace(CLUSTER, "redis://"), **given)
    return Redis.from_url(url, **given)
