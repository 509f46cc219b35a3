"""`tierline evaluate`, run as a person and as continuous integration run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from evaluation.logged import RECORDS, written
from evaluation.worlds import Rows, spec, tidy, world, write_csv
from tierline.cli.app import build

GATE = "version: 1\nbars: []\n"


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(build(["evaluate"]), ["evaluate", "--resamples", "200", *map(str, words)])


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    return tidy(tmp_path)


def gate(folder: Path, text: str = GATE) -> Path:
    path = folder / "gates.yaml"
    path.write_text(text)
    return path


def good_choices(rows: Rows) -> list[dict[str, Any]]:
    """The planted good router: hard questions to opus, easy ones to mini."""
    tasks = {row["query_id"]: row["task"] for row in rows}
    return [{"query_id": query, "model": "opus" if task == "hard" else "mini"} for query, task in tasks.items()]


def shuffled(choices: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same choices, dealt out at random: as dear, and blind."""
    models = np.random.default_rng(5).permutation([choice["model"] for choice in choices])
    return [{"query_id": choice["query_id"], "model": str(model)} for choice, model in zip(choices, models, strict=True)]


# what it prints and writes


def test_it_prints_every_reference_row_and_the_headline(answers: Path, tmp_path: Path) -> None:
    done = run("--data", answers, "--spec", spec(tmp_path))
    assert done.exit_code == 0, done.output
    for word in (
        "best single",
        "zero router",
        "task mean",
        "oracle",
        "prompt_length",
        "beats the mix of its cost",
        "under-routed",
        "by task",
    ):
        assert word in done.output, word


def test_it_writes_the_document_and_the_same_seed_writes_it_again(answers: Path, tmp_path: Path) -> None:
    documents = []
    for name, seed in (("a.json", 1), ("b.json", 1), ("c.json", 2)):
        assert run("--data", answers, "--cross-validate", 4, "--seed", seed, "--json", tmp_path / name).exit_code == 0
        documents.append((tmp_path / name).read_text())
    assert documents[0] == documents[1] != documents[2]
    found = json.loads(documents[0])
    assert (found["candidates"], found["settings"]["folds"]) == (["task_mean"], 4)
    assert found["routers"]["task_mean"]["advantage"]["low"] > 0


def test_several_files_stand_after_one_data_option(tmp_path: Path) -> None:
    rows = world(60)
    first, second = (write_csv(tmp_path / f"{name}.csv", part) for name, part in (("a", rows[:90]), ("b", rows[90:])))
    done = run("--data", first, second, "--models", "mini,opus", "--json", "-")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["data"]["files"], found["data"]["compared"], list(found["data"]["models"])) == (["a.csv", "b.csv"], 60, ["mini", "opus"])


def test_only_the_models_of_the_spec_are_compared_unless_others_are_named(answers: Path, tmp_path: Path) -> None:
    done = run("--data", answers, "--spec", spec(tmp_path), "--json", "-")
    found = json.loads(done.stdout)
    assert list(found["data"]["models"]) == ["mini", "opus"]
    assert any(finding["kind"] == "models_aside" for finding in found["data"]["findings"])


def test_a_model_without_costs_may_be_given_one(tmp_path: Path) -> None:
    path = tmp_path / "pair.csv"
    path.write_text("prompt,weak,strong\n" + "".join(f"What is {n}?,{n % 2},1\n" for n in range(60)))
    done = run("--data", path, "--cost", "weak=0.001", "--cost", "strong=0.02", "--json", "-")
    assert json.loads(done.stdout)["reference"]["best_single"]["cost"] == pytest.approx(0.02)


def test_a_decision_log_shows_what_was_and_what_its_cascade_did(tmp_path: Path) -> None:
    done = run("--data", written(tmp_path / "tierline.db", RECORDS), "--spec", spec(tmp_path))
    assert done.exit_code == 0, done.output
    assert "logged: 4 requests, 25.0% escalated, 25.0% fell back" in done.output
    assert "no quality: a log shows only the models that were asked" in done.output


