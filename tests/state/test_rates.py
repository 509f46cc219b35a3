"""How often a key may ask: laws of the window, and what a turn counts."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tierline.state.rates import Rates, Window
from tierline.types.access import Key, Rate
from tierline.types.errors import RateLimited

START = 1_790_000_000.0
MOMENT = 0.001

asks = st.lists(st.tuples(st.floats(0, 40), st.integers(1, 12)), max_size=60)
"""Seconds since the ask before, and how much is asked for."""


class Clock:
    def __init__(self, now: float = START) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def taken(window: Window, asked: list[tuple[float, int]]) -> list[tuple[float, int]]:
    """When how much was taken by someone who asks so and takes no for an answer."""
    now, got = START, []
    for pause, amount in asked:
        now += pause
        if not window.wait(amount, now):
            window.take(amount, now)
            got.append((now, amount))
    return got


def after(asked: list[tuple[float, int]]) -> float:
    """The moment of the last ask."""
    return START + sum(pause for pause, _ in asked)


@given(asks, st.integers(1, 30))
def test_no_span_of_the_clock_takes_more_than_the_limit_and_no_other_more_than_twice(asked: list[tuple[float, int]], limit: int) -> None:
    got = taken(Window("w", limit, 60.0), asked)
    spans: dict[int, int] = {}
    for at, amount in got:
        spans[int(at // 60)] = spans.get(int(at // 60), 0) + amount
    assert all(total <= limit for total in spans.values())
    for first, _ in got:
        assert sum(amount for at, amount in got if first <= at < first + 60) <= 2 * limit


@given(asks, st.integers(1, 30), st.integers(1, 30), st.floats(0, 100))
def test_who_waits_as_long_as_told_gets_it_and_a_moment_less_does_not(
    asked: list[tuple[float, int]], limit: int, amount: int, later: float
) -> None:
    window = Window("w", limit, 60.0)
    taken(window, asked)
    now = after(asked) + later
    wait = window.wait(amount, now)
    assert (wait == math.inf) == (amount > limit)
    assume(0.0 < wait < math.inf)
    assert window.wait(amount, now + wait - MOMENT)
    assert not window.wait(amount, now + wait + MOMENT)


@given(asks, st.integers(1, 30))
def test_after_its_reset_a_window_is_as_new(asked: list[tuple[float, int]], limit: int) -> None:
    window = Window("w", limit, 60.0)
    taken(window, asked)
    now = after(asked)
    seen = window.allowance(now)
    assert 0 <= seen.left <= limit and 0 <= seen.reset <= 120
    assert window.allowance(now + seen.reset + MOMENT).left == limit


def test_an_even_stream_at_the_limit_loses_no_more_than_one_in_fifty() -> None:
    window = Window("w", 60, 60.0)
    assert len(taken(window, [(1.0, 1)] * 600)) >= 588


def test_a_clock_that_is_put_back_gives_nothing_twice_and_is_believed_when_it_stays_back() -> None:
    window = Window("w", 10, 60.0)
    window.take(10, START)
    assert window.wait(1, START - 30) > 0 and window.wait(1, START) > 0
    assert window.wait(1, START - 3600) > 0, "what was taken counts from there on"
    assert window.wait(1, START - 3600 + 120) == 0


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(0, 40), st.integers(0, 80)), max_size=40))
def test_what_is_settled_counts_as_if_it_had_been_known(calls: list[tuple[float, int, int]]) -> None:
    clock = Clock()
    rates, key = Rates(clock), Key("k", rate=Rate(tokens=1000, per=3600.0))
    used = 0
    for pause, estimate, real in calls:
        clock.now += pause
        assume(int(clock.now // 3600) == int(START // 3600))
        turn = rates.turn(key)
        turn.begin()
        try:
            turn.reserve(estimate)
        except RateLimited:
            turn.close()
            continue
        turn.settle(real)
        turn.close()
        used += real
        tokens = rates.turn(key).told()[1]
        assert tokens is not None and tokens.left == max(1000 - used, 0)
        if used >= 1000:
            break


def test_what_is_reserved_and_never_settled_is_given_back() -> None:
    rates, key = Rates(Clock()), Key("k", rate=Rate(requests=5, tokens=100), max_concurrency=1)
    turn = rates.turn(key)
    turn.begin()
    turn.reserve(80)
    with pytest.raises(RateLimited, match="in flight"):
        rates.turn(key).begin()
    turn.close()
    after = rates.turn(key)
    after.begin()
    requests, tokens = after.told()
    assert requests is not None and tokens is not None
    assert (requests.left, tokens.left) == (3, 100)


def test_a_refusal_says_when_to_come_back_or_that_it_never_helps() -> None:
    rates, key = Rates(Clock()), Key("k", rate=Rate(requests=1, tokens=100))
    turn = rates.turn(key)
    turn.begin()
    with pytest.raises(RateLimited, match="make it smaller") as never:
        turn.reserve(101)
    assert never.value.retry_after is None
    with pytest.raises(RateLimited, match="1 requests a minute") as later:
        rates.turn(key).begin()
    assert later.value.retry_after is not None and 0 < later.value.retry_after <= 120


def test_another_rate_begins_anew_and_the_same_goes_on() -> None:
    rates, key = Rates(Clock()), Key("k", rate=Rate(requests=1))
    rates.turn(key).begin()
    with pytest.raises(RateLimited):
        rates.turn(Key("k", rate=Rate(requests=1), owner="another")).begin()
    rates.turn(Key("k", rate=Rate(requests=2))).begin()
