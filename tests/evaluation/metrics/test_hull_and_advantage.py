"""The zero router and the advantage over it: worked by hand, and as laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tierline.evaluation.metrics.advantage import advantage
from tierline.evaluation.metrics.bootstrap import UNITS, Bootstrap
from tierline.evaluation.metrics.hull import concave, hull

MODELS = ("a", "b", "c", "d")
unit = st.integers(0, 1000).map(lambda thousandths: thousandths / 1000)


@st.composite
def models(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    many = draw(st.integers(1, 8))
    return draw(arrays.arrays(float, many, elements=unit)), draw(arrays.arrays(float, many, elements=unit))


def test_the_zero_router_of_routerbenchs_picture() -> None:
    # b lies under the line from a to c, d is dearer and worse than c
    single = hull(np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.2, 0.3, 0.8, 0.7]))
    assert single.models == (0, 2)
    assert single.at(2.0) == pytest.approx(0.5)
    assert single.mix(2.5) == pytest.approx({0: 0.25, 2: 0.75})


def test_below_the_cheapest_and_above_the_best_the_mix_is_one_model() -> None:
    single = hull(np.array([1.0, 3.0]), np.array([0.2, 0.8]))
    assert (single.mix(0.1), single.mix(9.0)) == ({0: 1.0}, {1: 1.0})


@given(models())
def test_no_model_lies_above_the_zero_router(points: tuple[np.ndarray, np.ndarray]) -> None:
    cost, quality = points
    single = hull(cost, quality)
    assert all(single.at(c) >= q - 1e-9 for c, q in zip(cost, quality, strict=True))
    assert list(single.cost) == sorted(single.cost) and list(single.quality) == sorted(single.quality)
    slopes = np.diff(single.quality) / np.diff(single.cost)
    assert all(np.diff(slopes) <= 1e-6 * np.maximum(1, np.abs(slopes[1:])))


@given(models(), unit)
def test_a_mix_never_costs_more_than_asked_but_for_the_cheapest(points: tuple[np.ndarray, np.ndarray], asked: float) -> None:
    cost, quality = points
    mix = hull(cost, quality).mix(asked)
    paid = sum(share * cost[model] for model, share in mix.items())
    assert sum(mix.values()) == pytest.approx(1.0)
    assert paid <= max(asked, cost.min()) + 1e-6


@given(models())
def test_the_two_hulls_agree(points: tuple[np.ndarray, np.ndarray]) -> None:
    cost, quality = points
    single, (corners, heights) = hull(cost, quality), concave(cost, quality)
    grid = np.linspace(cost.min(), cost.max(), 7)
    np.testing.assert_allclose(np.interp(grid, single.cost, single.quality), np.interp(grid, corners, heights), atol=1e-9)


def test_the_advantage_by_hand() -> None:
    # two models at 1 and 3 cents, right on 1 of 4 and 3 of 4; the router asks the dear one on exactly the half that needs it
    score = np.array([[1, 1], [0, 1], [0, 1], [0, 0]], dtype=float)
    cost = np.array([[1, 3]] * 4, dtype=float)
    chosen = np.array([0, 1, 1, 0])
    rows = np.arange(4)
    found = advantage(
        score[rows, chosen], cost[rows, chosen], score, cost, hull(cost.mean(0), score.mean(0)), ("cheap", "dear"), Bootstrap(0), "x"
    )
    assert found.mix == pytest.approx({"cheap": 0.5, "dear": 0.5})
    assert (found.quality, found.cost) == pytest.approx((0.5, 2.0))
    assert found.value == pytest.approx(0.75 - 0.5)
    assert found.low <= 0 < found.high, "four queries prove nothing"


@given(st.integers(0, 3), st.integers(0, 50))
def test_a_single_model_on_the_hull_has_no_advantage(model: int, seed: int) -> None:
    chance = np.random.default_rng(seed)
    score = (chance.random((50, 4)) < chance.random(4)).astype(float)
    cost = np.tile(np.array([1.0, 2.0, 3.0, 4.0]), (50, 1))
    single = hull(cost.mean(0), score.mean(0))
    found = advantage(score[:, model], cost[:, model], score, cost, single, MODELS, Bootstrap(0, 100), "x")
    assert found.value <= 1e-9
    if model in single.models:
        assert found.value == pytest.approx(0.0, abs=1e-9) and found.low <= 0 <= found.high


def covered(queries: int, repeats: int = 250) -> float:
    """How often the interval of the advantage holds the true value, for a router that is right a little more often than the coin."""
    hits = 0
    for seed in range(repeats):
        chance = np.random.default_rng(seed)
        hard = chance.random(queries) < 0.5
        score = np.stack([chance.random(queries) < np.where(hard, 0.4, 0.9), chance.random(queries) < 0.92], axis=1).astype(float)
        cost = np.tile(np.array([1.0, 10.0]), (queries, 1))
        chosen = (hard ^ (chance.random(queries) < 0.3)).astype(int)
        rows = np.arange(queries)
        single = hull(cost.mean(0), score.mean(0))
        found = advantage(score[rows, chosen], cost[rows, chosen], score, cost, single, ("w", "s"), Bootstrap(seed, 200), "x")
        # hard queries go up with 0.7, easy ones with 0.3: half of all calls, so the coin is half and half
        truth = (0.5 * (0.7 * 0.92 + 0.3 * 0.4) + 0.5 * (0.3 * 0.92 + 0.7 * 0.9)) - 0.5 * (0.65 + 0.92)
        hits += found.low <= truth <= found.high
    return hits / repeats


def test_the_interval_holds_the_truth_in_95_of_100_repeats() -> None:
    assert 0.92 <= covered(200) <= 0.985


def test_ten_equal_answers_are_no_certainty() -> None:
    found = Bootstrap(0).estimate(np.ones((10, 1)), "x", lambda means: means[:, 0], (0.0, 1.0))
    assert found.low <= 0.7 and found.high == 1.0


def test_one_query_says_nothing() -> None:
    found = Bootstrap(0).estimate(np.ones((1, 1)), "x", lambda means: means[:, 0], (0.0, 1.0))
    assert (found.low, found.high) == (0.0, 1.0)


def test_more_queries_than_units_give_the_interval_of_the_normal_law() -> None:
    values = np.random.default_rng(3).random((UNITS * 4, 1))
    found = Bootstrap(0).estimate(values, "x", lambda means: means[:, 0], (0.0, 1.0))
    half = 1.96 * values.std() / np.sqrt(len(values))
    assert found.high - found.value == pytest.approx(half, rel=0.1) and found.value - found.low == pytest.approx(half, rel=0.1)


def test_the_same_seed_and_name_give_the_same_interval() -> None:
    values = np.random.default_rng(3).random((100, 1))

    def of(seed: int, name: str) -> object:
        return Bootstrap(seed).estimate(values, name, lambda means: means[:, 0], (0.0, 1.0))

    assert of(1, "x") == of(1, "x")
    assert of(1, "x") != of(2, "x") and of(1, "x") != of(1, "y")
