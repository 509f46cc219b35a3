"""`tierline propose` from a table and from a log: what it changes, what it certifies, and what it refuses."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tierline.cli.app import build
from tierline.config.load import load

SPEC = """\
# our routing; keep this line
version: 1
providers:
  fleet: {kind: scripted, script: {models: {mini: {ability: 0.5}, big: {ability: 0.99}}}}
models:
  mini: {provider: fleet, tier: fast, price: {input: 0.1, output: 0.4}}
  big: {provider: fleet, tier: best, price: {input: 5, output: 20}}
tasks:
  easy:                          # most of it
    why: A test.
    quality_bar: 0.9
    models: [big, mini]          # nobody had measured mini
    quality: {big: 0.97, mini: 0.6}
  hard: {why: A test., quality_bar: 0.9, models: [big, mini], quality: {big: 0.97, mini: 0.4}}
routes:
  auto: {}
"""


def table(path: Path, easy: float, rows: int = 400) -> Path:
    """Answers of two models: mini is good enough on `easy` so often, on `hard` in 40 of a hundred; big nearly always."""
    dice = random.Random(7)
    lines = ["query_id,task,prompt,model,score,cost_usd"]
    for number in range(rows):
        task = "easy" if number % 4 else "hard"
        for model, chance, cost in (("mini", easy if task == "easy" else 0.4, 0.0001), ("big", 0.97, 0.005)):
            good = int(dice.random() < chance)
            lines.append(f"q{number},{task},Question {number} of {task},{model},{good},{cost * (1 + dice.random())}")
    path.write_text("\n".join(lines) + "\n")
    return path


def propose(folder: Path, *words: str) -> Result:
    command = ["propose", "--spec", str(folder / "tierline.yaml"), "--out", str(folder / "candidate.yaml"), *words]
    return CliRunner().invoke(build(["propose"]), command)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tierline.yaml").write_text(SPEC)
    return tmp_path


def certified(folder: Path) -> Any:
    return json.loads((folder / "candidate.certificate.json").read_text())


def test_a_cheaper_model_that_clears_the_bar_is_proposed_and_certified(folder: Path) -> None:
    found = propose(folder, "--data", str(table(folder / "answers.csv", 0.97)), "--margin", "0.05")
    assert found.exit_code == 0, found.output
    candidate = load(folder / "candidate.yaml")
    assert candidate.spec.tasks["easy"].models == ["mini", "big"]
    assert candidate.spec.tasks["hard"].models == ["big", "mini"], "mini misses the bar there"
    assert 0.9 < candidate.spec.tasks["easy"].quality["mini"] < 1.0
    given = certified(folder)
    assert given["candidate"] == candidate.fingerprint and given["before"] == load(folder / "tierline.yaml").fingerprint
    assert given["basis"] == "cheaper" and given["cost"]["high"] < 0 and given["quality"]["low"] >= -given["margin"]
    assert given["regret"] is not None and given["worst"] and given["data"][0]["file"] == "answers.csv"
    assert "tasks.easy.models" in found.output and "+    models: [mini, big]" in found.output


def test_comments_and_what_is_not_changed_stay_as_they_are(folder: Path) -> None:
    propose(folder, "--data", str(table(folder / "answers.csv", 0.97)))
    text = (folder / "candidate.yaml").read_text()
    for kept in ("# our routing; keep this line", "# most of it", "# nobody had measured mini"):
        assert kept in text
    changed = [line for line in text.splitlines() if line not in SPEC.splitlines() and not line.startswith("#")]
    assert len(changed) == 2, changed
    assert text.startswith("# proposed by tierline propose on ") and "tasks.easy.quality.mini: 0.6 → 0.9" in text


def test_where_the_spec_is_right_nothing_is_proposed(folder: Path) -> None:
    data = str(table(folder / "answers.csv", 0.97))
    propose(folder, "--data", data)
    (folder / "tierline.yaml").write_text((folder / "candidate.yaml").read_text())
    (folder / "candidate.yaml").unlink()
    again = propose(folder, "--data", data)
    assert again.exit_code == 1 and "nothing is proposed" in again.output
    assert not (folder / "candidate.yaml").exists()


def test_a_change_that_is_not_shown_to_help_is_refused_its_certificate(folder: Path) -> None:
    """Half of 200 rows say that mini is not what the spec says; the other half cannot say that quality holds."""
    found = propose(folder, "--data", str(table(folder / "answers.csv", 0.9, rows=200)), "--margin", "0.001")
    assert found.exit_code == 1, found.output
    assert certified(folder)["basis"] == "none" and "certificate refused" in found.output


def test_without_evidence_it_says_what_to_give(folder: Path) -> None:
    found = propose(folder)
    assert found.exit_code == 2 and "--log, --data or both" in found.output
