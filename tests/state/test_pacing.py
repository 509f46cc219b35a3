"""Pacing: the plan follows demand, the controller is steady, and what is spent meets the limit at the end."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from state.money import MONDAY, Clock, budgets, now, plan
from tierline.state.pacing import EVEN, HOURS, STEP, Demand, Pace, Plan, ahead, learn
from tierline.state.periods import Period, period_at
from tierline.types.features import Features
from tierline.types.view import NO_VIEW

WEEK = period_at(MONDAY, "week", "UTC")
DEMANDS = st.lists(st.floats(0.0, 10.0), min_size=HOURS, max_size=HOURS).map(
    lambda amounts: learn([(MONDAY + hour * 3600.0, amount) for hour, amount in enumerate(amounts)], "UTC")
)
SHARES = st.floats(0.0, 1.0)


@given(DEMANDS)
def test_learnt_shares_add_up_to_one_and_no_hour_is_given_up(demand: Demand) -> None:
    assert sum(demand.shares) == pytest.approx(1.0)
    assert min(demand.shares) > 0.0


def test_an_empty_log_teaches_an_even_demand() -> None:
    assert learn([], "UTC") == EVEN
    assert learn([(MONDAY, 0.0)], "UTC") == EVEN


def test_the_hours_are_those_of_the_zone() -> None:
    in_berlin = learn([(MONDAY, 5.0)], "Europe/Berlin")
    assert max(range(HOURS), key=lambda hour: in_berlin.shares[hour]) == 1


@given(DEMANDS, SHARES, SHARES)
def test_a_plan_begins_at_nothing_ends_at_all_and_never_falls(demand: Demand, one: float, two: float) -> None:
    plan_of = Plan(WEEK, "UTC", demand)
    early, late = sorted(WEEK.begins + part * (WEEK.ends - WEEK.begins) for part in (one, two))
    assert plan_of.share(WEEK.begins) == 0.0 and plan_of.share(WEEK.ends) == 1.0
    assert 0.0 <= plan_of.share(early) <= plan_of.share(late) <= 1.0


@given(DEMANDS, SHARES)
def test_the_time_at_which_a_share_is_reached_is_the_time_of_that_share(demand: Demand, share: float) -> None:
    plan_of = Plan(WEEK, "UTC", demand)
    assert plan_of.share(plan_of.reached(share)) == pytest.approx(share, abs=1e-6)


def test_a_plan_takes_days_of_23_hours_and_periods_that_begin_within_an_hour() -> None:
    spring = period_at(1_774_782_000.0, "day", "Europe/Berlin")
    assert (spring.ends - spring.begins) / 3600 == 23
    odd = Period("odd", MONDAY + 900, MONDAY + 9000)
    for period, zone in ((spring, "Europe/Berlin"), (odd, "Asia/Kolkata")):
        shares = [Plan(period, zone, EVEN).share(period.begins + part * (period.ends - period.begins)) for part in (0.25, 0.5, 0.75)]
        assert shares == pytest.approx([0.25, 0.5, 0.75])


@given(SHARES, st.floats(0.0, 200.0), st.floats(0.0, 200.0))
def test_whoever_has_spent_more_is_no_less_ahead(at: float, one: float, two: float) -> None:
    plan_of, time = Plan(WEEK, "UTC", EVEN), WEEK.begins + at * (WEEK.ends - WEEK.begins)
    less, more = sorted((one, two))
    assert ahead(plan_of, time, less, 100.0) <= ahead(plan_of, time, more, 100.0)


@given(st.lists(st.floats(0.4, 0.6), min_size=2, max_size=50))
def test_the_pace_moves_in_steps_and_stays_where_little_changes(shares: list[float]) -> None:
    pace, time = Pace(Plan(WEEK, "UTC", EVEN)), (WEEK.begins + WEEK.ends) / 2
    steps = [pace.look(time, share * 100.0, 100.0) for share in shares]
    assert all(step / STEP == round(step / STEP) and -1.0 <= step <= 1.0 for step in steps)
    settled = [pace.look(time, 51.0 + wobble, 100.0) for wobble in (0.0, 0.1, -0.1, 0.05)]
    assert len(set(settled)) == 1


@pytest.mark.parametrize("appetite", [0.9, 1.0, 1.3, 1.8])
def test_spending_that_pace_can_move_enough_ends_at_the_limit(appetite: float) -> None:
    """A world in which the spending of an hour is its demand × appetite, and pace moves it by at most half."""
    demand = learn([(MONDAY + hour * 3600.0, 1.0 + 4.0 * (8 <= hour % 24 <= 18)) for hour in range(HOURS)], "UTC")
    plan_of = Plan(WEEK, "UTC", demand)
    pace, used, steps = Pace(plan_of), 0.0, [0.0]
    for tick in range(HOURS * 4):
        begin, end = WEEK.begins + tick * 900.0, WEEK.begins + (tick + 1) * 900.0
        steps.append(pace.look(begin, used, 100.0))
        used += 100.0 * (plan_of.share(end) - plan_of.share(begin)) * appetite * (1.0 - 0.5 * steps[-1])
    assert used == pytest.approx(100.0, rel=0.01)
    assert sum(one != two for one, two in itertools.pairwise(steps[len(steps) // 4 :])) < len(steps) / 2


def test_what_will_be_spent_and_when_the_limit_is_reached_is_told() -> None:
    clock = Clock(MONDAY + 3.5 * 86400)
    held = budgets(clock, all={"limit": 100.0, "per": "week", "pace": "spread"})
    asked = Features("r", input_tokens=10)

    async def run() -> None:
        purse = held.purse(asked)
        assert await purse.begin(plan(("a", 0.1)))
        purse.charge(80.0, 0.0)
        purse.close()

    now(run())
    assert held.see(NO_VIEW, asked).pace == {"all": 1.0}
    (seen,) = held.seen()
    assert seen.projected == pytest.approx(160.0)
    assert seen.exhausted_at == pytest.approx(MONDAY + 7 * 86400 * 0.625)
    assert (seen.used, seen.pace) == (80.0, 1.0)
