"""What is wrong with the data is said, with what was done about it; nothing is guessed over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evaluation.worlds import dataset, kinds, tidy, world, write_csv, write_jsonl
from tierline.evaluation.datasets import COMPLETE, Reading, read
from tierline.types.errors import EvaluationFailure


def changed(place: int, **values: Any) -> list[dict[str, Any]]:
    rows = world(120)
    rows[place] |= values
    return rows


def test_clean_data_have_nothing_to_say(tmp_path: Path) -> None:
    assert kinds(dataset(tmp_path, world(120))) == {}


def test_a_cell_measured_twice_counts_once_with_its_mean(tmp_path: Path) -> None:
    rows = world(120)
    rows[0] |= {"score": 1.0}
    found = dataset(tmp_path, [*rows, rows[0] | {"score": 0.0}])
    assert found.table.score[0, 0] == 0.5
    assert kinds(found)["duplicates"].startswith("1 cells were measured more than once (1 with different scores)")


def test_one_id_with_two_texts_is_told(tmp_path: Path) -> None:
    assert "1 query ids stand for different texts" in kinds(dataset(tmp_path, changed(0, query="Something else")))["one_id_many_texts"]


def test_the_same_text_in_two_data_sets_is_leakage(tmp_path: Path) -> None:
    rows = world(120)
    first, second = write_jsonl(tmp_path / "train.jsonl", rows), write_jsonl(tmp_path / "test.jsonl", rows[:30])
    found = read([first, second])
    assert "20 queries recur, word for word, in several data sets" in kinds(found)["same_text_across_datasets"]
    assert found.table.group is not None and len(set(found.table.group.tolist())) == 120


def test_the_same_text_in_two_splits_is_leakage_whatever_its_case_and_spaces(tmp_path: Path) -> None:
    rows = [row | {"split": "train"} for row in world(120)]
    rows += [row | {"split": "test", "query_id": "again", "query": f"  {row['query'].upper()} "} for row in rows[:3]]
    assert "2 queries recur, word for word, in several splits" in kinds(dataset(tmp_path, rows))["same_text_across_splits"]


def test_missing_cells_leave_their_queries_out(tmp_path: Path) -> None:
    found = dataset(tmp_path, world(120)[:-1])
    assert int(found.table.complete.sum()) == 119
    assert "1 of 360 cells are empty: figures are over the 119 of 120 queries" in kinds(found)["missing_cells"]


@pytest.mark.parametrize("score", [None, float("nan")])
def test_a_score_that_is_none_leaves_its_cell_empty(tmp_path: Path, score: float | None) -> None:
    rows = changed(0, score=score)
    found = read([write_csv(tmp_path / "answers.csv", rows)])
    assert np.isnan(found.table.score[0, 0]) and "1 rows have no score" in kinds(found)["no_score"]


def test_a_cost_that_is_no_number_leaves_its_query_out(tmp_path: Path) -> None:
    found = read([write_csv(tmp_path / "answers.csv", changed(0, cost_usd=float("nan")))])
    assert "1 rows have no cost" in kinds(found)["no_cost"] and int(found.table.complete.sum()) == 119


def test_without_any_cost_it_says_what_will_not_be_there(tmp_path: Path) -> None:
    found = dataset(tmp_path, [{name: value for name, value in row.items() if name != "cost_usd"} for row in world(120)])
    assert "no row has a cost" in kinds(found)["no_costs"] and not found.table.has_costs and found.table.complete.all()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([row | {"score": row["score"] * 100} for row in world(20)], "they look like percent: give --score-scale 100"),
        (changed(0, score=-0.5), "scores must lie between 0 and 1, but some do not \\(mini on answers: -0.5 to -0.5\\)"),
        (changed(0, cost_usd=-1.0), "1 costs are negative"),
        ([{**row, "score": None} for row in world(20)], "nothing was measured"),
        ([{"question": "What?", "answer": "That."}], "its columns \\(question, answer\\) are none of the known layouts"),
        ([row for row in world(20) if (row["task"] == "hard") != (row["model"] == "opus")], "no query was measured .* on all 3 models"),
    ],
    ids=["percent", "negative score", "negative cost", "no scores", "unknown columns", "no query complete"],
)
def test_what_cannot_be_measured_with_is_refused_and_says_why(rows: list[dict[str, Any]], message: str, tmp_path: Path) -> None:
    with pytest.raises(EvaluationFailure, match=message):
        dataset(tmp_path, rows)


def test_percent_can_be_scaled(tmp_path: Path) -> None:
    rows = [row | {"score": row["score"] * 100} for row in world(20)]
    assert set(dataset(tmp_path, rows, Reading(score_scale=100)).table.score.ravel().tolist()) == {0.0, 1.0}


def test_the_models_that_were_measured_everywhere_are_named(tmp_path: Path) -> None:
    rows = [row for row in world(20) if row["model"] != ("waste" if row["task"] == "hard" else "opus")]
    with pytest.raises(EvaluationFailure, match="measured on every query: mini \\(--models complete\\)"):
        dataset(tmp_path, rows)
    assert dataset(tmp_path, rows, Reading(models=COMPLETE)).table.models == ("mini",)


def test_a_model_without_costs_among_others_is_named_with_what_to_do(tmp_path: Path) -> None:
    rows = [row | {"cost_usd": None if row["model"] == "waste" else row["cost_usd"]} for row in world(20)]
    with pytest.raises(EvaluationFailure, match="without any cost: waste \\(--cost MODEL=USD\\)"):
        dataset(tmp_path, rows)
    assert dataset(tmp_path, rows, Reading(costs={"waste": 0.1})).table.complete.all()


def test_a_file_a_model_is_not_taken_for_one_data_set(tmp_path: Path) -> None:
    files = [write_jsonl(tmp_path / f"{m}.jsonl", [row for row in world(20) if row["model"] == m]) for m in ("mini", "opus")]
    with pytest.raises(EvaluationFailure, match="each file is a data set of its own unless its column `dataset` says otherwise"):
        read(files)
    named = [write_jsonl(path, [row | {"dataset": "ours"} for row in world(20) if row["model"] == path.stem]) for path in files]
    assert read(named).table.complete.all()


def test_few_queries_one_model_and_constant_scores_are_told(tmp_path: Path) -> None:
    found = kinds(dataset(tmp_path, [row | {"score": 1.0} for row in world(10, models=("mini",))]))
    assert found["few_queries"] == "only 10 queries can be compared: intervals are wide"
    assert "mini is the only model" in found["one_model"]
    assert found["constant_scores"].startswith("every score is 1")


def test_columns_that_are_not_used_are_named(tmp_path: Path) -> None:
    found = dataset(tmp_path, [row | {"mood": "good", "response": "42"} for row in world(120)])
    assert kinds(found)["unknown_columns"] == "answers.jsonl: columns that are not used: mood"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", "", "is empty"),
        ("a.csv", "query,model,score\n", "no rows"),
        ("a.parquet", "no parquet", "a.parquet cannot be read"),
        ("a.xlsx", "x", "ends in .xlsx is not known"),
        ("a.json", '{"results": [{"provider": 3}]}', "not promptfoo's results"),
    ],
)
def test_a_file_that_is_none_says_so(name: str, content: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(EvaluationFailure, match=message):
        read([path])


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(EvaluationFailure, match="there is no file"):
        read([tmp_path / "gone.parquet"])


def test_no_finding_quotes_a_prompt(tmp_path: Path) -> None:
    rows = world(120)
    found = dataset(tmp_path, [*rows, *rows, rows[0] | {"query": "another"}])
    assert len(found.findings) > 1 and all("Question" not in str(finding) for finding in found.findings)
    assert tidy(tmp_path).exists()


def test_scores_that_a_judge_gave_are_told_of(tmp_path: Path) -> None:
    rows = [row | {"grade": "judge" if number < 30 else "reference"} for number, row in enumerate(world(120))]
    assert "30 scores were given by a judge" in kinds(dataset(tmp_path, rows))["judged"]
