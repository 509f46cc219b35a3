"""`tierline evaluate --html --robust --pairs --drill`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tierline.cli.app import build

SPEC = """
version: 1
providers: {desk: {kind: scripted}}
models:
  small: {provider: desk, tier: fast, price: {input: 0.1, output: 0.4}}
  large: {provider: desk, tier: best, price: {input: 3, output: 15}}
tiers: [fast, best]
tasks:
  legal: {why: A test., match: {keywords: [contract]}, quality_bar: 0.9, models: [large, small], quality: {small: 0.1, large: 0.95}}
  desk: {why: A test., match: {keywords: [order]}, quality_bar: 0.5, models: [small, large], quality: {small: 0.9, large: 0.95}}
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Forty queries: the small model knows orders, and nothing of contracts."""
    (tmp_path / "spec.yaml").write_text(SPEC)
    rows = [(n, "contract" if n % 4 == 0 else "order", model) for n in range(40) for model in ("small", "large")]
    lines = [
        {
            "query_id": f"q{n}",
            "query": f"Tell me about the {word} number {n}",
            "task": word,
            "model": model,
            "score": float(model == "large" or word == "order"),
            "cost_usd": 0.001 if model == "small" else 0.02,
        }
        for n, word, model in rows
    ]
    (tmp_path / "table.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def evaluate(*words: str) -> Result:
    runner = CliRunner(env={"COLUMNS": "200"})
    return runner.invoke(build(["evaluate", "version"]), ["evaluate", "--data", "table.jsonl", "--resamples", "100", *words])


def document(home: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((home / "out.json").read_text())
    return found


def test_the_report_and_the_document_say_the_same(home: Path) -> None:
    done = evaluate("--spec", "spec.yaml", "--html", "out.html", "--json", "out.json")
    assert done.exit_code == 0, done.output
    page = (home / "out.html").read_text()
    quality = document(home)["routers"]["spec"]["quality"]
    assert f"{quality * 100:.1f}\N{NO-BREAK SPACE}%" in page
    assert page.startswith("<!doctype html>") and "http://" not in page and "https://" not in page


def test_a_router_by_keywords_is_not_moved_by_case_but_by_typos(home: Path) -> None:
    assert evaluate("--spec", "spec.yaml", "--robust", "--json", "out.json").exit_code == 0
    row = document(home)["routers"]["spec"]
    kinds = row["robustness"]["kinds"]
    assert kinds["case"]["flips"] == 0
    assert 0 < kinds["typos"]["flips"] < 40
    assert row["flip_rate"] == pytest.approx(sum(kind["flips"] for kind in kinds.values()) / 200)
    assert "flip_rate" not in row["why"]


def test_the_terminal_shows_what_was_tried(home: Path) -> None:
    said = " ".join(evaluate("--spec", "spec.yaml", "--robust", "--drill").output.split())
    assert "spec in other words" in said
    assert "each task with its primary down" in said and "(below its bar)" in said


def test_the_same_seed_flips_the_same_prompts(home: Path) -> None:
    def flips() -> Any:
        evaluate("--spec", "spec.yaml", "--robust", "--seed", "3", "--json", "out.json")
        return document(home)["routers"]["spec"]["robustness"]

    assert flips() == flips()


def test_a_teams_own_rewordings_are_used_instead(home: Path) -> None:
    swapped = {"query_id": "q0", "perturbed": "Tell me about the order", "kind": "swapped"}
    short = {"query_id": "q1", "perturbed": "order?", "kind": "short"}
    (home / "pairs.jsonl").write_text("".join(json.dumps(pair) + "\n" for pair in (swapped, short)))
    assert evaluate("--spec", "spec.yaml", "--pairs", "pairs.jsonl", "--json", "out.json").exit_code == 0
    kinds = document(home)["routers"]["spec"]["robustness"]["kinds"]
    assert {kind: told["flips"] for kind, told in kinds.items()} == {"swapped": 1, "short": 0}
    assert kinds["swapped"]["quality_lost"] == 1.0, "the small model knows nothing of contracts"


def test_a_router_that_only_scores_is_cut_at_its_median(home: Path) -> None:
    assert evaluate("--router", "prompt_length", "--robust", "--json", "out.json").exit_code == 0
    kinds = document(home)["routers"]["prompt_length"]["robustness"]["kinds"]
    assert kinds["case"]["flips"] == 0, "as many words as before"
    assert kinds["boilerplate"]["flips"] > 0


def test_the_drill_says_who_steps_in_and_what_is_lost(home: Path) -> None:
    assert evaluate("--spec", "spec.yaml", "--drill", "--json", "out.json", "--html", "out.html").exit_code == 0
    legal, desk = document(home)["drill"]["tasks"]
    assert (legal["task"], legal["primary"], legal["instead"], legal["quality_lost"]) == ("legal", "large", {"small": 1.0}, 1.0)
    assert (desk["task"], desk["primary"], desk["instead"], desk["quality_lost"]) == ("desk", "small", {"large": 1.0}, 0.0)
    assert "Below their quality bar without the primary: legal." in (home / "out.html").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--drill"], "give --spec"),
        (["--robust"], "--robust needs a router"),
        (["--spec", "spec.yaml", "--pairs", "none.jsonl"], "there is no file"),
    ],
)
def test_what_cannot_be_tried_is_told_so(home: Path, words: list[str], said: str) -> None:
    done = evaluate(*words)
    assert done.exit_code == 2
    assert said in done.output
