"""What workers hold in common on a real Valkey: the checks of its kind, and that nothing is counted twice."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from server.harness import until
from tierline import plugins
from tierline.state.valkey.engine import ValkeyShared
from tierline.testing.checks import check_shared
from tierline.types.errors import SharedStateGone
from tierline.types.shared import Claim, Grant
from valkeys import Relay, TlsFront, address, certificate, free_port, fresh_prefix, own_valkey, pid_of, some_valkey

TIMEOUT = 0.25
ENDS = time.time() + 3600.0


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with some_valkey() as found:
        yield found


def claim(used: float, hold: float, lease: float = 60.0) -> Claim:
    return Claim("c", "w", 10.0, used, hold, lease, ENDS)


def test_it_keeps_the_laws_of_its_kind_and_is_found_by_its_name(url: str) -> None:
    assert plugins.find("shared", "valkey") is ValkeyShared
    asyncio.run(check_shared(partial(ValkeyShared, url, prefix=fresh_prefix())))


def test_a_claim_that_is_sent_again_because_its_answer_got_lost_counts_once() -> None:
    async def run() -> Grant:
        with own_valkey() as server:
            prefix = fresh_prefix()
            relay = Relay(server.port)
            one, other = ValkeyShared(relay.url, prefix=prefix), ValkeyShared(address(server), prefix=prefix)
            await one.claim([claim(1.0, 2.0)])
            relay.swallow_answers()
            with pytest.raises(SharedStateGone):
                await one.claim([claim(3.0, 2.0)])
            relay.mend()
            await one.exchange(b"", b"")
            await one.claim([claim(3.5, 2.0)])
            (seen,) = await other.claim([claim(0.0, 0.0)])
            await one.close()
            await other.close()
            relay.close()
            return seen

    assert asyncio.run(run()) == Grant(0.0, 4.5, 2.0)


def test_an_engine_that_has_begun_anew_is_told_all_again_and_says_that_it_has() -> None:
    async def run() -> tuple[Grant, bool]:
        with own_valkey() as server:
            one, other = members(address(server))
            before = await one.exchange(b"", b"")
            await other.exchange(b"", b"")
            await one.claim([claim(2.0, 1.0)])
            await other.claim([claim(3.0, 1.0)])
            server.client().flushall()
            after = await one.exchange(b"", b"")
            await one.claim([claim(0.5, 1.0)])
            (seen,) = await other.claim([claim(0.0, 1.0)])
            await one.close()
            await other.close()
            return seen, before.born != after.born

    assert asyncio.run(run()) == (Grant(1.0, 5.5, 1.0), True)


def test_a_frozen_engine_holds_up_one_claim_for_its_timeout_and_the_next_not_at_all() -> None:
    async def run() -> tuple[float, float, bool]:
        with own_valkey() as server:
            one, other = members(address(server))
            await one.claim([claim(0.0, 1.0)])
            engine = pid_of(server)
            os.kill(engine, signal.SIGSTOP)
            try:
                first, second = await failing(one), await failing(one)
                with pytest.raises(SharedStateGone):
                    await one.exchange(b"", b"")
            finally:
                os.kill(engine, signal.SIGCONT)
            await back(one)
            (seen,) = await one.claim([claim(0.0, 1.0)])
            await one.close()
            await other.close()
            return first, second, seen.hold == 1.0

    first, second, again = asyncio.run(run())
    assert first < 2 * TIMEOUT and second < TIMEOUT / 5 and again


def test_a_stopped_engine_refuses_at_once_and_one_in_its_place_is_found() -> None:
    async def run() -> tuple[float, Grant]:
        port = free_port()
        with own_valkey(port) as server:
            one, other = members(address(server))
            await one.claim([claim(2.0, 1.0)])
        refused = await failing(one)
        with own_valkey(port):
            await back(one)
            await one.claim([claim(1.0, 1.0)])
            await back(other)
            (seen,) = await other.claim([claim(0.0, 1.0)])
            await one.close()
            await other.close()
        return refused, seen

    refused, seen = asyncio.run(run())
    assert refused < TIMEOUT and seen == Grant(1.0, 3.0, 1.0)


def test_the_end_of_a_lease_is_told_by_the_engines_clock(url: str) -> None:
    async def run() -> tuple[float, float]:
        one, other = members(url)
        await one.claim([claim(0.0, 8.0, lease=0.2)])
        (before,) = await other.claim([claim(0.0, 8.0, lease=0.2)])
        await asyncio.sleep(0.25)
        (after,) = await other.claim([claim(0.0, 8.0, lease=0.2)])
        await one.close()
        await other.close()
        return before.hold, after.hold

    assert asyncio.run(run()) == (2.0, 8.0)


def test_over_tls_it_needs_the_right_authority(tmp_path: Path) -> None:
    made = certificate(tmp_path)

    async def run(port: int) -> Grant:
        trusted = ValkeyShared(f"rediss://localhost:{port}", prefix=fresh_prefix(), timeout=2.0, ca=str(made))
        stranger = ValkeyShared(f"rediss://localhost:{port}", prefix=fresh_prefix(), timeout=2.0)
        with pytest.raises(SharedStateGone):
            await stranger.claim([claim(0.0, 1.0)])
        (seen,) = await trusted.claim([claim(0.0, 1.0)])
        await trusted.close()
        await stranger.close()
        return seen

    with own_valkey() as server, TlsFront(server.port, made, tmp_path / "key.pem") as port:
        assert asyncio.run(run(port)).hold == 1.0


def test_in_a_cluster_a_claim_on_many_counters_is_one_round_trip() -> None:
    with own_valkey(**{"cluster-enabled": "yes"}) as server:
        server.client().execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        until(lambda: "cluster_state:ok" in str(server.client().execute_command("CLUSTER", "INFO")))
        asyncio.run(check_shared(partial(ValkeyShared, address(server), prefix=fresh_prefix(), cluster=True, timeout=2.0)))


def members(url: str) -> tuple[ValkeyShared, ValkeyShared]:
    prefix = fresh_prefix()
    return ValkeyShared(url, prefix=prefix, timeout=TIMEOUT), ValkeyShared(url, prefix=prefix, timeout=TIMEOUT)


async def failing(shared: ValkeyShared) -> float:
    """Seconds until a claim is refused."""
    began = time.perf_counter()
    with pytest.raises(SharedStateGone):
        await shared.claim([claim(0.0, 1.0)])
    return time.perf_counter() - began


async def back(shared: ValkeyShared) -> None:
    """Returns when the engine answers again."""
    for _ in range(100):
        with contextlib.suppress(SharedStateGone):
            await shared.exchange(b"", b"")
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the engine did not come back")
