"""Regret by cause, optimality, calibration, tiers and slices: worked by hand, and as laws."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.worlds import dataset
from tierline.evaluation.document import Slice
from tierline.evaluation.metrics.bootstrap import Bootstrap
from tierline.evaluation.metrics.calibration import reliability
from tierline.evaluation.metrics.confusion import confusion, needed_by_scores
from tierline.evaluation.metrics.optimality import optimality
from tierline.evaluation.metrics.regret import oracle, regret
from tierline.evaluation.metrics.slices import slices, worst

SCORE = np.array([[1, 1], [0, 1], [0, 0], [0, 1]], dtype=float)
COST = np.array([[1, 4]] * 4, dtype=float)


def test_the_oracle_takes_the_cheapest_of_the_best() -> None:
    assert oracle(SCORE, COST).tolist() == [0, 1, 0, 1]


def test_regret_by_hand() -> None:
    found = regret(np.array([1, 0, 1, 1]), SCORE, COST)
    assert (found.under_routed.share, found.under_routed.quality, found.under_routed.cost) == (0.25, 0.25, -0.75)
    assert (found.over_routed.share, found.over_routed.quality, found.over_routed.cost) == (0.5, 0.0, 1.5)
    assert (found.total.quality, found.total.cost) == (0.25, 0.75)
    assert found.forced is None


def test_what_could_not_be_otherwise_is_booked_as_forced_first() -> None:
    yes, no = np.ones(4, dtype=bool), np.zeros(4, dtype=bool)
    found = regret(np.array([1, 0, 1, 1]), SCORE, COST, forced=np.array([True, False, False, True]), wrong_capability=yes, too_slow=no)
    assert found.forced is not None and (found.forced.share, found.forced.cost) == (0.25, 0.75)
    assert found.wrong_capability is not None and found.wrong_capability.share == 0.5
    assert (found.under_routed.share, found.over_routed.share, found.too_slow and found.too_slow.share) == (0.0, 0.0, 0.0)


@given(st.integers(0, 10_000))
def test_the_causes_add_up_to_the_distance_to_the_oracle(seed: int) -> None:
    chance = np.random.default_rng(seed)
    score, cost = chance.integers(0, 3, (30, 4)) / 2, chance.random((30, 4))
    chosen, masks = chance.integers(0, 4, 30), chance.random((3, 30)) < 0.3
    found = regret(chosen, score, cost, *masks)
    rows, ideal = np.arange(30), oracle(score, cost)
    assert found.total.quality == pytest.approx(score[rows, ideal].mean() - score[rows, chosen].mean())
    assert found.total.cost == pytest.approx(cost[rows, chosen].mean() - cost[rows, ideal].mean())
    causes = [found.under_routed, found.over_routed, found.forced, found.wrong_capability, found.too_slow]
    for figure in ("share", "quality", "cost"):
        assert sum(getattr(cause, figure) for cause in causes) == pytest.approx(getattr(found.total, figure))


def test_optimality_by_hand() -> None:
    chosen, rows = np.array([1, 1, 1, 0]), np.arange(4)
    found = optimality(SCORE[rows, chosen], COST[rows, chosen], SCORE, COST)
    assert found.selection == pytest.approx(1 / 3)  # of three questions that can be answered, one went to the cheapest that can
    assert found.cost == pytest.approx((1 + 4) / (4 + 4))
    assert found.accuracy == pytest.approx(2 / 3)


def test_where_nobody_is_ever_right_there_is_no_optimum() -> None:
    wrong = np.zeros((3, 2))
    found = optimality(wrong[:, 0], np.ones(3), wrong, np.ones((3, 2)))
    assert (found.selection, found.cost, found.accuracy) == (None, None, None)


def test_brier_and_ece_by_hand() -> None:
    found = reliability(np.array([0.95, 0.95, 0.15, 0.15]), np.array([1.0, 0.0, 0.0, 0.0]))
    assert found is not None
    assert found.brier == pytest.approx((0.05**2 + 0.95**2 + 2 * 0.15**2) / 4)
    assert found.ece == pytest.approx(0.5 * 0.45 + 0.5 * 0.15)
    assert [(one.low, one.count, one.actual) for one in found.bins] == [(0.1, 2, 0.0), (0.9, 2, 0.5)]


def test_a_sure_and_right_prediction_is_perfect() -> None:
    found = reliability(np.array([1.0, 0.0, np.nan]), np.array([1.0, 0.0, 1.0]))
    assert found is not None and (found.brier, found.ece, sum(one.count for one in found.bins)) == (0.0, 0.0, 2)
    assert reliability(np.array([np.nan]), np.array([1.0])) is None


def test_tiers_by_hand() -> None:
    found = confusion(["fast", "best", "best", "other"], ["best", "best", "fast", "fast"], ("fast", "best"), "labels")
    assert found is not None
    assert found.counts == ((0, 1), (1, 1))
    assert (found.accuracy, found.under_routed, found.over_routed) == pytest.approx((1 / 3, 1 / 3, 1 / 3))
    assert confusion(["x"], ["fast"], ("fast",), "labels") is None


def test_the_tier_that_is_needed_is_the_lowest_that_reaches_the_best() -> None:
    assert needed_by_scores(SCORE, ["fast", "best"], ("fast", "best")) == ["fast", "best", "fast", "best"]


def test_a_slice_has_its_own_figures_and_the_worst_is_named(tmp_path: Path) -> None:
    table = dataset(tmp_path).table
    cheap = np.zeros(len(table.query), dtype=np.intp)
    found = slices(table, table.score[:, 0], table.cost[:, 0], cheap, Bootstrap(0, 100), "cheap")
    assert set(found) == {"task"}, "all its prompts are short, and of one data set"
    easy, hard = found["task"]["easy"], found["task"]["hard"]
    assert easy.quality.value > 0.9 > 0.5 > hard.quality.value
    assert (hard.queries, hard.models) == (200, {"mini": 1.0})
    named = worst({"task": found["task"] | {"tiny": Slice(3, hard.quality, None)}})
    assert named is not None and named.name != "tiny"
