"""What a sweep says is said of queries that it was not chosen on."""

from __future__ import annotations

import numpy as np
import pytest

from tierline.evaluation.sweep.axes import axis, default_axes, grid
from tierline.evaluation.sweep.choose import Chooser
from tierline.evaluation.sweep.operating_point import OperatingPoint, operating_point, parts_of
from tierline.evaluation.sweep.pareto import front
from tierline.evaluation.sweep.questions import Questions, questions
from tierline.evaluation.sweep.sweep import Outcomes, sweep
from tierline.routing.router import Router
from tierline.testing.builders import features, router
from tierline.types.scores import NO_SCORES
from tierline.types.view import NO_VIEW

NAMES = ("mini", "opus")


def a_router() -> Router:
    return router(
        {"tiers": ["fast", "best"]}, {"mini": {"tier": "fast", "price": (0.2, 0.8)}, "opus": {"tier": "best", "price": (15.0, 75.0)}}
    )


def a_world(rows: int, seed: int, *, signal: bool = True) -> tuple[Router, Questions, Outcomes]:
    """Difficulty tells (or does not tell) where the small model fails."""
    dice, made = np.random.default_rng(seed), a_router()
    difficulty = dice.random(rows)
    asked = questions(made, [(features(float(d), request_id=f"q{i}"), NO_SCORES, NO_VIEW) for i, d in enumerate(difficulty)])
    chance = np.where(difficulty < 0.5, 0.95, 0.3) if signal else np.full(rows, 0.6)
    score = np.array([dice.random(rows) < chance, dice.random(rows) < 0.93]).astype(float)
    return made, asked, Outcomes(score, asked.cost)


def a_point(rows: int, target: float, seed: int = 1, *, signal: bool = True) -> OperatingPoint:
    made, asked, outcomes = a_world(rows, seed, signal=signal)
    settings = grid(made, (axis("routes.auto.difficulty.fast=0:0.99:21", made),))
    part = parts_of([f"q{i}" for i in range(rows)])
    return operating_point(asked, outcomes, settings, sweep(asked, outcomes, settings, part), part, NAMES, target)


def test_where_difficulty_tells_much_is_saved_and_the_target_kept() -> None:
    point = a_point(4_000, 0.95)
    assert point.best_single == "opus" and point.setting is not None
    assert 0.4 <= point.setting["routes.auto.difficulty.fast"] <= 0.6
    assert point.saved is not None and point.saved.value is not None and 0.35 < point.saved.value < 0.6
    assert point.kept is not None and point.kept > 0.93
    assert point.met is not None and 0.3 < point.met <= 1.0


def test_it_is_measured_on_queries_that_it_was_not_chosen_on() -> None:
    point = a_point(2_000, 0.95)
    assert point.chosen_on + point.measured_on == 2_000
    assert point.quality is not None and point.quality.rows == point.measured_on


def test_a_target_that_was_hardly_reached_is_missed_about_every_other_time() -> None:
    """The setting that just kept the target on the one half was partly lucky there, and the repeated splits say so."""
    point = a_point(1_000, 0.97)
    assert point.met is not None and 0.2 < point.met < 0.95


def test_ten_queries_give_a_wide_interval_and_no_error() -> None:
    point = a_point(10, 0.95)
    assert point.setting is None or (
        point.quality is not None and point.quality.high is not None and point.quality.high - point.quality.low > 0.2
    )  # type: ignore[operator]


def test_a_query_keeps_its_part_whatever_stands_beside_it() -> None:
    assert parts_of(["a", "b", "c"])[1] == parts_of(["b"])[0]


def test_sums_of_parts_and_blocks_are_the_sums_of_single_choices() -> None:
    made, asked, outcomes = a_world(500, 3)
    settings = grid(made, (axis("routes.auto.difficulty.fast=0:0.9:4", made), axis("routes.auto.quality_bar=0.5:0.95:3", made)))
    part = parts_of([f"q{i}" for i in range(500)])
    swept = sweep(asked, outcomes, settings, part)
    for number, setting in enumerate(settings):
        chosen = Chooser(asked).choose(setting.thresholds)
        assert swept.mean_quality[number] == pytest.approx(outcomes.score[chosen, np.arange(500)].mean())
        assert swept.mean_cost[number] == pytest.approx(outcomes.cost[chosen, np.arange(500)].mean())
        assert swept.chosen[number].tolist() == np.bincount(chosen, minlength=2).tolist()
    assert swept.rows.sum() == 500


def test_nobody_beats_a_setting_of_the_front() -> None:
    dice = np.random.default_rng(8)
    quality, cost = dice.random(200).round(2), dice.random(200).round(2)
    found = front(quality, cost)
    for place in found:
        beaten = (quality >= quality[place]) & (cost <= cost[place]) & ((quality > quality[place]) | (cost < cost[place]))
        assert not beaten.any()
    assert (np.diff(cost[found]) > 0).all() and (np.diff(quality[found]) > 0).all()
    assert len(front(np.array([0.5, 0.5]), np.array([1.0, 1.0]))) == 1


def test_ceilings_that_do_not_rise_are_no_settings() -> None:
    made = router({})
    settings = grid(made, default_axes(made, np.random.default_rng(1).random(50)))
    assert settings and all(s.values["routes.auto.difficulty.fast"] < s.values["routes.auto.difficulty.balanced"] for s in settings)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("routes.auto.difficulty.fast", "write PATH=LOW:HIGH"),
        ("routes.auto.difficulty.fast=0:2", "between 0 and 1"),
        ("routes.auto.difficulty.best=0:1", "has no threshold"),
        ("tasks.nothing.quality_bar=0:1", "it has routes.auto.quality_bar"),
    ],
)
def test_an_axis_that_is_none_says_what_is_wrong(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        axis(text, a_router())
