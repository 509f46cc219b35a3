"""Every layout of the same answers gives the same table."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pytest

from evaluation.worlds import MODELS, Rows, tidy, world, write_csv, write_jsonl
from tierline.evaluation.datasets import COMPLETE, Reading, read
from tierline.types.errors import EvaluationFailure

ROWS = world(30)


def by_query(rows: Rows) -> list[Rows]:
    return [rows[start : start + len(MODELS)] for start in range(0, len(rows), len(MODELS))]


def parquet(folder: Path) -> Path:
    path = folder / "answers.parquet"
    with duckdb.connect() as database:
        database.read_json(str(tidy(folder, ROWS))).write_parquet(str(path))
    return path


def json_array(folder: Path) -> Path:
    path = folder / "answers.json"
    path.write_text(json.dumps(ROWS))
    return path


def other_names(folder: Path) -> Path:
    names = {"query_id": "sample_id", "query": "prompt", "task": "subject", "model": "model_name", "score": "accuracy", "cost_usd": "Cost"}
    return write_jsonl(folder / "answers.jsonl", [{names[name]: value for name, value in row.items()} for row in ROWS])


def routerbench(folder: Path) -> Path:
    wide = [
        {"sample_id": rows[0]["query_id"], "prompt": rows[0]["query"], "eval_name": rows[0]["task"], "oracle_model_to_route_to": "mini"}
        | {row["model"]: row["score"] for row in rows}
        | {f"{row['model']}|model_response": "an answer" for row in rows}
        | {f"{row['model']}|total_cost": row["cost_usd"] for row in rows}
        for rows in by_query(ROWS)
    ]
    return write_csv(folder / "routerbench_0shot.csv", wide)


def suffixes(folder: Path) -> Path:
    wide = [
        {"query_id": rows[0]["query_id"], "query": rows[0]["query"], "task": rows[0]["task"]}
        | {f"{row['model']}_score": row["score"] for row in rows}
        | {f"{row['model']}_cost": row["cost_usd"] for row in rows}
        for rows in by_query(ROWS)
    ]
    return write_jsonl(folder / "wide.jsonl", wide)


LAYOUTS = [parquet, json_array, other_names, routerbench, suffixes, lambda folder: write_csv(folder / "answers.csv", ROWS)]


@pytest.mark.parametrize("write", LAYOUTS, ids=["parquet", "json", "other names", "routerbench", "suffixes", "csv"])
def test_a_layout_reads_as_the_tidy_form_does(write: Callable[[Path], Path], tmp_path: Path) -> None:
    plain = read([tidy(tmp_path, ROWS)], Reading(text=True)).table
    found = read([write(tmp_path)], Reading(text=True)).table
    assert found.models == plain.models
    assert (found.query, found.task, found.text) == (plain.query, plain.task, plain.text)
    np.testing.assert_array_equal(found.score, plain.score)
    np.testing.assert_allclose(found.cost, plain.cost)


def test_routellms_layout_has_right_and_wrong_and_no_costs(tmp_path: Path) -> None:
    lines = ["prompt,mistralai/Mixtral-8x7B-Instruct-v0.1,gpt-4-1106-preview", "What?,False,True", "Why?,True,True", "What?,True,False"]
    path = tmp_path / "mmlu_anatomy.csv"
    path.write_text("\n".join(lines) + "\n")
    found = read([path])
    assert found.table.models == ("gpt-4-1106-preview", "mistralai/Mixtral-8x7B-Instruct-v0.1")
    assert found.table.score.tolist() == [[1, 0], [1, 1], [0, 1]]
    assert not found.table.has_costs
    assert found.table.group is not None and found.table.group[0] == found.table.group[2]


def test_costs_may_be_told_for_models_that_have_none(tmp_path: Path) -> None:
    path = tmp_path / "pair.csv"
    path.write_text("prompt,weak,strong\nWhat?,0,1\nWhy?,1,1\n")
    found = read([path], Reading(costs={"weak": 0.001, "strong": 0.02}))
    assert found.table.cost.tolist() == [[0.02, 0.001]] * 2
    with pytest.raises(EvaluationFailure, match="--cost names other"):
        read([path], Reading(costs={"other": 1.0}))


def test_promptfoos_results_are_cells_and_a_failed_call_is_none(tmp_path: Path) -> None:
    def result(test: int, provider: str, score: float, **more: object) -> dict[str, object]:
        return {
            "provider": {"id": f"openai:{provider}", "label": provider},
            "prompt": {"raw": f"Say {test}", "label": "Say {{n}}"},
            "vars": {"n": test},
            "success": score > 0.5,
            "score": score,
            "cost": 0.001,
            "latencyMs": 500,
            "testIdx": test,
            "promptIdx": 0,
            "response": {"output": "…", "tokenUsage": {"prompt": 5, "completion": 7, "total": 12}},
        } | more

    results = [result(test, provider, 1.0 if test else 0.25) for test in range(3) for provider in ("mini", "opus")]
    results.append(result(3, "mini", 1.0))
    results.append(result(3, "opus", 0.0, error="timeout", failureReason=2, response=None))
    path = tmp_path / "results.json"
    path.write_text(json.dumps({"evalId": "e", "results": {"version": 3, "results": results, "stats": {}}, "config": {}}))
    found = read([path])
    assert found.table.score[:3].tolist() == [[0.25, 0.25], [1, 1], [1, 1]]
    assert np.isnan(found.table.score[3, 1])
    assert found.table.latency is not None and found.table.latency[0, 0] == 0.5
    assert {"failed_calls", "missing_cells"} <= {finding.kind for finding in found.findings}


def test_openai_evals_records_are_a_model_each(tmp_path: Path) -> None:
    paths = []
    for model, right in (("gpt-small", [True, False]), ("gpt-large", [True, True])):
        events: list[dict[str, object]] = [{"spec": {"completion_fns": [model], "base_eval": "sums", "eval_name": "sums.test.v0"}}]
        for number, correct in enumerate(right):
            sample = f"sums.{number}"
            prompt = [{"role": "system", "content": "Add."}, {"role": "user", "content": f"{number} + 1"}]
            events.append({"run_id": "r", "sample_id": sample, "type": "sampling", "data": {"prompt": prompt, "sampled": ["1"]}})
            events.append({"run_id": "r", "sample_id": sample, "type": "match", "data": {"correct": correct, "expected": "1"}})
        events.append({"sample_id": "sums.9", "type": "sampling", "data": {"prompt": "9 + 1"}})
        events.append({"final_report": {"accuracy": 0.5}})
        paths.append(write_jsonl(tmp_path / f"{model}.jsonl", events))
    found = read(paths, Reading(text=True))
    assert found.table.models == ("gpt-large", "gpt-small")
    assert found.table.score.tolist() == [[1, 1], [1, 0]]
    assert (found.table.text, found.table.dataset) == (["0 + 1", "1 + 1"], ["sums", "sums"])
    assert sum(finding.kind == "ungraded" for finding in found.findings) == 2


def test_tier_labels_alone_are_queries_without_models(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "labels.csv", [{"prompt": "Hello", "tier": "fast"}, {"prompt": "Prove it", "tier": "best"}])
    found = read([path], Reading(text=True))
    assert found.table.models == () and not found.comparable
    assert sorted(zip(found.table.text or (), found.table.label or (), strict=True)) == [("Hello", "fast"), ("Prove it", "best")]


def test_several_files_are_one_table(tmp_path: Path) -> None:
    half = len(ROWS) // 2
    first, second = (write_jsonl(tmp_path / f"{name}.jsonl", part) for name, part in (("a", ROWS[:half]), ("b", ROWS[half:])))
    found = read([first, second]).table
    assert set(found.dataset) == {"a", "b"} and len(found.query) == len(ROWS) // len(MODELS)


def test_models_are_compared_in_the_order_asked_for(tmp_path: Path) -> None:
    assert read([tidy(tmp_path, ROWS)], Reading(models=("opus", "mini"))).table.models == ("opus", "mini")
    assert read([tidy(tmp_path, ROWS[:-1])], Reading(models=COMPLETE)).table.models == ("mini", "opus")
    with pytest.raises(EvaluationFailure, match="no model gpt; they have mini, opus, waste"):
        read([tidy(tmp_path, ROWS)], Reading(models=("gpt",)))


def test_a_split_is_read_alone(tmp_path: Path) -> None:
    rows = [row | {"split": "test" if row["task"] == "hard" else "train"} for row in ROWS]
    assert set(read([tidy(tmp_path, rows)], Reading(split="test")).table.task) == {"hard"}