def test_where_nothing_can_be_compared_no_empty_rows_are_shown(tmp_path: Path) -> None:
    log = run("--data", written(tmp_path / "tierline.db", RECORDS)).output
    labels = run("--data", write_csv(tmp_path / "labels.csv", [{"prompt": f"number {n}", "tier": "best"} for n in range(20)])).output
    assert "logged" in log and "tierline replay" in log and "oracle" not in log and "APGR" not in log
    assert "held against the labels" in labels and "quality" not in labels


def test_tier_labels_show_how_often_a_spec_goes_too_low(tmp_path: Path) -> None:
    labels = [{"prompt": f"prove number {n}", "tier": "best"} for n in range(20)] + [
        {"prompt": f"hi, {n}", "tier": "best"} for n in range(5)
    ]
    done = run("--data", write_csv(tmp_path / "labels.csv", labels), "--spec", spec(tmp_path))
    assert done.exit_code == 0, done.output
    assert "tiers against labels: 80.0% right, 20.0% under-routed, 0.0% over-routed" in done.output


# what it refuses


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--scorer", "s.tl"], "the scorer s.tl cannot be read"),
        (["--models", "gpt"], "the data have no model gpt"),
        (["--router", "oracle"], "no router is called oracle"),
        (["--cost", "mini"], "write MODEL=USD"),
        (["--choices", "nowhere.csv"], "there is no such file"),
        (["--spec", "nowhere.yaml"], "nowhere.yaml"),
        (["--gate", "nowhere.yaml"], "nowhere.yaml"),
    ],
)
def test_what_it_cannot_do_it_says_with_exit_code_2(words: list[str], message: str, answers: Path) -> None:
    done = run("--data", answers, *words)
    assert done.exit_code == 2
    assert message in done.output


def test_a_file_that_is_empty_or_not_there_is_exit_code_2(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").touch()
    for name, message in (("empty.csv", "is empty"), ("gone.csv", "there is no file")):
        done = run("--data", tmp_path / name)
        assert (done.exit_code, message in done.output) == (2, True), done.output


def test_without_the_extra_it_says_what_to_install(answers: Path, tmp_path: Path) -> None:
    (tmp_path / "blocked").mkdir()
    (tmp_path / "blocked" / "numpy.py").write_text("raise ModuleNotFoundError(\"No module named 'numpy'\", name='numpy')\n")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "blocked")}
    command = [sys.executable, "-m", "tierline", "evaluate", "--data", str(answers)]
    done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
    assert done.returncode == 2
    assert "pip install 'tierline[analysis]'" in done.stderr
    helped = subprocess.run([sys.executable, "-m", "tierline", "--help"], check=False, env=environment, capture_output=True, text=True)
    assert helped.returncode == 0 and "serve" in helped.stdout


# the gate


def test_a_planted_good_router_passes_and_the_same_one_shuffled_is_rejected(answers: Path, tmp_path: Path) -> None:
    choices = good_choices(world())
    for name, told, code in (("good", choices, 0), ("shuffled", shuffled(choices), 1)):
        path = write_csv(tmp_path / f"{name}.csv", told)
        done = run("--data", answers, "--models", "mini,opus", "--choices", path, "--gate", gate(tmp_path))
        assert done.exit_code == code, done.output
        assert ("missed: routers.choices.advantage.low" in done.output) == (code == 1)
        assert "of 1 bars are met" in done.output


def test_a_good_spec_passes_and_a_spec_that_always_takes_one_model_does_not(answers: Path, tmp_path: Path) -> None:
    assert run("--data", answers, "--spec", spec(tmp_path), "--gate", gate(tmp_path)).exit_code == 0
    blind = spec(tmp_path).read_text().replace("keywords: [prove]", "keywords: [question]")
    spec(tmp_path, blind)
    assert run("--data", answers, "--spec", spec(tmp_path, blind), "--gate", gate(tmp_path)).exit_code == 1


def test_random_scores_are_rejected_whatever_the_seed(answers: Path, tmp_path: Path) -> None:
    codes = [run("--data", answers, "--router", "random", "--gate", gate(tmp_path), "--seed", seed).exit_code for seed in range(5)]
    assert codes == [1] * 5


