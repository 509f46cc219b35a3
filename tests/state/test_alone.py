"""Budgets of processes that cannot ask each other any more: what they spend on their own, and that it is made up for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from state.money import Clock, plan, spec_with
from tierline.config.budgets import HEADROOM
from tierline.state.budgets import Budgets
from tierline.state.local_shared import LocalShared, Table
from tierline.types.errors import SharedStateGone
from tierline.types.features import Features
from tierline.types.shared import Claim, Grant

ASKED = Features("r", input_tokens=100, output_tokens=100)


class Line(LocalShared):
    """A member whose line is cut, or whose answers get lost."""

    line = "up"

    async def claim(self, claims: Sequence[Claim]) -> Sequence[Grant]:
        if self.line == "cut":
            raise SharedStateGone("cut")
        if self.line == "lost":
            for claim in claims:
                self._table.settle(self.member, claim, self._uses.whole(claim))
            raise SharedStateGone("lost")
        return await super().claim(claims)


async def spend(budgets: Budgets, cost: float) -> float:
    purse = budgets.purse(ASKED)
    if not await purse.begin(plan(("a", cost / HEADROOM))):
        return 0.0
    (_, first), *_ = purse._first
    purse.settle(first, cost, 0)
    return cost


WHAT = st.sampled_from(["spend", "spend", "renew", "lost", "cut", "up"])


@given(st.integers(1, 4), st.lists(st.tuples(st.integers(0, 3), st.floats(0.05, 1.0), WHAT), max_size=50))
def test_cut_off_processes_overspend_by_no_more_than_what_was_left_to_each_and_all_is_counted_once(
    members: int, course: list[tuple[int, float, str]]
) -> None:
    clock = Clock()
    table = Table(clock)
    lines = [Line(table) for _ in range(members)]
    workers = [Budgets(spec_with(all={"limit": 10.0}), clock, line) for line in lines]
    spent, shares = [0.0] * members, 0.0

    async def run() -> None:
        nonlocal shares
        for number, cost, what in course:
            who = number % members
            worker, line = workers[who], lines[who]
            worker.share = 1.0 / members
            clock.now += 0.1
            if what == "spend":
                spent[who] += await spend(worker, cost)
            elif what == "renew":
                await worker.renew()
            else:
                shares += line.line == "up" != what and 10.0 / members
                line.line = what
        assert sum(spent) <= 10.0 + shares + 1e-6
        for line in lines:
            line.line = "up"
        for _ in range(2):
            for worker in workers:
                clock.now += 10.0
                await worker.renew()
        for worker in workers:
            if worker.seen()[0].counters:
                assert worker.seen()[0].used == pytest.approx(sum(spent), abs=1e-6)

    asyncio.run(run())
