"""RouteLLM's and RouterBench's figures, worked by hand from their published definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierline.evaluation.metrics.aiq import aiq
from tierline.evaluation.metrics.arena import arena_score
from tierline.evaluation.metrics.curve import at_price, by_price, by_threshold
from tierline.evaluation.metrics.gap import apgr, cpt
from tierline.evaluation.metrics.savings import save_at

WEAK = np.array([1.0, 1.0, 0.0, 0.0])
STRONG = np.array([1.0, 1.0, 1.0, 1.0])


def test_a_perfect_order_recovers_the_gap_with_half_the_calls() -> None:
    curve = by_threshold(np.array([0.1, 0.2, 0.9, 0.8]), WEAK, STRONG, None, None)
    assert curve.share.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert curve.quality.tolist() == [0.5, 0.75, 1, 1, 1]
    # PGR 0, ½, 1, 1, 1 at quarters: trapezoids ⅛·(½ + 3/2 + 2 + 2)·… = 0.75
    assert apgr(curve) == pytest.approx(0.75)
    assert (cpt(curve, 0.5), cpt(curve, 0.8)) == pytest.approx((0.25, 0.4))


def test_the_worst_order_recovers_nothing_before_it_must() -> None:
    curve = by_threshold(np.array([0.9, 0.8, 0.1, 0.2]), WEAK, STRONG, None, None)
    assert apgr(curve) == pytest.approx(0.25)
    assert cpt(curve, 0.5) == pytest.approx(0.75)


def test_one_score_for_all_is_a_straight_line() -> None:
    curve = by_threshold(np.ones(4), WEAK, STRONG, WEAK, STRONG * 10)
    assert curve.share.tolist() == [0, 1]
    assert (apgr(curve), cpt(curve, 0.5), cpt(curve, 0.8)) == pytest.approx((0.5, 0.5, 0.8))


def test_without_a_gap_there_is_nothing_to_recover() -> None:
    curve = by_threshold(np.arange(4.0), STRONG, STRONG, None, None)
    assert (apgr(curve), cpt(curve, 0.5)) == (None, None)


@given(st.integers(0, 10_000), st.integers(2, 60))
def test_apgr_of_an_order_and_its_reverse_add_up_to_one(seed: int, many: int) -> None:
    chance = np.random.default_rng(seed)
    score, weak, strong = chance.integers(0, 5, many).astype(float), chance.random(many) * 0.5, 0.5 + chance.random(many) * 0.5
    there, back = (by_threshold(s, weak, strong, None, None) for s in (score, -score))
    found = (apgr(there), apgr(back))
    assert None not in found and sum(value for value in found if value is not None) == pytest.approx(1.0)


@given(st.integers(0, 10_000))
def test_the_curve_does_not_depend_on_the_order_of_the_queries(seed: int) -> None:
    chance = np.random.default_rng(seed)
    score, weak, strong = chance.integers(0, 4, 20).astype(float), chance.random(20), chance.random(20)
    mixed = chance.permutation(20)
    one, other = by_threshold(score, weak, strong, weak, strong), by_threshold(score[mixed], weak[mixed], strong[mixed], weak, strong)
    np.testing.assert_allclose(one.quality, other.quality)
    np.testing.assert_allclose(one.share, other.share)


def by_quantiles(score: np.ndarray, weak: np.ndarray, strong: np.ndarray, many: int) -> float:
    """APGR as RouteLLM counts it: thresholds at quantiles of the scores, the last one excluding all, then trapezoids."""
    points = []
    for number, threshold in enumerate(np.quantile(score, np.linspace(0, 1, many + 1))):
        up = score > threshold if number == many else score >= threshold
        points.append((up.mean(), np.where(up, strong, weak).mean()))
    share, quality = np.array(sorted(points)).T
    area = [(share[i + 1] - share[i]) * (quality[i + 1] + quality[i]) / 2 for i in range(many)]
    return float((sum(area) - weak.mean()) / (strong.mean() - weak.mean()))


@pytest.mark.parametrize(("many", "within"), [(10, 0.02), (100, 0.002), (1000, 1e-9)])
def test_apgr_is_the_limit_of_routellms_quantiles(many: int, within: float) -> None:
    chance = np.random.default_rng(4)
    score = chance.random(1000)
    weak = (chance.random(1000) < 0.8 - 0.4 * score).astype(float)
    strong = (chance.random(1000) < 0.9).astype(float)
    assert apgr(by_threshold(score, weak, strong, None, None)) == pytest.approx(by_quantiles(score, weak, strong, many), abs=within)


def reached(cost: np.ndarray, quality: np.ndarray, budget: float) -> float:
    """RouterBench's non-decreasing hull at one cost: the best of every point and every line between two points that is affordable."""
    best = max((float(q) for c, q in zip(cost, quality, strict=True) if c <= budget), default=0.0)
    for i in range(len(cost)):
        for j in range(len(cost)):
            if cost[i] <= budget < cost[j]:
                best = max(best, float(quality[i] + (quality[j] - quality[i]) * (budget - cost[i]) / (cost[j] - cost[i])))
    return best


