"""Training: what is learned, what is chosen, and what is left out."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from scoring import made
from tierline.evaluation.datasets import Dataset
from tierline.evaluation.evaluate import Settings, evaluate
from tierline.evaluation.routers.learned import CrossFit, LearnedRouter, TrainedRouter
from tierline.evaluation.table import Table
from tierline.evaluation.training.learn import Learning, cautious_price, established, fingerprints, learn
from tierline.scoring.learned.beliefs import believe
from tierline.scoring.learned.design import design
from tierline.scoring.learned.fit import silent
from tierline.types.errors import EvaluationFailure

LAW = "what does this clause of the contract mean for the tenant and liability"
QUICK = Settings(resamples=100)


def dataset(table: Table) -> Dataset:
    return Dataset(table, (), (), int(np.isfinite(table.score).sum()))


def test_it_learns_which_model_is_good_at_what() -> None:
    fitted = made.usual().artifact.fitted
    told = believe(fitted, LAW)
    assert dict(zip(fitted.models, told.good[0].tolist(), strict=True)) == pytest.approx(
        {"mini": 0.25, "sonnet": 0.35, "opus": 0.96}, abs=0.12
    )
    assert bool((told.bound < told.good).all())


def test_on_a_world_with_tasks_those_that_gain_are_routed() -> None:
    verdicts = made.usual().verdicts
    assert verdicts["law"].route and verdicts["orders"].route
    assert all(verdict.route == (verdict.low > 0) for verdict in verdicts.values())


def test_a_new_model_is_learned_from_forty_labels_of_its_own() -> None:
    table = made.table()
    score = table.score.copy()
    score[40:, 1] = np.nan
    cost = np.where(np.isnan(score), np.nan, table.cost)
    sparse = msgspec.structs.replace(table, score=score, cost=cost, output_tokens=None)
    assert established(sparse) == ["mini", "opus"]
    learned = made.trained(sparse)
    fitted = learned.artifact.fitted
    easy, hard = (believe(fitted, words).good[0, 1] for words in ("where is my parcel and the tracking of the delivery", LAW))
    assert easy > 0.8
    assert hard < 0.7
    assert believe(fitted, LAW).bound[0, 1] < believe(fitted, LAW).good[0, 1] - 0.02


def test_few_labels_are_refused_by_the_guard() -> None:
    learned = made.trained(made.table(60))
    assert not any(verdict.route for verdict in learned.verdicts.values())


def test_words_that_say_nothing_are_refused_by_the_guard_but_for_one_time_in_forty() -> None:
    table = made.table(300)
    routed = 0
    for seed in range(12):
        chance = np.random.default_rng(seed)
        blind = msgspec.structs.replace(
            table,
            text=[f"the same question {number}" for number in range(300)],
            task=["all"] * 300,
            score=(chance.random((300, 3)) < (0.5, 0.7, 0.9)).astype(float),
        )
        routed += any(verdict.route for verdict in made.trained(blind).verdicts.values())
    assert routed <= 1


def test_too_little_to_learn_from_is_said() -> None:
    with pytest.raises(EvaluationFailure, match="only 9 queries"):
        made.trained(made.table(9))
    same = msgspec.structs.replace(made.table(60), group=np.zeros(60, dtype=np.int64))
    with pytest.raises(EvaluationFailure, match="the same words"):
        learn(same, design(same.text or (), silent), Learning())


def test_the_learned_router_beats_the_coin_on_queries_it_has_not_seen() -> None:
    fits = CrossFit(Learning())
    document = evaluate(dataset(made.table()), [LearnedRouter(fits), LearnedRouter(fits, guard=False, name="unguarded")], QUICK)
    row = document.routers["learned"]
    assert row.advantage is not None and row.advantage.low > 0.05
    assert row.ece is not None and row.ece < 0.05
    assert row.save_at["99"] is not None and row.save_at["99"] > 0.4
    assert row.quality == pytest.approx(document.routers["unguarded"].quality, abs=0.01)


def test_a_file_is_measured_only_on_what_it_was_not_trained_on(tmp_path: Path) -> None:
    router = TrainedRouter(made.written(tmp_path))
    with pytest.raises(EvaluationFailure, match="trained on every one"):
        router.held_out(dataset(made.table()))
    fresh = made.table(200, seed=9)
    both = msgspec.structs.replace(fresh, text=[*(fresh.text or ())[:150], *(made.table().text or ())[:50]])
    left = router.held_out(dataset(both))
    assert len(left.table.query) == 150
    assert [finding.kind for finding in left.findings] == ["trained_on"]
    row = evaluate(left, [router], QUICK).routers["scorer"]
    assert row.advantage is not None and row.advantage.low > 0


def test_a_file_that_knows_none_of_the_models_says_so(tmp_path: Path) -> None:
    router = TrainedRouter(made.written(tmp_path))
    assert router.known(["opus", "stranger"]) == ["opus"]
    with pytest.raises(EvaluationFailure, match="knows no model of the data"):
        router.known(["stranger"])


def test_to_be_surer_of_a_target_never_costs_quality() -> None:
    chance = np.random.default_rng(4)
    good = np.clip(chance.random((400, 3)) * (0.6, 0.9, 1.1), 0.0, 1.0)
    score = (chance.random((400, 3)) < good).astype(float)
    cost = np.tile([0.001, 0.004, 0.02], (400, 1))
    prices = [cautious_price(good, cost, score, cost, 2, 0.9, errors) for errors in (0.0, 1.0, 2.0)]
    assert prices == sorted(prices, reverse=True)
    assert prices[0] > prices[-1]


def test_spaces_and_capitals_make_no_other_text() -> None:
    one, same, other = fingerprints(["Where is  it?", "where is it?", "where was it?"]).tolist()
    assert one == same != other
