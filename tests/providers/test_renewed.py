"""What lasts a while is fetched once for all who want it, and anew before it ends."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierline.providers.credentials.renewed import EARLY, Grant, Renewed, token_grant
from tierline.types.errors import ProviderFailure


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Source:
    """Numbers its grants; each is to be renewed after 60 s and ends after 100. Fetches wait while `gate` is closed."""

    def __init__(self, clock: Clock) -> None:
        self.fetched = 0
        self.fails = False
        self.gate = threading.Event()
        self.gate.set()
        self.threads: set[int] = set()
        self._clock = clock

    def __call__(self) -> Grant[int]:
        assert self.gate.wait(10)
        self.threads.add(threading.get_ident())
        self.fetched += 1
        if self.fails:
            raise PermissionError("s3cret in a message")
        return Grant(self.fetched, self._clock.now + 60, self._clock.now + 100)


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(test, 20))


def test_while_a_grant_is_young_nothing_is_fetched_and_nobody_waits() -> None:
    async def test() -> None:
        clock = Clock()
        source = Source(clock)
        renewed = Renewed("cloud", source, clock)
        assert await renewed.value() == 1
        clock.now += 59
        waits = renewed.value()
        with pytest.raises(StopIteration) as returned:  # without a single turn of the loop
            waits.send(None)
        assert (returned.value.value, source.fetched) == (1, 1)
        assert threading.get_ident() not in source.threads

    run(test())


def test_everyone_who_comes_before_the_first_grant_shares_one_fetch() -> None:
    async def test() -> None:
        clock = Clock()
        source = Source(clock)
        renewed = Renewed("cloud", source, clock)
        assert await asyncio.gather(*(renewed.value() for _ in range(50))) == [1] * 50
        assert source.fetched == 1

    run(test())


def test_an_old_grant_serves_on_while_the_next_one_is_fetched() -> None:
    async def test() -> None:
        clock = Clock()
        source = Source(clock)
        renewed = Renewed("cloud", source, clock)
        await renewed.value()
        source.gate.clear()
        clock.now += 61
        assert [await renewed.value() for _ in range(3)] == [1, 1, 1]
        source.gate.set()
        while await renewed.value() != 2:
            await asyncio.sleep(0)
        assert source.fetched == 2

    run(test())


def test_a_failed_renewal_harms_nobody_until_the_grant_ends_and_is_then_told_without_its_text() -> None:
    async def test() -> None:
        clock = Clock()
        source = Source(clock)
        renewed = Renewed("cloud", source, clock)
        await renewed.value()
        source.fails = True
        clock.now += 61
        assert await renewed.value() == 1
        while source.fetched < 2:
            await asyncio.sleep(0)
        clock.now += 40
        with pytest.raises(ProviderFailure) as failed:
            await renewed.value()
        assert (failed.value.kind, failed.value.message) == ("auth", "cloud gave no credentials: PermissionError")
        source.fails = False
        assert await renewed.value() == source.fetched > 2

    run(test())


def test_one_who_stops_waiting_does_not_end_the_fetch_for_the_others() -> None:
    async def test() -> None:
        clock = Clock()
        source = Source(clock)
        source.gate.clear()
        renewed = Renewed("cloud", source, clock)
        first, second = (asyncio.create_task(renewed.value()) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        source.gate.set()
        assert (await second, source.fetched) == (1, 1)
        assert first.cancelled()

    run(test())


def test_a_grant_that_has_expired_when_it_comes_is_not_used() -> None:
    async def test() -> None:
        clock = Clock()
        renewed = Renewed("cloud", lambda: Grant(1, clock.now - 2, clock.now - 1), clock)
        with pytest.raises(ProviderFailure, match="had expired when they came"):
            await renewed.value()

    run(test())


def test_it_goes_on_in_another_loop() -> None:
    clock = Clock()
    source = Source(clock)
    renewed = Renewed("cloud", source, clock)
    assert asyncio.run(renewed.value()) == 1
    clock.now += 200
    assert asyncio.run(renewed.value()) == 2


@given(life=st.floats(60, 1e6))
def test_a_token_is_renewed_within_its_life_and_before_its_end(life: float) -> None:
    grant = token_grant("t", 1000.0, 1000.0 + life)
    assert 1000.0 < grant.renew_at < grant.ends_at < 1000.0 + life
    assert math.isclose(grant.renew_at, 1000.0 + max(life - EARLY, life / 2))


def test_a_grant_never_shows_its_value() -> None:
    assert "s3cret" not in repr(Grant("s3cret", 1.0, 2.0))
