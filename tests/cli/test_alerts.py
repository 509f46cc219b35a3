"""`tierline alerts`: what stands in the ledger, and what a look at a log brings."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tierline.cli.app import build
from tierline.ledger.ledger import Ledger
from tierline.types.alert import Alert
from watch.weeks import spec, write

NOON = 1_790_000_000.0 // 86400 * 86400 + 43_200.0


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(build(["alerts"]), ["alerts", *map(str, words)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("alerts")
    write(spec(found, "{}"), found / "tierline.db", NOON, fails=lambda back: 0.5 if back <= 24 else 0.05)
    return found


def test_check_finds_what_has_moved_and_writes_nothing(folder: Path) -> None:
    said = run("check", "--config", folder / "tierline.yaml", "--at", "2026-09-21T12:30", "--json")
    assert said.exit_code == 1, said.output
    found = json.loads(said.output)["alerts"]
    assert {("quality_drop", "model/mini"), ("escalation_rate", "task/greeting")} <= {(one["watch"], one["subject"]) for one in found}
    assert json.loads(run("--log", folder / "tierline.db", "--json").output) == {"alerts": []}


def test_check_looks_at_the_moment_that_it_is_given(folder: Path) -> None:
    said = run("check", "--config", folder / "tierline.yaml", "--at", "2026-09-20T10:00")
    assert (said.exit_code, said.output.strip()) == (0, "nothing has moved")


def test_alerts_are_listed_with_what_to_do(tmp_path: Path) -> None:
    with closing(Ledger(tmp_path / "log.db")) as ledger:
        made = ledger.alerts.put(Alert("quality_drop", "model/mini", NOON, NOON, 0.9, 0.5, 0.999, "it fell", "look at it", ("r1",)))
        assert made is not None
        said = run("--log", tmp_path / "log.db")
        assert said.exit_code == 0
        assert all(words in said.output for words in ("quality_drop model/mini", "it fell", "shown by r1", "→ look at it"))
        ledger.alerts.recover(made.id, NOON + 60)
    assert run("--log", tmp_path / "log.db").output.strip() == "no alert is open"
    assert "over" in run("--log", tmp_path / "log.db", "--all").output


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["chek"], "there is no 'chek' here"),
        (["check"], "say what is watched"),
        (["--log", "nowhere.db"], "nowhere.db"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(words: list[str], reason: str) -> None:
    said = run(*words)
    assert said.exit_code == 2
    assert reason in said.output
