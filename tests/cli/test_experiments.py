"""The experiments command, on a real log."""

from __future__ import annotations

import json
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tierline.cli.app import build
from tierline.decision_log.sqlite import SqliteLog
from tierline.ledger.judges import ALL, JudgeVerdict
from tierline.ledger.ledger import Ledger
from tierline.routing.router import Router
from tierline.testing.builders import features, loaded
from tierline.types.label import Label
from tierline.types.outcome import Usage
from tierline.types.record import Record, Tried
from tierline.types.scores import NO_SCORES
from tierline.types.view import NO_VIEW

APP = build(["experiments"])
SPEC = {
    "tasks": {"orders": {"why": "x", "models": ["mini"]}},
    "experiments": {"mini-vs-local": {"tasks": ["orders"], "arms": {"mini": 0.5, "local": 0.5}, "baseline": "mini"}},
}
PASSES = {"mini": 95, "local": 60}


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A thousand requests, labelled: of a hundred answers of mini 95 are good, of local 60."""
    path = tmp_path_factory.mktemp("cli") / "tierline.db"
    spec = loaded(SPEC)
    router = Router(spec)
    with closing(Ledger(path, clock=lambda: 1.0)) as ledger, closing(SqliteLog(path)) as written:
        ledger.specs.keep(spec.fingerprint, {}, spec.canonical, 1.0)
        ledger.arms.begin("mini-vs-local", "d", ("local", "mini"), "tierline")
        labels, dice = [], random.Random(1)
        for number in range(1000):
            asked = features(request_id=f"r{number}", draw=(number * 0.6180339887498949) % 1.0, hints={"task": "orders"})
            decision = router.decide(asked, NO_SCORES, NO_VIEW)
            cost = {"mini": 0.002, "local": 0.001}[decision.target] * (1 + number % 7 / 10)
            tried = Tried(decision.target, "first", True, cost, 1.0, None, Usage())
            view = router.seen(asked, decision, NO_VIEW)
            written.put(Record(at=10.0 + number, features=asked, decision=decision, tried=(tried,), view=view, winner=0))
            score = float(dice.random() * 100 < PASSES[decision.target])
            labels.append(Label(f"r{number}", decision.target, score, "golden", 5000.0 + number))
        ledger.labels.add(labels)
    return path


def run(log: Path, *words: str, expect: int = 0) -> str:
    done = CliRunner().invoke(APP, ["experiments", *words, "--log", str(log)], env={"COLUMNS": "200"})
    assert done.exit_code == expect, done.output
    return " ".join(done.output.split())


def test_it_says_what_each_arm_gave_and_what_follows(log: Path) -> None:
    shown = run(log)
    assert "local − mini" in shown
    assert "mini is better, and no further look can be needed" in shown


def test_programs_get_the_same(log: Path) -> None:
    (found,) = json.loads(run(log, "mini-vs-local", "--json"))["experiments"]
    arms = {arm["name"]: arm for arm in found["arms"]}
    assert sum(arm["requests"] for arm in arms.values()) == 1000
    for name, arm in arms.items():
        estimate = arm["estimates"]["pass_rate"]
        assert estimate["low"] <= PASSES[name] / 100 <= estimate["high"]
        assert arm["measured"]["cost"] == arm["units"]
    (pair,) = found["comparisons"]
    assert (pair["better"], found["winner"]) == ("mini", "mini")
    assert pair["difference"]["high"] < 0 < pair["evidence"]


def test_a_validated_judges_word_decides_and_that_of_another_does_not(log: Path, tmp_path: Path) -> None:
    """The same requests, judged by a model in the place of people."""
    judged = tmp_path / "judged.db"
    judged.write_bytes(log.read_bytes())
    with closing(sqlite3.connect(judged)) as file:
        file.execute("UPDATE labels SET source = 'judge', \"by\" = 'opus@0123456789ab'")
        file.commit()
    (found,) = json.loads(run(judged, "mini-vs-local", "--json"))["experiments"]
    assert not any(arm["measured"]["pass_rate"] for arm in found["arms"]) and not found["winner"]
    with closing(Ledger(judged)) as ledger:
        ledger.judges.add(
            JudgeVerdict(1.0, "opus@0123456789ab", ALL, {"labels": 90, "right_of_good": 0.9, "right_of_bad": 0.9}, valid=True)
        )
    (found,) = json.loads(run(judged, "mini-vs-local", "--json"))["experiments"]
    assert found["winner"] == "mini" and sum(arm["measured"]["pass_rate"] for arm in found["arms"]) == 1000


def test_an_arm_is_stopped_and_resumed_by_hand(log: Path) -> None:
    assert "its share is zero within a second" in run(log, "stop", "mini-vs-local", "local", "--why", "complaints", "--by", "ann")
    assert "local is stopped, by ann: complaints" in run(log)
    assert "is stopped already" in run(log, "stop", "mini-vs-local", "local", "--why", "again", expect=2)
    run(log, "resume", "mini-vs-local", "local", "--why", "mended", "--by", "ann")
    with closing(Ledger(log)) as ledger:
        assert [entry.action for entry in ledger.audit.list()[:2]] == ["arm_running", "arm_stopped"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["stop", "mini-vs-local"], "name an experiment and an arm"),
        (["stop", "mini-vs-local", "local"], "say why"),
        (["stop", "mini-vs-local", "lcal", "--why", "x"], "known: mini-vs-local/local, mini-vs-local/mini"),
        (["other"], "there is no experiment 'other' here; known: mini-vs-local"),
        (["mini-vs-local", "other"], "name one experiment"),
    ],
)
def test_what_it_cannot_do_is_said(log: Path, words: list[str], said: str) -> None:
    assert said in run(log, *words, expect=2)


def test_a_log_without_experiments_says_so(tmp_path: Path) -> None:
    SqliteLog(tmp_path / "tierline.db").close()
    assert run(tmp_path / "tierline.db") == "no spec of this log has an experiment"
    assert "tierline experiments:" in run(tmp_path / "nowhere.db", expect=2)
