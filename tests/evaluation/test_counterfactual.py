"""The estimators on logs whose truth is known: where they must agree, where they must say nothing, and how often their intervals hold."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tierline.evaluation.counterfactual import Sample, Value, clip, evaluate, needed
from tierline.evaluation.interval import Figure, mean_of

REPEATS = 2_000
ESTIMATORS = ("ips", "snips", "dr", "change")


def a_log(dice: np.random.Generator, rows: int, explore: float, *, confounded: bool = True) -> tuple[Sample, float]:
    """Requests of two kinds, easy and hard; a logging policy that sends up with a chance that differs between them; answers that are good
    with a chance that differs by kind and model. The new policy sends every hard request up. Returns the rows and the true change."""
    hard = dice.random(rows) < 0.4
    good = np.where(hard[:, None], [0.45, 0.85], [0.90, 0.93])
    up_chance = np.where(hard, explore * 2 if confounded else explore, explore)
    up = (dice.random(rows) < up_chance).astype(int)
    reward = (dice.random(rows) < good[np.arange(rows), up]).astype(float)
    new = hard.astype(int)
    done_chance = np.where(up == 1, up_chance, 1 - up_chance)
    weight = (new == up) / done_chance
    wrong_model = np.array([0.7, 0.8])  # it knows nothing of kinds: only the propensities can put it right
    logged = (1 - up_chance) * good[:, 0] + up_chance * good[:, 1]
    truth_new = 0.4 * 0.85 + 0.6 * 0.90
    truth_logged = 0.4 * ((1 - 2 * explore) * 0.45 + 2 * explore * 0.85) + 0.6 * ((1 - explore) * 0.90 + explore * 0.93)
    assert not confounded or abs(float(logged.mean()) - truth_logged) < 0.05
    return Sample(weight, reward, wrong_model[up], wrong_model[new]), truth_new - truth_logged


def holds(figure: Figure, truth: float) -> bool:
    assert figure.low is not None and figure.high is not None
    return figure.low <= truth <= figure.high


@pytest.mark.parametrize("explore", [0.1, 0.3])
def test_the_intervals_hold_the_truth_in_95_of_100_repeats(explore: float) -> None:
    dice = np.random.default_rng(11)
    held = dict.fromkeys(ESTIMATORS, 0)
    for _ in range(REPEATS):
        sample, change = a_log(dice, 600, explore)
        value = evaluate(sample)
        for name in ESTIMATORS:
            held[name] += holds(getattr(value, name), change if name == "change" else 0.88)
    shares = {name: count / REPEATS for name, count in held.items()}
    assert all(0.93 <= share <= 0.97 for share in shares.values()), shares


def test_the_estimators_are_centred_on_the_truth() -> None:
    dice = np.random.default_rng(5)
    found = [evaluate(a_log(dice, 600, 0.2)[0]) for _ in range(600)]
    for name in ("ips", "snips", "dr"):
        values = [float(getattr(value, name).value) for value in found]
        assert abs(np.mean(values) - 0.88) < 4 * np.std(values) / np.sqrt(len(values)), name


def test_doubly_robust_is_narrower_than_ips_where_the_model_is_good() -> None:
    sample, _ = a_log(np.random.default_rng(3), 2_000, 0.1)
    value = evaluate(sample)
    assert width(value.dr) < width(value.ips)


def test_the_same_policy_changes_nothing_for_certain() -> None:
    reward = np.array([1.0, 0.0, 1.0, 1.0])
    model = np.full(4, 0.5)
    value = evaluate(Sample(np.ones(4), reward, model, model), (0.0, 1.0))
    assert value.change == Figure(0.0, 0.0, 0.0, 4)
    assert value.ips.value == value.snips.value == value.dr.value == value.logged.value == 0.75


def test_without_a_row_that_did_the_same_there_is_no_estimate() -> None:
    value = evaluate(Sample(np.zeros(5), np.ones(5), np.ones(5), np.ones(5)), (0.0, 1.0))
    for name in ("ips", "snips", "dr"):
        assert getattr(value, name).value is None
        assert "no row did" in getattr(value, name).why


def test_ten_rows_that_all_went_well_do_not_prove_that_all_go_well() -> None:
    found = mean_of(np.ones(10), bounds=(0.0, 1.0))
    assert found.value == 1.0 and found.high == 1.0
    assert found.low is not None and found.low < 0.75


def test_one_row_gives_no_interval_and_none_gives_nothing() -> None:
    assert mean_of(np.array([0.3])).low is None
    assert mean_of(np.array([])).value is None


def test_weights_that_cannot_be_right_are_called_doubtful() -> None:
    """The log says 50:50 and did 90:10, so weights average 1.8 or 0.2 and not 1."""
    weight = np.where(np.arange(1000) % 10 < 9, 2.0, 0.0)
    value = evaluate(Sample(weight, np.ones(1000) * 0.5, np.full(1000, 0.5), np.full(1000, 0.5)))
    assert value.weights.doubtful
    fair = np.where(np.arange(1000) % 2 == 0, 2.0, 0.0)
    assert not evaluate(Sample(fair, np.ones(1000) * 0.5, np.full(1000, 0.5), np.full(1000, 0.5))).weights.doubtful


def test_the_effective_sample_size_is_kishs() -> None:
    value = weighed(np.array([1.0, 1.0, 1.0, 1.0]))
    assert value.weights.effective == 4.0 and value.weights.largest == 1.0
    assert weighed(np.array([4.0, 0.0, 0.0, 0.0])).weights.effective == 1.0


def test_a_weight_over_the_limit_is_cut_and_counted() -> None:
    weight, clipped = clip(np.array([1.0, 5_000.0]), 1_000.0)
    assert weight.tolist() == [1.0, 1_000.0] and clipped == 1


def test_what_is_needed_falls_with_the_share_and_with_the_square_of_the_width() -> None:
    assert needed(0.01, 0.5, 0.1) == pytest.approx(4 * needed(0.02, 0.5, 0.1), rel=0.01)
    assert needed(0.02, 0.5, 0.5) < needed(0.02, 0.5, 0.05)


def test_that_many_requests_do_give_that_interval() -> None:
    dice, half, share = np.random.default_rng(2), 0.05, 0.1
    count = needed(half, 0.5, share)
    explored = dice.random(count) < share
    good = (dice.random(count) < 0.5).astype(float)
    error = np.sqrt(good[explored].var() / explored.sum() + good[~explored].var() / (~explored).sum())
    assert 1.96 * error == pytest.approx(half, rel=0.1)


def weighed(weight: NDArray[np.float64]) -> Value:
    return evaluate(Sample(weight, np.ones_like(weight) * 0.5, np.full_like(weight, 0.5), np.full_like(weight, 0.5)))


def width(figure: Figure) -> float:
    assert figure.low is not None and figure.high is not None
    return figure.high - figure.low
