"""`tierline collect`, through the gateway, on scripted and recorded models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tierline.cli.app import build
from tierline.evaluation.collect.journal import Journal

FLEET = """
version: 1
providers:
  desk:
    kind: scripted
    script:
      latency: none
      answers: {France: Paris, "6 × 7": "42"}
      difficulty: {France: 0.2, "6 × 7": 0.7, "": 0.1}
      models:
        small: {ability: 0.5, noise: 0, output: 20}
        large: {ability: 0.9, noise: 0, output: 40}
        locked: {fail: {kind: auth}}
  tape: {kind: recorded, table: tape.csv}
models:
  small: {provider: desk, tier: fast, price: {input: 0.1, output: 0.4}}
  large: {provider: desk, tier: best, price: {input: 3, output: 15}}
  locked: {provider: desk, tier: best, price: {input: 3, output: 15}}
  taped: {provider: tape, tier: fast, price: {input: 1, output: 1}}
  unpriced: {provider: desk, model: small, tier: fast}
tasks:
  short: {why: A test., validate: [{max_chars: 120}]}
routes:
  auto: {rules: [{when: "true", use: [large], why: the production spec sends everything there}], task: short}
"""
PROMPTS = [
    {"id": "p1", "prompt": "What is the capital of France?", "reference": "Paris", "task": "short"},
    {"id": "p2", "prompt": "What is 6 × 7?", "reference": 42, "task": "sums"},
]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "tape.csv").write_text("query,model,response,input_tokens,output_tokens\nWhat is 6 × 7?,taped,Answer: 42,11,5\n")
    (tmp_path / "tierline.yaml").write_text(FLEET)
    (tmp_path / "prompts.jsonl").write_text("".join(json.dumps(prompt) + "\n" for prompt in PROMPTS))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def collect(*words: str, grade: str = "reference", models: str = "small,large", budget: str = "1", out: str = "table.jsonl") -> Result:
    command = ["collect", "--prompts", "prompts.jsonl", "--models", models, "--grade", grade, "--budget", budget, "--out", out, *words]
    return CliRunner().invoke(build(["collect", "version"]), command)


def table(home: Path) -> dict[tuple[str, str], dict[str, Any]]:
    rows = [json.loads(line) for line in (home / "table.jsonl").read_text().splitlines()]
    return {(row["query_id"], row["model"]): row for row in rows}


def test_the_table_says_who_was_right_at_what_cost(home: Path) -> None:
    done = collect("--json")
    assert done.exit_code == 0, done.output
    rows = table(home)
    assert {cell: row["score"] for cell, row in rows.items()} == {
        ("p1", "small"): 1.0,
        ("p1", "large"): 1.0,
        ("p2", "small"): 0.0,
        ("p2", "large"): 1.0,
    }
    assert all(row["response"] and row["output_tokens"] and row["latency"] >= 0 for row in rows.values())
    assert rows["p1", "large"]["cost_usd"] > rows["p1", "small"]["cost_usd"] > 0
    assert json.loads(done.stdout)["spent"] == pytest.approx(sum(row["cost_usd"] for row in rows.values()))


def test_every_model_is_asked_itself_whatever_the_spec_would_route(home: Path) -> None:
    collect()
    answers = Journal(home / "table.jsonl.journal").answers
    assert {(line.model, json.loads(line.body)["model"]) for line in answers.values()} == {("small", "small"), ("large", "large")}


def test_nothing_is_written_to_the_decision_log_of_production(home: Path) -> None:
    collect()
    there = {path.name for path in home.iterdir()}
    assert there == {"prompts.jsonl", "table.jsonl", "table.jsonl.journal", "tape.csv", "tierline.yaml"}


def test_a_journal_is_gone_on_with_only_when_told_so(home: Path) -> None:
    collect(models="small")
    refused = collect()
    assert refused.exit_code == 2 and "--resume" in refused.output
    again = collect("--resume", "--json")
    assert json.loads(again.stdout)["called"] == 2, "only the cells of large were missing"
    assert len(table(home)) == 4


def test_a_model_whose_upstream_changed_is_run_again(home: Path) -> None:
    collect()
    (home / "tierline.yaml").write_text(FLEET.replace("large: {provider: desk, tier", "large: {provider: desk, model: small, tier"))
    again = collect("--resume", "--json")
    assert json.loads(again.stdout)["called"] == 2
    assert table(home)["p2", "large"]["score"] == 0.0


def test_validators_of_the_task_grade_what_came(home: Path) -> None:
    done = collect(grade="validators")
    assert done.exit_code == 0, done.output
    rows = table(home)
    assert rows["p1", "small"]["score"] == 1.0
    assert rows["p1", "large"]["score"] == 0.0 and "short/max_chars" in rows["p1", "large"]["grade_detail"]
    assert rows["p2", "small"]["score"] is None, "its task has no validators"


def test_a_judge_grades_what_came(home: Path) -> None:
    done = collect("--judge", "large", grade="judge", models="small")
    assert done.exit_code == 0, done.output
    rows = table(home)
    assert all(row["score"] == 0.15 and row["grade_cost_usd"] > 0 for row in rows.values()), "what a scripted judge always says"


def test_recorded_models_are_run_like_any_other(home: Path) -> None:
    done = collect(models="taped")
    rows = table(home)
    assert (rows["p2", "taped"]["score"], rows["p2", "taped"]["input_tokens"]) == (1.0, 11)
    assert done.exit_code == 1 and rows["p1", "taped"]["error"], "what was not recorded has no answer, and the command says so"


def test_a_model_that_refuses_to_be_signed_in_to_is_given_up(home: Path) -> None:
    done = collect(models="small,locked")
    assert done.exit_code == 1
    assert "locked was given up" in done.output
    assert table(home)["p2", "small"]["score"] == 0.0


def test_a_dry_run_says_what_it_would_cost_and_calls_nobody(home: Path) -> None:
    done = collect("--dry-run", "--json", "--max-tokens", "100")
    told = json.loads(done.stdout)
    assert (told["calls"], told["output_tokens"]) == (4, 100)
    assert told["total"] == pytest.approx(sum(told["models"].values())) and told["models"]["large"] > 0.003
    assert not (home / "table.jsonl.journal").exists()


def test_the_table_may_be_parquet_and_csv(home: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    collect(out="table.parquet")
    collect(out="table.csv")
    for name in ("table.parquet", "table.csv"):
        with duckdb.connect() as database:
            found = database.execute(f"select count(*), sum(score), min(typeof(score)) from '{name}'").fetchone()
        assert found == (4, 3.0, "DOUBLE")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"models": "small,nobody"}, "'nobody' is not in the spec"),
        ({"models": "small,small"}, "named twice"),
        ({"models": "unpriced"}, "no budget could hold"),
        ({"models": ""}, "at least one model"),
        ({"grade": "judge"}, "--judge MODEL"),
        ({"out": "table.xlsx"}, "none of Parquet, CSV and JSONL"),
    ],
)
def test_what_cannot_be_run_is_told_before_anybody_is_called(home: Path, words: dict[str, str], said: str) -> None:
    done = collect(**words)  # type: ignore[arg-type]
    assert done.exit_code == 2
    assert said in done.output
    assert not list(home.glob("*.journal"))
