"""The clock on the wall is set, forward or back, while limits are counted by it: nobody is shut out for long, and nothing is given twice
within a span that the clock did not leave."""

from __future__ import annotations

import asyncio
import math

from hypothesis import given
from hypothesis import strategies as st

from state.money import MONDAY, Clock, plan, spec_with
from tierline.config.budgets import HEADROOM
from tierline.state.budgets import Budgets
from tierline.state.local_shared import LocalShared, Table
from tierline.state.rates import Window
from tierline.state.shared_rates import RateLeases
from tierline.types.features import Features

LIMIT = 10
STEPS = st.lists(st.tuples(st.floats(-7 * 86400.0, 7 * 86400.0), st.integers(0, 15)), min_size=1, max_size=12)
"""By how many seconds the clock is set, and how often is asked then."""


@given(STEPS)
def test_after_any_setting_of_the_clock_whoever_waits_two_spans_may_ask_again(steps: list[tuple[float, int]]) -> None:
    window, now = Window("w", LIMIT, 60.0), MONDAY
    for by, times in steps:
        now += by
        took = sum(1 for _ in range(times) if not window.wait(1.0, now) and window.take(1.0, now) is not None)
        assert took <= LIMIT
    assert window.wait(1.0, now) <= 120.0 and window.wait(float(LIMIT), now + 120.0) == 0.0


@given(STEPS)
def test_the_same_holds_for_a_limit_that_processes_keep_together(steps: list[tuple[float, int]]) -> None:
    clock = Clock()
    leases = RateLeases(LocalShared(Table(clock)), clock, 10.0)
    window = leases.window("w", LIMIT, 60.0)

    async def ask() -> bool:
        await leases.cover([(window, 1.0)])
        if window.wait(1.0, clock.now):
            return False
        window.take(1.0, clock.now)
        return True

    async def run() -> None:
        for by, times in steps:
            clock.now += by
            assert [await ask() for _ in range(times)].count(True) <= LIMIT
        assert math.isfinite(window.wait(1.0, clock.now))
        clock.now += 120.0
        assert await ask()

    asyncio.run(run())


@given(STEPS)
def test_a_budget_is_never_given_twice_for_one_period_however_often_the_clock_comes_back_to_it(steps: list[tuple[float, int]]) -> None:
    clock = Clock()
    budgets = Budgets(spec_with(all={"limit": 5.0, "per": "day", "at_limit": "reject"}), clock)
    spent: dict[int, float] = {}

    async def run() -> None:
        for by, times in steps:
            clock.now += by
            for _ in range(times):
                purse = budgets.purse(Features("r", input_tokens=100, output_tokens=100))
                if await purse.begin(plan(("a", 0.5 / HEADROOM))):
                    (_, first), *_ = purse._first
                    purse.settle(first, 0.5, 0)
                    day = int(clock.now // 86400.0)
                    spent[day] = spent.get(day, 0.0) + 0.5
                purse.close()

    asyncio.run(run())
    assert all(total <= 5.0 + 1e-9 for total in spent.values())