BARS = """
version: 1
bars:
  - {figure: quality, min: 0.5, why: a bar that is met}
  - {figure: slices.task.*.quality.value, min: 0.93, why: every task}
  - {figure: flip_rate, max: 0.1}
  - {figure: qualty, min: 0.5}
  - {figure: reference.oracle.quality, above: 0.99, max: 1}
"""


def test_every_missed_bar_is_named_with_what_it_is_and_what_was_wanted(answers: Path, tmp_path: Path) -> None:
    done = run("--data", answers, "--spec", spec(tmp_path), "--gate", gate(tmp_path, BARS))
    assert done.exit_code == 1
    missed = [line.removeprefix("missed: ") for line in done.output.splitlines() if line.startswith("missed: ")]
    assert missed[0].startswith("routers.spec.slices.task.hard.quality.value: 0.8") and missed[0].endswith("wanted ≥ 0.93 (every task)")
    assert missed[1] == "routers.spec.flip_rate: robustness was not asked for (--robust), wanted ≤ 0.1"
    assert missed[2] == "routers.spec.qualty: there is no such figure, wanted ≥ 0.5"
    assert missed[3].startswith("reference.oracle.quality: 0.9") and missed[3].endswith("wanted ≤ 1 and > 0.99")
    assert "gate missed: 3 of 7 bars are met" in done.output


def test_the_verdict_as_json(answers: Path, tmp_path: Path) -> None:
    done = run("--data", answers, "--spec", spec(tmp_path), "--gate", gate(tmp_path, BARS), "--format", "json")
    found = json.loads(done.stdout)
    assert (done.exit_code, found["passed"], found["candidates"]) == (1, False, ["spec"])
    assert [check["met"] for check in found["checks"]] == [True, True, True, False, False, False, False]


def test_the_verdict_as_junit(answers: Path, tmp_path: Path) -> None:
    done = run("--data", answers, "--spec", spec(tmp_path), "--gate", gate(tmp_path, BARS), "--format", "junit")
    suite = ElementTree.fromstring(done.stdout.encode())
    assert (suite.get("tests"), suite.get("failures")) == ("7", "4")
    assert [case.find("failure") is None for case in suite.iter("testcase")] == [True, True, True, False, False, False, False]


def test_the_verdict_as_markdown(answers: Path, tmp_path: Path) -> None:
    done = run("--data", answers, "--spec", spec(tmp_path), "--gate", gate(tmp_path, BARS), "--format", "markdown")
    lines = done.stdout.splitlines()
    assert lines[0] == "### gate missed: `spec`"
    assert [line[:5] for line in lines if line.startswith(("| ❌", "| ✅"))] == ["| ❌ |"] * 4 + ["| ✅ |"] * 3


def test_the_built_in_bar_can_be_waived_and_is_said_to_be(answers: Path, tmp_path: Path) -> None:
    waived = gate(tmp_path, "version: 1\nbeat_the_mix: false\nbars: [{figure: quality, min: 0.1}]\n")
    for form in ("text", "markdown", "junit"):
        done = run("--data", answers, "--router", "random", "--gate", waived, "--format", form)
        assert done.exit_code == 0 and "waives the built-in bar" in done.output
    assert json.loads(run("--data", answers, "--router", "random", "--gate", waived, "--format", "json").stdout)["waived"] is True


def test_the_verdict_stands_aside_when_the_document_has_standard_output(answers: Path, tmp_path: Path) -> None:
    done = run("--data", answers, "--router", "random", "--gate", gate(tmp_path), "--json", "-")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["candidates"] == ["random"] and "gate missed" in done.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("bars: [{figure: quality}]", "needs min, max or above"),
        ("bars: [{figure: quality, mni: 1}]", "mni"),
        ("version: 2", "version 2 is not known"),
        ("bars: [", "is no gate"),
    ],
)
def test_a_bad_gate_says_what_is_wrong_with_it(text: str, message: str, answers: Path, tmp_path: Path) -> None:
    done = run("--data", answers, "--router", "random", "--gate", gate(tmp_path, text))
    assert (done.exit_code, message in done.output) == (2, True), done.output


def test_a_gate_with_nobody_to_judge_does_not_pass(answers: Path, tmp_path: Path) -> None:
    done = run("--data", answers, "--gate", gate(tmp_path))
    assert done.exit_code == 2 and "nobody to judge" in done.output
