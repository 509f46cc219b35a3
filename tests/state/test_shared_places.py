"""Calls at one time that several processes count together: whatever they do, all of them are never more than the limit."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from state.money import Clock
from tierline.state.local_shared import LocalShared, Table
from tierline.state.places import Places
from tierline.state.shared_places import PlaceLeases
from tierline.types.errors import SharedStateGone
from tierline.types.shared import Claim, Grant

LEASE = 10.0
STEPS = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from(["take", "take", "take", "end", "end", "beat", "crash"]), st.floats(0.0, 3.0)), max_size=80
)


class Away(LocalShared):
    """A member that can be cut off."""

    away = False

    async def claim(self, claims: Sequence[Claim]) -> Sequence[Grant]:
        if self.away:
            raise SharedStateGone("away")
        return await super().claim(claims)


class Worker:
    def __init__(self, clock: Clock, table: Table, limit: int) -> None:
        self.shared = Away(table)
        self.leases = PlaceLeases(self.shared, clock, LEASE)
        self.limit = limit
        self.places = Places(0, 0)

    async def take(self) -> bool:
        await self.leases.cover("m", self.limit, self.places)
        return self.places.take()


@given(st.integers(1, 12), STEPS)
def test_all_processes_together_never_take_more_than_the_limit(limit: int, course: list[tuple[int, str, float]]) -> None:
    clock = Clock()
    table = Table(clock)
    workers = [Worker(clock, table, limit) for _ in range(3)]

    async def run() -> None:
        for who, what, pause in course:
            clock.now += pause
            for worker in workers:  # each renews well before its lease is over
                await worker.leases.renew()
            if what == "take":
                await workers[who].take()
            elif what == "end" and workers[who].places.taken:
                workers[who].places.give_back()
            elif what == "crash":  # its calls end with it
                workers[who] = Worker(clock, table, limit)
            assert sum(worker.places.taken for worker in workers) <= limit

    asyncio.run(run())


@given(st.integers(1, 30), st.integers(0, 2))
def test_when_the_others_are_idle_one_gets_every_place(limit: int, who: int) -> None:
    clock = Clock()
    table = Table(clock)
    workers = [Worker(clock, table, limit) for _ in range(3)]

    async def run() -> int:
        for worker in workers:
            while await worker.take():
                pass
            while worker.places.taken:
                worker.places.give_back()
        for _ in range(2):
            for worker in workers:
                await worker.leases.renew()
        clock.now += 1.0
        return [await workers[who].take() for _ in range(limit + 5)].count(True)

    assert asyncio.run(run()) == limit


@given(st.integers(1, 12))
def test_the_places_of_a_process_that_was_killed_are_free_once_its_lease_is_over(limit: int) -> None:
    clock = Clock()
    table = Table(clock)
    killed, other = Worker(clock, table, limit), Worker(clock, table, limit)

    async def run() -> tuple[int, int]:
        while await killed.take():
            pass
        held = [await other.take() for _ in range(limit)].count(True)
        clock.now += LEASE + 0.1
        return held, [await other.take() for _ in range(limit)].count(True)

    assert asyncio.run(run()) == (0, limit)


@given(st.integers(2, 5), st.integers(1, 40), st.integers(0, 40))
def test_whoever_cannot_ask_the_others_takes_its_share_of_what_was_left_and_keeps_it(members: int, limit: int, before: int) -> None:
    clock = Clock()
    table = Table(clock)
    workers = [Worker(clock, table, limit) for _ in range(members)]

    async def run() -> list[int]:
        for _ in range(before):
            await workers[0].take()
        for worker in workers:
            worker.leases.share = 1.0 / members
            await worker.take()
            await worker.leases.renew()
        for worker in workers:
            worker.shared.away = True
        for _ in range(5):
            clock.now += 1.0
            for worker in workers:
                await worker.leases.renew()
                while await worker.take():
                    pass
        return [worker.places.taken for worker in workers]

    taken = asyncio.run(run())
    assert sum(taken) < limit + members and min(taken) >= 1


def test_a_call_that_waits_gets_the_place_that_another_process_gave_back() -> None:
    clock = Clock()
    table = Table(clock)
    one, other = Worker(clock, table, 1), Worker(clock, table, 1)
    other.places.change(other.places.limit, 5)

    async def run() -> bool:
        assert await one.take() and not await other.take()
        waiting = asyncio.create_task(other.places.wait(60.0))
        await asyncio.sleep(0)
        one.places.give_back()
        for worker in (one, other):
            await worker.leases.renew()
        return await waiting

    assert asyncio.run(run())
