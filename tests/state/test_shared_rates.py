"""Rates that several processes keep together: whatever they do and in whatever order, the window holds."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from state.money import MONDAY, Clock
from tierline.state.local_shared import LocalShared, Table
from tierline.state.rates import Rates
from tierline.state.shared_rates import RateLeases
from tierline.types.access import Key, Rate
from tierline.types.errors import RateLimited, SharedStateGone
from tierline.types.shared import Claim, Grant

LIMIT = 20
KEY = Key("k", rate=Rate(requests=LIMIT, tokens=100 * LIMIT, per=60.0))
WHAT = st.sampled_from(["ask", "ask", "ask", "renew", "crash"])
STEPS = st.lists(st.tuples(st.integers(0, 2), st.floats(0.0, 30.0), WHAT, st.integers(1, 8)), max_size=60)
LEASE = 10.0


class Away(LocalShared):
    """A member that can be cut off."""

    away = False

    async def claim(self, claims: Sequence[Claim]) -> Sequence[Grant]:
        if self.away:
            raise SharedStateGone("away")
        return await super().claim(claims)


class Worker:
    def __init__(self, clock: Clock, table: Table) -> None:
        self.shared = Away(table)
        self.leases = RateLeases(self.shared, clock, LEASE)
        self.rates = Rates(clock, self.leases.window)

    async def ask(self, tokens: int = 10) -> bool:
        turn = self.rates.turn(KEY)
        try:
            await self.leases.ask(turn.limits, 1.0, 0.0)
            turn.begin()
            await self.leases.ask(turn.limits, 0.0, tokens)
            turn.reserve(tokens)
        except RateLimited:
            turn.close()
            return False
        turn.settle(tokens)
        turn.close()
        return True


@given(STEPS)
def test_together_they_take_no_more_than_the_limit_in_a_span_nor_more_than_twice_in_any_minute(
    course: list[tuple[int, float, str, int]],
) -> None:
    clock = Clock()
    table = Table(clock)
    workers = [Worker(clock, table) for _ in range(3)]
    taken: list[float] = []

    async def run() -> None:
        said = clock.now
        for who, pause, what, times in course:
            ends = clock.now + pause
            while clock.now < ends:
                clock.now = min(said + LEASE / 2, ends)
                if clock.now >= said + LEASE / 2:
                    said = clock.now
                    for worker in workers:  # each renews well before its lease is over
                        await worker.leases.renew()
            if what == "crash":
                await workers[who].leases.renew()  # what it had not said nobody could know
                workers[who] = Worker(clock, table)
            elif what == "renew":
                await workers[who].leases.renew()
            else:
                taken.extend([clock.now] * [await workers[who].ask() for _ in range(times)].count(True))

    asyncio.run(run())
    spans: dict[int, int] = {}
    for at in taken:
        spans[int(at // 60)] = spans.get(int(at // 60), 0) + 1
    assert all(total <= LIMIT for total in spans.values())
    assert all(sum(first <= at < first + 60 for at in taken) <= 2 * LIMIT for first in taken)


def test_one_alone_gets_all_of_it_and_what_it_has_used_the_next_does_not_get() -> None:
    clock = Clock()
    table = Table(clock)
    one, other = Worker(clock, table), Worker(clock, table)

    async def run() -> list[int]:
        first = [await one.ask() for _ in range(15)].count(True)
        await one.leases.renew()
        await one.leases.renew()  # idle since: it holds nothing any more
        second = [await other.ask() for _ in range(30)].count(True)
        clock.now += 63.1
        return [first, second, [await other.ask() for _ in range(30)].count(True)]

    assert asyncio.run(run()) == [15, 5, 1], "a minute on, what was taken before still counts for nearly all of it"


@given(st.integers(1, 4), st.integers(0, LIMIT))
def test_whoever_cannot_ask_the_others_takes_its_share_of_what_was_left(members: int, before: int) -> None:
    clock = Clock(MONDAY)
    table = Table(clock)
    workers = [Worker(clock, table) for _ in range(members)]

    async def run() -> int:
        used = [await workers[0].ask() for _ in range(before)].count(True)
        for worker in workers:
            worker.leases.share = 1.0 / members
            await worker.ask(0)
            for _ in range(2):
                await worker.leases.renew()
        for worker in workers:
            worker.shared.away = True
            await worker.leases.renew()
        return used + members + [await worker.ask() for worker in workers for _ in range(LIMIT)].count(True)

    assert asyncio.run(run()) <= LIMIT + members