@given(st.integers(0, 10_000), st.integers(1, 7))
def test_aiq_is_the_area_under_routerbenchs_hull(seed: int, many: int) -> None:
    chance = np.random.default_rng(seed)
    cost, quality = 1 + 3 * chance.random(many), chance.random(many)
    middles = np.linspace(1.0, 5.0, 4001)[:-1] + 0.0005
    area = float(np.mean([reached(cost, quality, float(budget)) for budget in middles[::8]]))
    assert aiq(cost, quality, 1.0, 5.0) == pytest.approx(area, abs=0.004)


def test_aiq_by_hand() -> None:
    # from (1, 0.4) a straight line to (3, 0.8), then level to c_max = 5: (2 · 0.6 + 2 · 0.8) / 4
    assert aiq(np.array([1.0, 3.0]), np.array([0.4, 0.8]), 1.0, 5.0) == pytest.approx(0.7)
    # a point below the hull, and one that is dearer and worse, change nothing
    assert aiq(np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.4, 0.5, 0.8, 0.6]), 1.0, 5.0) == pytest.approx(0.7)
    # left of the first point nothing is affordable
    assert aiq(np.array([3.0]), np.array([0.8]), 1.0, 5.0) == pytest.approx(0.4)
    assert aiq(np.array([1.0]), np.array([0.4]), 1.0, 1.0) is None


def test_savings_by_hand() -> None:
    # the best single model: quality 0.8 at 10 USD. On the line from (2, 0.6) to (6, 0.84): 0.8 at 5.333, 0.792 at 5.2, 0.76 at 4.667
    found = save_at(np.array([2.0, 6.0]), np.array([0.6, 0.84]), 10.0, 0.8)
    assert found == pytest.approx({"100": 1 - 16 / 30, "99": 0.48, "95": 1 - 14 / 30})
    assert save_at(np.array([2.0]), np.array([0.6]), 10.0, 0.8) == {"100": None, "99": None, "95": None}
    assert save_at(np.array([12.0]), np.array([0.9]), 10.0, 0.8)["100"] == pytest.approx(-0.2)


def test_the_price_walks_from_the_best_to_the_cheapest() -> None:
    good, cost = np.array([[0.5, 0.9], [0.7, 0.75]]), np.array([[1.0, 5.0]] * 2)
    assert at_price(good, cost, 0.0).tolist() == [1, 1]
    assert at_price(good, cost, 0.05).tolist() == [1, 0]
    assert at_price(good, cost, 1.0).tolist() == [0, 0]
    curve = by_price(good, cost, np.array([[0.0, 1.0], [1.0, 1.0]]), cost)
    assert curve.cost is not None
    assert (curve.cost.min(), curve.cost.max(), curve.quality.max()) == (1.0, 5.0, 1.0)
    assert (3.0, 1.0) in set(zip(curve.cost.tolist(), curve.quality.tolist(), strict=True))


@given(st.integers(0, 10_000))
def test_predictions_that_many_queries_share_give_the_same_curve(seed: int) -> None:
    chance = np.random.default_rng(seed)
    same = chance.integers(0, 4, 30)
    good, expected = chance.random((4, 3))[same], chance.random((4, 3))[same]
    score, cost = chance.random((30, 3)), chance.random((30, 3))
    one, other = by_price(good, expected, score, cost), by_price(good, expected, score, cost, same)
    for column in ("share", "quality", "cost", "threshold"):
        np.testing.assert_allclose(getattr(one, column), getattr(other, column))


def test_of_equally_good_models_the_cheapest_is_chosen() -> None:
    assert at_price(np.array([[0.9, 0.9, 0.9]]), np.array([[3.0, 1.0, 2.0]]), 0.0).tolist() == [1]


def test_routerarenas_score_by_hand() -> None:
    # 0.938 USD per 1,000 is the middle of the scale of logarithms: K = ½, so S = 1.1 · 0.8 · 0.5 / (0.08 + 0.5)
    middle = (200 * 0.0044) ** 0.5 / 1000
    assert arena_score(0.8, middle) == pytest.approx(0.44 / 0.58)
    assert arena_score(0.8, 0.0) == pytest.approx(1.1 * 0.8 / 1.08)
    assert arena_score(0.8, 1.0) == 0.0
    assert arena_score(0.0, 1.0) == 0.0
