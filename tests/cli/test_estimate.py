"""`tierline estimate` and `tierline simulate --worksheet`, as a user runs them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from evaluation.estimate.specs import DESK
from tierline.cli.app import build


def tierline(*words: object) -> Result:
    return CliRunner().invoke(build([str(words[0])]), [str(word) for word in words])


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "tierline.yaml"
    path.write_text(DESK)
    return path


def test_it_prints_worksheet_policies_tasks_and_what_moves_them(spec: Path) -> None:
    done = tierline("estimate", "--spec", spec, "--draws", "50", "--volume", "50k/day")
    assert done.exit_code == 0, done.output
    for words in (
        "Worksheet of",
        "orders",
        "75\N{NO-BREAK SPACE}% ○",
        "Policies, 1,521,875 requests a month (config: 50k/day)",
        "all best",
        "pass rate/orders/a",
        "Break-even",
    ):
        assert words in done.output


def test_the_document_alone_is_on_standard_output(spec: Path) -> None:
    done = tierline("estimate", "--spec", spec, "--draws", "50", "--json", "-")
    assert [policy["name"] for policy in json.loads(done.stdout)["policies"]] == ["all best", "all cheap", "static", "cascade", "spec"]


def test_a_sheet_that_was_filled_in_changes_the_estimate_and_can_be_played(spec: Path, tmp_path: Path) -> None:
    sheet, out = tmp_path / "sheet.csv", tmp_path / "out.json"
    assert tierline("estimate", "--spec", spec, "--draws", "50", "--csv", sheet).exit_code == 0
    sheet.write_text(sheet.read_text().replace(",0.8,", ",0.95,"))
    assert tierline("estimate", "--spec", spec, "--draws", "50", "--worksheet", sheet, "--json", out).exit_code == 0
    orders = next(row for row in json.loads(out.read_text())["worksheet"]["rows"] if row["task"] == "orders")
    assert orders["pass_rate"]["value"] == 0.95
    played = tierline("simulate", "--spec", spec, "--worksheet", sheet, "--requests", "50", "--json", out)
    assert played.exit_code == 0, played.output
    assert json.loads(out.read_text())["requests"] == 50


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--volume", "lots"), "'lots' is no volume: write 1M/month"),
        (("--log", "no.db"), "no.db"),
        (("--worksheet", "no.csv"), "no.csv"),
        (("--log", "a.db", "--config", "b.yaml"), "give --log or --config, not both"),
    ],
)
def test_what_cannot_be_used_is_said_on_one_line(spec: Path, words: tuple[str, ...], said: str) -> None:
    done = tierline("estimate", "--spec", spec, *words)
    assert done.exit_code == 2
    assert said in done.output and len(done.output.strip().splitlines()) == 1


def test_a_sheet_and_measured_answers_cannot_both_fit_a_simulation(spec: Path) -> None:
    done = tierline("simulate", "--spec", spec, "--worksheet", "w.csv", "--data", "a.csv")
    assert done.exit_code == 2
    assert "give --worksheet alone" in done.output
