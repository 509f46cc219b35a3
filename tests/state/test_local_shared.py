"""What workers hold in common, in one process's memory: the checks of plug-ins, the end of leases, and its bound."""

from __future__ import annotations

import asyncio
from functools import partial

from state.money import Clock
from tierline import plugins
from tierline.state.local_shared import LocalShared, Table
from tierline.testing.checks import check_shared
from tierline.types.shared import Claim, Grant


def test_it_keeps_the_laws_of_its_kind_and_is_found_by_its_name() -> None:
    assert plugins.find("shared", "local") is LocalShared
    asyncio.run(check_shared(partial(LocalShared, Table())))


def test_a_lease_that_nobody_renews_runs_out() -> None:
    clock = Clock()
    table = Table(clock)
    claim = Claim("c", "w", 10.0, 0.0, 8.0, 5.0, clock.now + 100)

    async def run() -> tuple[Grant, Grant]:
        await LocalShared(table).claim([claim])
        (before,) = await LocalShared(table).claim([claim])
        clock.now += 5.0
        (after,) = await LocalShared(table).claim([claim])
        return before, after

    before, after = asyncio.run(run())
    assert (before.hold, before.others) == (2.0, 8.0)
    assert (after.hold, after.others) == (8.0, 0.0)
