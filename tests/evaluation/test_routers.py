"""Routers see what they may see, and no more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from evaluation.worlds import SPEC, dataset, spec, tidy, world, write_csv, write_jsonl
from tierline.config.load import load
from tierline.evaluation.cross_validate import folds
from tierline.evaluation.datasets import Reading, read
from tierline.evaluation.evaluate import Settings, evaluate
from tierline.evaluation.routers import routers
from tierline.evaluation.routers.given import GivenRouter
from tierline.evaluation.routers.routing import Evaluated, Routing, silent
from tierline.evaluation.routers.spec import SpecRouter
from tierline.evaluation.routers.task_mean import TaskMeanRouter
from tierline.evaluation.table import Table
from tierline.types.errors import EvaluationFailure

QUICK = Settings(resamples=100)


def asked(router: Evaluated, table: Table, k: int = 5) -> Routing:
    chance = np.random.default_rng(0)
    return router.route(table, folds(table, k, chance), chance, silent)


def read_with_text(folder: Path) -> Table:
    return dataset(folder, how=Reading(text=True, models=("mini", "opus"))).table


def spec_router(folder: Path, text: str = SPEC, **more: Any) -> SpecRouter:
    return SpecRouter(load(spec(folder, text), need_secrets=False), **more)


def test_a_spec_decides_by_the_words_of_each_prompt(tmp_path: Path) -> None:
    table = read_with_text(tmp_path)
    found = asked(spec_router(tmp_path), table)
    assert found.choice is not None and found.tier is not None
    assert [table.models[choice] for choice in found.choice] == ["opus" if task == "hard" else "mini" for task in table.task]
    assert list(found.tier) == ["best" if task == "hard" else "fast" for task in table.task]


def test_a_spec_never_sees_a_score(tmp_path: Path) -> None:
    table = read_with_text(tmp_path)
    other = msgspec.structs.replace(table, score=1.0 - table.score, cost=table.cost[::-1].copy())
    one, two = (asked(spec_router(tmp_path), each) for each in (table, other))
    np.testing.assert_array_equal(one.choice, two.choice)
    np.testing.assert_array_equal(one.good, two.good)


def test_a_spec_is_told_the_task_only_where_that_is_asked_for(tmp_path: Path) -> None:
    table = msgspec.structs.replace(read_with_text(tmp_path), task=["proofs"] * 400)
    told, untold = asked(spec_router(tmp_path, tell_task=True), table), asked(spec_router(tmp_path), table)
    assert told.choice is not None and untold.choice is not None
    assert (told.choice == 1).all() and not (untold.choice == 1).all()


def test_a_model_that_governance_took_away_makes_its_regret_forced(tmp_path: Path) -> None:
    ruled = SPEC + '\ngovernance:\n  rules:\n    - {when: "input_tokens < 100000", allow: {models: [mini]}, why: only the small one}\n'
    found = evaluate(dataset(tmp_path, how=Reading(text=True, models=("mini", "opus"))), [spec_router(tmp_path, ruled)], QUICK)
    regret = found.routers["spec"].regret
    assert regret is not None and regret.forced is not None
    assert regret.forced.quality > 0.2 and regret.under_routed.share == 0.0


def test_an_answer_after_its_tasks_budget_is_too_slow_even_where_it_is_right(tmp_path: Path) -> None:
    hurried = SPEC.replace("keywords: [prove]}, models", "keywords: [prove]}, latency_budget: 2s, models")
    rows = [row | {"latency": 3.0 if row["model"] == "opus" else 0.5} for row in world()]
    found = evaluate(dataset(tmp_path, rows, Reading(text=True, models=("mini", "opus"))), [spec_router(tmp_path, hurried)], QUICK)
    regret = found.routers["spec"].regret
    assert regret is not None and regret.too_slow is not None and regret.too_slow.share == 0.5
    assert found.routers["spec"].latency == pytest.approx(1.75)


def test_a_spec_whose_models_are_not_in_the_data_says_which_are(tmp_path: Path) -> None:
    table = msgspec.structs.replace(read_with_text(tmp_path), models=("gpt", "claude"))
    with pytest.raises(EvaluationFailure, match="no model of the spec is in the data: it has mini, strong; they have gpt, claude"):
        asked(spec_router(tmp_path), table)


def test_what_was_chosen_but_never_measured_gives_no_figures_and_says_so(tmp_path: Path) -> None:
    found = evaluate(dataset(tmp_path, how=Reading(text=True, models=("mini",))), [spec_router(tmp_path)], QUICK).routers["spec"]
    assert found.quality is None and found.advantage is None
    assert found.why["quality"] == "it chose models that the data have not: strong"


def test_the_task_mean_is_fitted_on_other_folds_only(tmp_path: Path) -> None:
    # every query is a task of its own: whoever looked at it would be perfect
    rows = [row | {"task": row["query_id"]} for row in world()]
    table = dataset(tmp_path, rows).table
    found = asked(TaskMeanRouter(), table)
    assert found.choice is not None
    gained = table.score[np.arange(len(found.choice)), found.choice].mean() - table.score.mean(axis=0).max()
    assert abs(gained) < 0.02


def test_the_task_mean_finds_the_planted_tasks(tmp_path: Path) -> None:
    table = dataset(tmp_path).table
    found = asked(TaskMeanRouter(), table)
    assert found.choice is not None
    by_task = {task: found.choice[[t == task for t in table.task]] for task in ("easy", "hard")}
    assert (by_task["hard"] == table.models.index("opus")).mean() > 0.9
    assert (by_task["easy"] == table.models.index("waste")).sum() == 0


def test_the_same_words_are_never_on_both_sides_of_a_fold(tmp_path: Path) -> None:
    rows = [row | {"query": f"Question {int(row['query_id'][1:]) % 40}"} for row in world()]
    table = dataset(tmp_path, rows).table
    fold = folds(table, 5, np.random.default_rng(1))
    assert table.text is None and table.group is not None
    assert len({(group, number) for group, number in zip(table.group.tolist(), fold.tolist(), strict=True)}) == 40
    assert np.bincount(fold).tolist() == [80] * 5


def test_fewer_queries_than_folds_make_fewer_folds(tmp_path: Path) -> None:
    table = dataset(tmp_path, world(3)).table
    assert sorted(folds(table, 10, np.random.default_rng(0)).tolist()) == [0, 1, 2]


@pytest.mark.parametrize("by", ["query_id", "query"])
def test_choices_of_ones_own_are_played_back(tmp_path: Path, by: str) -> None:
    table = read_with_text(tmp_path)
    keys = table.query if by == "query_id" else table.text or ()
    path = write_csv(tmp_path / "choices.csv", [{by: key, "model": "opus" if n % 3 else "mini"} for n, key in enumerate(keys)])
    found = asked(GivenRouter(path), table)
    assert found.choice is not None and found.choice.tolist() == [1 if n % 3 else 0 for n in range(400)]


def test_scores_of_ones_own_give_a_curve(tmp_path: Path) -> None:
    read_table = dataset(tmp_path, how=Reading(models=("mini", "opus")))
    scores = [
        {"query_id": key, "score": float(task == "hard")} for key, task in zip(read_table.table.query, read_table.table.task, strict=True)
    ]
    found = evaluate(read_table, [GivenRouter(write_jsonl(tmp_path / "scores.jsonl", scores))], QUICK).routers["choices"]
    assert found.apgr is not None and found.apgr > 0.7
    assert [point.share for point in found.curve] == [0.0, 0.5, 1.0]


def test_predictions_of_ones_own_give_a_curve_and_are_checked_for_calibration(tmp_path: Path) -> None:
    read_table = dataset(tmp_path, how=Reading(models=("mini", "opus")))
    sure = {("mini", "easy"): 0.95, ("mini", "hard"): 0.35, ("opus", "easy"): 0.96, ("opus", "hard"): 0.85}
    told = [
        {"query_id": key, "model": model, "score": sure[model, task]}
        for key, task in zip(read_table.table.query, read_table.table.task, strict=True)
        for model in ("mini", "opus")
    ]
    found = evaluate(read_table, [GivenRouter(write_jsonl(tmp_path / "told.jsonl", told))], QUICK).routers["choices"]
    assert found.ece is not None and found.ece < 0.05
    assert set(found.reliability) == {"mini", "opus"} and found.aiq is not None
    assert found.save_at["99"] is not None and found.save_at["99"] > 0.3


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"query_id": "q0000", "model": "mini"}], "says nothing about 399 of 400 queries"),
        ([{"query_id": "q0000", "mood": "good"}], "it needs query_id or query, and model or score or both"),
    ],
)
def test_choices_that_do_not_cover_the_data_are_refused(rows: list[dict[str, object]], message: str, tmp_path: Path) -> None:
    table = read_with_text(tmp_path)
    path = write_csv(tmp_path / "choices.csv", rows)
    with pytest.raises(EvaluationFailure, match=message):
        asked(GivenRouter(path), table)


def test_a_router_that_is_not_known_is_named_with_those_that_are() -> None:
    with pytest.raises(EvaluationFailure, match="no router is called oracle: choose from random, prompt_length, task_mean"):
        routers(["oracle"])


def test_tier_labels_are_held_against_what_a_spec_decides(tmp_path: Path) -> None:
    labels = [
        {"prompt": "prove that it holds", "tier": "best"},
        {"prompt": "hello", "tier": "fast"},
        {"prompt": "Hi there!", "tier": "best"},
    ]
    found = evaluate(read([write_csv(tmp_path / "labels.csv", labels)], Reading(text=True)), [spec_router(tmp_path)], QUICK)
    confused = found.routers["spec"].confusion
    assert confused is not None and confused.source == "labels"
    assert (confused.counts, confused.under_routed) == (((1, 0), (1, 1)), pytest.approx(1 / 3))
    assert found.reference["oracle"].why["quality"] == "the data hold tier labels and no scores"


def test_without_labels_the_lowest_tier_that_reaches_the_best_score_is_needed(tmp_path: Path) -> None:
    found = evaluate(dataset(tmp_path, how=Reading(text=True, models=("mini", "opus"))), [spec_router(tmp_path)], QUICK)
    confused = found.routers["spec"].confusion
    assert confused is not None and confused.source == "scores" and sum(map(sum, confused.counts)) == 400
    assert tidy(tmp_path).exists()
