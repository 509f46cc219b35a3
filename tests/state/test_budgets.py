"""The laws of budgets: money reserved is money settled or released, nobody overdraws together, a crash leaks nothing."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from state.money import MONDAY, Clock, budgets, now, plan, spec_with
from tierline.config.budgets import HEADROOM
from tierline.state.budgets import Budgets
from tierline.state.leases import LEASE
from tierline.state.local_shared import Table
from tierline.state.purse import Purse
from tierline.types.features import Features
from tierline.types.hints import Hints
from tierline.types.view import NO_VIEW

ASKED = Features("r", key="k", team="crew", input_tokens=100, output_tokens=100)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["open", "take", "settle", "drop", "close", "square", "tick"]),
        st.integers(0, 3),
        st.sampled_from(["a", "b", "c"]),
        st.floats(0.0, 5.0),
    ),
    max_size=40,
)


def left(held: Budgets, name: str = "all", features: Features = ASKED) -> float:
    return held.see(NO_VIEW, features).budgets[name]


async def _course(held: Budgets, clock: Clock, steps: list[tuple[str, int, str, float]]) -> list[Purse]:
    """Random courses of four requests at a time: taken, settled, cancelled and closed in any order."""
    purses = [held.purse(ASKED) for _ in range(4)]
    taken: dict[int, list[Any]] = {at: [] for at in range(4)}
    for act, at, model, amount in steps:
        if act == "open":
            await purses[at].begin(plan((model, amount)), last=True)
        elif act == "take" and (got := await purses[at].take(model, amount)) is not None:
            taken[at].append(got)
        elif act == "settle" and taken[at]:
            purses[at].settle(taken[at].pop(), amount, 10)
        elif act == "drop" and taken[at]:
            taken[at].pop()
        elif act == "close":
            purses[at].close()
            taken[at].clear()
        elif act == "square":
            purses[at].square(purses[at].paid + amount)
        elif act == "tick":
            clock.now += amount * 10_000
    for purse in purses:
        purse.close()
    return purses


@given(STEPS)
def test_money_reserved_is_money_settled_and_released(steps: list[tuple[str, int, str, float]]) -> None:
    clock = Clock()
    held = budgets(clock, all={"limit": 30.0}, one={"limit": 9.0, "model": "b"}, soft={"limit": 5.0, "at_limit": "cheapest"})
    now(_course(held, clock, steps))
    for counter in held._counters.values():  # the books themselves: no other place tells of them
        assert counter.open == 0 and counter.reserved == 0.0
        assert counter.reserved_ever == pytest.approx(counter.settled_ever + counter.released_ever)
        assert counter.settled_ever == pytest.approx(counter.used)


@given(STEPS)
def test_a_budget_that_rejects_is_overdrawn_by_no_more_than_calls_cost_over_what_was_reserved(
    steps: list[tuple[str, int, str, float]],
) -> None:
    clock = Clock()
    held = budgets(clock, all={"limit": 30.0})
    honest = [step for step in steps if step[0] not in ("square", "tick")]

    async def course() -> float:
        spent = 0.0
        for _, at, model, amount in honest:
            purse = held.purse(ASKED)
            if await purse.begin(plan((model, amount))):
                (_, first), *_ = purse._first
                used = amount * (1 + at)  # up to four times what was expected
                purse.settle(first, used, 0)
                spent += used - max(used - amount * HEADROOM, 0.0)
            purse.close()
        return spent

    assert now(course()) <= 30.0 + 1e-9


@given(st.lists(st.tuples(st.integers(0, 2), st.floats(0.01, 2.0), st.sampled_from(["call", "leave open", "crash", "pass"])), max_size=60))
def test_several_processes_never_promise_more_than_the_limit_together(course: list[tuple[int, float, str]]) -> None:
    clock = Clock()
    table = Table(clock)
    workers = [budgets(clock, table, all={"limit": 10.0}) for _ in range(3)]

    async def run() -> None:
        spent = 0.0
        logged: Counter[tuple[str, str, str]] = Counter()
        open_now: list[tuple[int, float, float]] = []
        for who, cost, what in course:
            if what == "pass":
                clock.now += LEASE / 2
                for worker in workers:
                    await worker.renew()
                continue
            if what == "crash":
                workers[who] = budgets(clock, table, all={"limit": 10.0})
                open_now = [entry for entry in open_now if entry[0] != who]
                await asyncio.gather(*(worker.reconcile(logged) for worker in workers))  # as the log has it
                await workers[who].renew()
                assert workers[who].seen()[0].used <= spent + 1e-6
                continue
            purse = workers[who].purse(ASKED)
            if await purse.begin(plan(("a", cost / HEADROOM))):
                if what == "call":
                    (_, first), *_ = purse._first
                    purse.settle(first, cost, 0)
                    spent += cost
                    logged["all", "", workers[who].member] += cost
                else:
                    open_now.append((who, cost, clock.now))
            assert spent + sum(entry[1] for entry in open_now) <= 10.0 + 1e-6

    now(run())


def test_what_a_crashed_process_had_promised_is_free_again_when_its_lease_is_over() -> None:
    clock = Clock()
    table = Table(clock)

    async def run() -> tuple[bool, bool]:
        crashed, other = budgets(clock, table, all={"limit": 10.0}), budgets(clock, table, all={"limit": 10.0})
        assert await crashed.purse(ASKED).begin(plan(("a", 6.0)))
        before = await other.purse(ASKED).begin(plan(("a", 4.0)))
        clock.now += LEASE
        return before, await other.purse(ASKED).begin(plan(("a", 4.0)))

    assert now(run()) == (False, True)


def test_a_call_that_the_lease_covers_asks_nobody() -> None:
    clock = Clock()
    table = _Counting(clock)
    held = budgets(clock, table, all={"limit": 1000.0})

    async def run() -> int:
        assert await held.purse(ASKED).begin(plan(("a", 0.1)))
        asked = table.asked
        for _ in range(50):
            assert await held.purse(ASKED).begin(plan(("a", 0.1)))
        return table.asked - asked

    assert now(run()) == 0


def test_all_counters_of_a_request_are_asked_for_in_one_claim() -> None:
    clock = Clock()
    table = _Counting(clock)
    held = budgets(clock, table, all={"limit": 10.0}, crew={"limit": 10.0, "team": "crew"}, a={"limit": 10.0, "model": "a"})
    assert now(held.purse(ASKED).begin(plan(("a", 0.1))))
    assert table.asked == 3 and table.round_trips == 1


def test_a_new_period_begins_at_nothing_and_old_requests_count_in_the_one_they_began_in() -> None:
    clock = Clock(MONDAY - 10)
    held = budgets(clock, all={"limit": 10.0})

    async def run() -> tuple[float, float, float]:
        purse = held.purse(ASKED)
        assert await purse.begin(plan(("a", 2.0)))
        old = next(iter(held._counters.values()))
        clock.now = MONDAY
        fresh = left(held)
        (_, first), *_ = purse._first
        purse.settle(first, 2.5, 0)
        return fresh, left(held), old.used

    assert now(run()) == (10.0, 10.0, 2.5)


def test_a_budget_counts_only_whom_it_is_for() -> None:
    held = budgets(
        Clock(),
        crew={"limit": 1.0, "team": "crew"},
        others={"limit": 1.0, "team": "rest"},
        tagged={"limit": 1.0, "tag": "batch"},
        route={"limit": 1.0, "route": "auto"},
    )
    assert held.see(NO_VIEW, ASKED).budgets == {"crew": 1.0, "route": 1.0}
    tagged = Features("r", route="other", hints=Hints(tags=("batch", "night")))
    assert held.see(NO_VIEW, tagged).budgets == {"tagged": 1.0}


def test_each_value_has_a_counter_of_its_own_and_the_least_left_is_seen() -> None:
    held = budgets(Clock(), tags={"limit": 10.0, "each": "tag"})
    both = Features("r", hints=Hints(tags=("x", "y")))
    one = Features("r", hints=Hints(tags=("x",)))

    async def run() -> None:
        purse = held.purse(one)
        assert await purse.begin(plan(("a", 1.0)))
        purse.settle(purse._first.pop()[1], 4.0, 0)

    now(run())
    assert left(held, "tags", both) == 6.0
    assert left(held, "tags", Features("r", hints=Hints(tags=("y",)))) == 10.0
    assert held.see(NO_VIEW, Features("r")).budgets == {}


def test_raising_a_limit_makes_room_at_once() -> None:
    clock = Clock()
    held = budgets(clock, all={"limit": 1.0})

    async def run() -> tuple[bool, bool]:
        before = await held.purse(ASKED).begin(plan(("a", 2.0)))
        held.adopt(spec_with(all={"limit": 10.0}))
        return before, await held.purse(ASKED).begin(plan(("a", 2.0)))

    assert now(run()) == (False, True)


def test_what_the_log_knows_is_counted_once_however_often_it_is_read() -> None:
    held = budgets(Clock(), all={"limit": 10.0})

    async def run() -> None:
        for _ in range(3):
            await held.reconcile({("all", "", "0000abc"): 4.0, ("gone", "", "0000abc"): 1.0})

    now(run())
    assert left(held) == 6.0


def test_a_warning_is_said_once_a_period(caplog: pytest.LogCaptureFixture) -> None:
    held = budgets(Clock(), all={"limit": 10.0, "soft": 0.5})

    async def run() -> None:
        for _ in range(4):
            purse = held.purse(ASKED)
            assert await purse.begin(plan(("a", 0.1)))
            purse.charge(2.0, 0.0)
            purse.close()

    with caplog.at_level("WARNING"):
        now(run())
    assert [record.getMessage().split(" (")[0] for record in caplog.records] == ["the budget all has used 60 % of its 10 USD per day"]


def test_counters_are_bounded_and_none_that_is_put_away_forgets_what_was_used() -> None:
    clock = Clock()
    held = budgets(clock, s={"limit": 10.0, "each": "session"})

    async def run() -> float:
        first = Features("r", session="s0")
        purse = held.purse(first)
        assert await purse.begin(plan(("a", 1.0)))
        purse.settle(purse._first.pop()[1], 1.0, 0)
        for number in range(1, 10_050):
            held.see(NO_VIEW, Features("r", session=f"s{number}"))
        assert len(held._counters) <= 10_000
        await asyncio.gather(*[held.purse(first).begin(plan(("a", 0.1))) for _ in range(3)])
        return left(held, "s", first)

    assert now(run()) == pytest.approx(10.0 - 1.0 - 3 * 0.1 * HEADROOM)


class _Counting(Table):
    def __init__(self, clock: Clock) -> None:
        self.asked = self.round_trips = 0
        self._at: object = None
        super().__init__(clock)

    def settle(self, member: str, claim: Any, whole: Any) -> Any:
        self.asked += 1
        self.round_trips += self._at is None
        self._at = claim
        return super().settle(member, claim, whole)
