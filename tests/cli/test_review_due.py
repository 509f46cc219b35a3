"""`tierline review` as a person uses it: what is due, signing off, an incident, a month; on a real spec and a real log."""

from __future__ import annotations

import datetime
import json
import time
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from evaluation.review.traffic import MIDNIGHT, numbered, request, written
from tierline.cli.app import build
from tierline.config.load import load
from tierline.ledger.ledger import Ledger

APP = build(["review"])


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    now = time.time()
    fine = [request(n, now - 3600.0 - n, passes=n % 20 != 0) for n in range(200)]
    return written(tmp_path, numbered(fine))


def run(*words: str, expect: int = 0) -> str:
    done = CliRunner(env={"COLUMNS": "160"}).invoke(APP, ["review", *words])
    assert done.exit_code == expect, done.output
    return done.output


def test_tasks_that_are_due_are_shown_with_every_reason_and_what_was_measured(spec: Path) -> None:
    said = run("--config", str(spec), "--every", "1d", "--window", "1d")
    assert "calendar: it was looked at" in said and "2 of 2 tasks are due." in said
    assert "estimated again by what was measured" in said and "95.0%" in said and "200" in said and "tierline review sign" in said
    told = json.loads(run("--config", str(spec), "--every", "1d", "--json"))
    assert [task["task"] for task in told["tasks"]] == ["orders", "letters"]
    assert list(told["estimated_again"]) == ["orders"], "nobody asked for a letter"


def test_a_job_that_reminds_exits_one_while_a_task_is_due(spec: Path) -> None:
    run("--config", str(spec), "--every", "1d", "--check", expect=1)
    run("--config", str(spec), "--every", "100000d", "--check")


def test_signing_off_writes_the_day_into_the_spec_keeps_the_facts_and_stands_in_the_audit(spec: Path) -> None:
    before = spec.read_text()
    said = run("sign", "orders", "--config", str(spec), "--why", "the bar holds", "--by", "anna")
    today = datetime.date.today()
    assert f"orders is signed off by anna; {spec} says reviewed: {today}" in said.replace("\n", " ")
    assert spec.read_text() == before.replace("2026-10-01", str(today)), "comments and all the rest stay"
    assert load(spec).spec.tasks["orders"].reviewed == today
    with closing(Ledger(spec.parent / "tierline.db")) as ledger:
        signed = ledger.signoffs.newest()["orders"]
        assert (signed.by, signed.why, signed.facts["requests"]) == ("anna", "the bar holds", 200)
        assert [(entry.who, entry.action, entry.subject) for entry in ledger.audit.list(1)] == [("anna", "sign off", "task/orders")]
    assert "last looked at: " + str(today) + " by anna: the bar holds" in run("--config", str(spec), "--all")


def test_what_moves_after_a_sign_off_makes_a_task_due_again(spec: Path) -> None:
    run("sign", "orders", "--config", str(spec), "--why", "fine", "--by", "anna")
    assert "orders" not in run("--config", str(spec))
    spec.write_text(spec.read_text().replace("price: {input: 1, output: 4}", "price: {input: 2, output: 4}"))
    said = run("--config", str(spec))
    assert "price: a million input tokens of mini cost $1 then and $2 now" in said and "1 of 2 tasks are due." in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("sign", "nothing", "--why", "x"), "there is no task 'nothing'"),
        (("sign", "orders", "--why", " "), "say with --why"),
        (("--window", "soon"), "soon"),
        (("--incident", "yesterday"), "write FROM..TO"),
        (("month", "October"), "write 2026-10"),
    ],
)
def test_what_cannot_be_done_is_said_on_one_line(spec: Path, words: tuple[str, ...], message: str) -> None:
    assert message in run(*words, "--config", str(spec), expect=2)


def test_an_incident_and_a_month_are_told(tmp_path: Path) -> None:
    down = [request(n, MIDNIGHT + 60.0 * n, down=True) for n in range(30)]
    fine = [request(n, MIDNIGHT - 86400.0 + 60.0 * n) for n in range(30)]
    spec = written(tmp_path, numbered(fine, down))
    span = f"{stamp(MIDNIGHT)}..{stamp(MIDNIGHT + 3600)}"
    said = run("--config", str(spec), "--incident", span)
    assert "Where mini failed, answered: opus 30" in said and "server 30" in said and "the same hours of 1 of the 7 days before" in said
    told = json.loads(run("--config", str(spec), "--incident", span, "--json"))
    assert told["incident"]["tripped"][0]["failed"] == 30 and told["extra_cost"] > 0
    page, text = tmp_path / "m.html", tmp_path / "m.md"
    month = time.strftime("%Y-%m", time.localtime(MIDNIGHT))
    assert "What could be won" in run("month", month, "--config", str(spec), "--html", str(page), "--markdown", str(text))
    assert "Content-Security-Policy" in page.read_text() and text.read_text().startswith(f"# Routing in {month}")


def stamp(at: float) -> str:
    return datetime.datetime.fromtimestamp(at).isoformat()
