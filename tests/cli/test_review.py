"""The review command, on a real file."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tierline.cli.app import build
from tierline.decision_log.sqlite import SqliteLog
from tierline.ledger.ledger import Ledger
from tierline.ledger.reviews import Review
from tierline.types.outcome import Verdict

APP = build(["review"])


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "tierline.db"
    SqliteLog(path).close()
    with closing(Ledger(path)) as ledger:
        now = 4_000_000_000.0
        failed = (Verdict("orders/schema", False, "no JSON"),)
        ledger.reviews.add([Review(f"r-{n}", now + n, "flagged", "auto", "orders", "mini", failed) for n in range(3)], 86400.0)
    return path


def run(log: Path, *words: str, expect: int = 0, given: str | None = None) -> str:
    done = CliRunner().invoke(APP, ["review", *words, "--log", str(log)] if words[0] != "review" else list(words), input=given)
    assert done.exit_code == expect, done.output
    return done.output


def test_the_queue_is_listed_for_people_and_for_programs(log: Path) -> None:
    shown = run(log, "list")
    assert "r-2" in shown and "orders/schema" in shown and "3 open" in shown
    told = json.loads(run(log, "list", "--json", "--limit", "2"))
    assert told["counts"]["open"] == 3
    assert [entry["request_id"] for entry in told["reviews"]] == ["r-2", "r-1"]


def test_what_was_judged_is_exported_as_labels(log: Path, tmp_path: Path) -> None:
    assert "r-0 is accepted by anna" in run(log, "accept", "r-0", "--by", "anna")
    run(log, "correct", "r-1", "--answer", "-", "--by", "bert", "--note", "seen", given="42")
    run(log, "dismiss", "r-2")
    run(log, "export", "--out", str(tmp_path / "labels.jsonl"))
    labels = [json.loads(line) for line in (tmp_path / "labels.jsonl").read_text().splitlines()]
    assert [(label["request_id"], label["label"], label["correction"], label["reviewed_by"]) for label in labels] == [
        ("r-0", "pass", None, "anna"),
        ("r-1", "fail", "42", "bert"),
    ]
    assert [json.loads(line) for line in run(log, "export").splitlines()] == labels


def test_one_entry_is_shown_with_its_checks_and_who_judged_it(log: Path) -> None:
    run(log, "correct", "r-1", "--answer", "42", "--by", "bert", "--note", "seen")
    shown = run(log, "show", "r-1")
    assert "orders/schema failed: no JSON" in shown
    assert "corrected by bert" in shown and "seen" in shown and "it should have been: 42" in shown
    assert "log_text: flagged" in shown
    assert json.loads(run(log, "show", "r-1", "--json"))["review"]["state"] == "corrected"


@pytest.mark.parametrize(
    ("words", "said"),
    [(["show", "r-9"], "no request 'r-9'"), (["accept", "r-9"], "no request 'r-9'"), (["list", "--state", "odd"], "none of all")],
)
def test_what_is_not_there_is_said(log: Path, words: list[str], said: str) -> None:
    assert said in run(log, *words, expect=2)


def test_an_entry_that_was_judged_is_not_judged_again(log: Path) -> None:
    run(log, "accept", "r-0", "--by", "anna")
    assert "accepted already, by anna" in run(log, "dismiss", "r-0", expect=2)


def test_a_wrong_path_makes_no_file(tmp_path: Path) -> None:
    assert "no decision log" in run(tmp_path / "none.db", "list", expect=2)
    assert not (tmp_path / "none.db").exists()
