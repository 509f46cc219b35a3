"""The guard: a scorer routes only where it is shown to be worth it."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tierline.evaluation.metrics.hull import hull
from tierline.evaluation.training.guard import gains, verdicts


def test_the_gains_of_queries_add_up_to_the_advantage_over_the_mix() -> None:
    chance = np.random.default_rng(1)
    score, costs = chance.random((300, 3)), chance.random((300, 3)) * np.array([1.0, 5.0, 20.0])
    chosen = chance.integers(0, 3, 300)
    quality, cost = score[np.arange(300), chosen], costs[np.arange(300), chosen]
    single = hull(costs.mean(axis=0), score.mean(axis=0))
    told = gains(quality, cost, score, costs, single, 0)
    assert np.isclose(told.mean(), quality.mean() - single.at(float(cost.mean())))


def test_without_costs_a_gain_is_what_is_won_over_the_best_single_model() -> None:
    score = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert gains(np.array([1.0, 1.0]), None, score, None, None, 0).tolist() == [0.0, 1.0]


@given(st.integers(0, 199))
def test_a_task_with_too_few_labels_is_refused_however_well_it_does(labels: int) -> None:
    (told,) = verdicts(np.full(150, 0.5), np.zeros(150, dtype=np.intp), [labels])
    assert not told.route
    assert "fewer than 200" in told.why


def test_a_clear_gain_may_be_routed_and_a_clear_loss_may_not() -> None:
    chance = np.random.default_rng(2)
    task = np.repeat([0, 1], 400)
    good, bad = verdicts(np.where(task == 0, 0.3, -0.1) + chance.normal(0, 0.1, 800), task, [800, 800])
    assert good.route and good.low > 0
    assert not bad.route and bad.high < 0
    assert "not shown to be above zero" in bad.why


def test_noise_alone_is_seldom_let_through() -> None:
    passed = 0
    for seed in range(200):
        gain = np.random.default_rng(seed).normal(0.0, 0.3, 400)
        passed += verdicts(gain, np.repeat([0, 1], 200), [400, 400])[0].route
    assert passed <= 10


def test_where_the_whole_is_not_shown_to_gain_nothing_is_routed() -> None:
    gain = np.concatenate([np.full(300, 0.2), np.full(300, -0.3)]) + np.random.default_rng(3).normal(0, 0.01, 600)
    told = verdicts(gain, np.repeat([0, 1], 300), [600, 600])
    assert [one.route for one in told] == [False, False]


def test_a_task_without_any_query_is_refused() -> None:
    told = verdicts(np.full(300, 0.2), np.zeros(300, dtype=np.intp), [600, 600])
    assert not told[1].route
