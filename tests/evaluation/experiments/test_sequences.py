"""Intervals and tests that hold at every look: errors under continuous peeking, and power."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierline.evaluation.experiments.contrast import Floats, Units, contrast
from tierline.evaluation.experiments.sequences import Asymptotic, Bounded, quantile

ALPHA = 0.05
RUNS = 200


def coins(dice: np.random.Generator, rates: tuple[float, float], share: float, count: int) -> Units:
    """So many units of a control and a treated arm that pass by these rates."""
    arms = (dice.random(count) < share).astype(np.int64)
    values = (dice.random(count) < np.where(arms == 1, rates[1], rates[0])).astype(float)
    return Units(("control", "treated"), values, arms, np.tile([1.0 - share, share], (count, 1)))


def difference(units: Units) -> Bounded:
    return Bounded(contrast(units, {"treated": 1.0, "control": -1.0}), ALPHA)


@pytest.mark.parametrize("share", [0.5, 0.1])
def test_looking_after_every_unit_calls_no_difference_one_more_often_than_alpha(share: float) -> None:
    """`evidence_above` is the greatest capital over every look so far, so this counts every run that any look would have stopped."""
    dice = np.random.default_rng(1)
    tests = [difference(coins(dice, (0.9, 0.9), share, 1500)) for _ in range(RUNS)]
    wrong = sum(max(test.evidence_above(0.0), test.evidence_below(0.0)) >= 2 / ALPHA for test in tests)
    assert wrong / RUNS <= ALPHA


def test_a_fixed_test_that_is_looked_at_again_and_again_would_err_far_more_often() -> None:
    dice = np.random.default_rng(2)
    wrong = sum(_ever_significant(coins(dice, (0.9, 0.9), 0.5, 1500)) for _ in range(RUNS))
    assert wrong / RUNS > 3 * ALPHA


def test_a_real_difference_is_found() -> None:
    dice = np.random.default_rng(3)
    found = sum(difference(coins(dice, (0.9, 0.75), 0.5, 1500)).evidence_below(0.0) >= 2 / ALPHA for _ in range(50))
    assert found >= 45


def test_the_interval_covers_the_difference_and_narrows() -> None:
    dice = np.random.default_rng(4)
    widths = []
    for count in (300, 3000):
        intervals = [difference(coins(dice, (0.9, 0.8), 0.5, count)).interval() for _ in range(60)]
        assert sum(one.low <= -0.1 <= one.high for one in intervals) >= 57
        widths.append(np.mean([one.high - one.low for one in intervals]))
    assert widths[1] < widths[0] / 2


@given(st.integers(0, 10_000), st.integers(1, 60), st.floats(0.05, 0.95))
def test_an_interval_lies_within_what_is_possible_around_its_estimate(seed: int, count: int, share: float) -> None:
    found = difference(coins(np.random.default_rng(seed), (0.7, 0.6), share, count)).interval()
    assert -1.0 <= found.low <= found.high <= 1.0


@given(st.integers(0, 10_000))
def test_what_the_interval_leaves_out_is_what_the_evidence_refutes(seed: int) -> None:
    test = difference(coins(np.random.default_rng(seed), (0.9, 0.6), 0.5, 400))
    found = test.interval()
    assert test.evidence_above(found.low - 1e-6) >= 2 / ALPHA or found.low <= -1.0 + 1e-6
    # What was refuted at an earlier look stays refuted, but the estimate is never left out.
    assert test.evidence_above(found.low + 1e-3) < 2 / ALPHA or found.low == pytest.approx(found.value)
    assert test.evidence_below(found.high - 1e-3) < 2 / ALPHA or found.high == pytest.approx(found.value)


def test_shares_that_moved_do_not_mislead_the_weighted_mean() -> None:
    """Days get worse while the treated arm's share grows: the plain means differ, though the arms do not."""
    dice = np.random.default_rng(5)
    share = np.repeat([0.1, 0.9], 2000)
    rate = np.repeat([0.9, 0.5], 2000)
    arms = (dice.random(4000) < share).astype(np.int64)
    values = (dice.random(4000) < rate).astype(float)
    units = Units(("control", "treated"), values, arms, np.column_stack([1.0 - share, share]))
    assert units.of("treated").mean() - units.of("control").mean() < -0.2
    found = difference(units)
    assert found.interval().low < 0.0 < found.interval().high
    assert abs(found.interval().value) < 0.05


def test_costs_without_bounds_are_covered_at_every_look() -> None:
    dice = np.random.default_rng(6)
    wrong = 0
    for _ in range(RUNS):
        units = _spent(dice, 1000)
        looks = [
            Asymptotic(contrast(_first(units, count), {"treated": 1.0, "control": -1.0}, bounded=False), ALPHA).interval()
            for count in range(150, 1001, 50)
        ]
        wrong += any(not one.low <= 0.0 <= one.high for one in looks)
    assert wrong / RUNS <= ALPHA


def test_a_quantile_is_covered_at_every_look() -> None:
    dice = np.random.default_rng(7)
    truth = -np.log(0.05)
    wrong = 0
    for _ in range(100):
        values = dice.exponential(size=1200)
        looks = [quantile(values[:count], 0.95, ALPHA) for count in range(100, 1201, 100)]
        wrong += any(not one.low <= truth <= one.high for one in looks)
    assert wrong / 100 <= ALPHA


def _ever_significant(units: Units) -> bool:
    """Whether a two-sided z-test at 5 % is significant at any look from the hundredth unit on."""
    treated = units.arms == 1
    n, m = np.cumsum(treated), np.cumsum(~treated)
    p, q = np.cumsum(units.values * treated) / np.maximum(n, 1), np.cumsum(units.values * ~treated) / np.maximum(m, 1)
    spread = np.sqrt(p * (1 - p) / np.maximum(n, 1) + q * (1 - q) / np.maximum(m, 1))
    return bool(np.any((np.abs(p - q) / np.maximum(spread, 1e-9))[100:] > 1.96))


def _spent(dice: np.random.Generator, count: int) -> Units:
    arms = dice.integers(0, 2, count)
    return Units(("control", "treated"), dice.lognormal(-5.0, 1.0, count), arms, np.full((count, 2), 0.5))


def _first(units: Units, count: int) -> Units:
    values: Floats = units.values[:count]
    return Units(units.names, values, units.arms[:count], units.shares[:count])
