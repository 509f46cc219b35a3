"""Fading quantiles: near to exact, bounded, and forgetful."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tierline.state.latency import HALF_LIFE, Recent

SECONDS = some.floats(0.001, 1000)


def recent(samples: list[float], now: float = 0.0) -> Recent:
    made = Recent()
    for sample in samples:
        made.add(now, sample)
    return made


@given(some.lists(SECONDS, min_size=1, max_size=100))
def test_quantiles_lie_among_the_samples_in_order_and_near_to_exact(samples: list[float]) -> None:
    seen, ordered = recent(samples).quantiles(0.0), sorted(samples)
    assert seen.p50 <= seen.p95
    assert ordered[0] * 0.97 <= seen.p50 and seen.p95 <= ordered[-1] * 1.03
    # a fresh sample weighs a little more than an old one, so the rank may be off by some places, never by a tenth of all
    count = len(ordered)
    low, high = ordered[max(int(count * 0.85) - 1, 0)], ordered[-1]
    assert low * 0.97 <= seen.p95 <= high * 1.03


@given(some.lists(SECONDS, min_size=1, max_size=40), some.lists(SECONDS, min_size=1, max_size=40))
def test_what_is_old_gives_way_to_what_is_new(old: list[float], new: list[float]) -> None:
    faded = recent(old)
    later = 12 * HALF_LIFE
    for sample in new:
        faded.add(later, sample)
    assert faded.quantiles(later).p50 <= max(new) * 1.03
    assert faded.quantiles(later).p95 >= min(new) * 0.97


def test_with_time_nothing_is_known_any_more() -> None:
    made = recent([3.0] * 50)
    assert made.quantiles(1.0).count == 47
    assert made.quantiles(HALF_LIFE).count == pytest.approx(24, abs=1)
    assert made.quantiles(20 * HALF_LIFE).count == 0


def test_a_busy_model_that_turns_slow_shows_it_after_some_hundred_calls() -> None:
    made = recent([0.1] * 50_000)
    for _ in range(400):
        made.add(0.0, 2.0)
    assert made.quantiles(0.0).p50 == pytest.approx(2.0, rel=0.03)


@given(some.floats(allow_nan=False))
def test_whatever_a_clock_says_can_be_added(seconds: float) -> None:
    assert recent([seconds]).quantiles(0.0).count == 1


def test_memory_does_not_grow_with_samples_or_time() -> None:
    made = Recent()
    tracemalloc.start()
    try:
        for number in range(20_000):
            made.add(number * 7.0, 10 ** (number % 90 / 10 - 4))
        assert tracemalloc.get_traced_memory()[0] < 100_000
    finally:
        tracemalloc.stop()
