"""What was done to the arms of experiments lasts, and the newest counts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tierline.ledger.ledger import Ledger
from tierline.ledger.reader import LedgerReader


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    times = iter(range(1, 1000))
    made = Ledger(tmp_path / "tierline.db", clock=lambda: float(next(times)), durability="process")
    made.arms.begin("e", "d1", ("a", "b"), "tierline")
    yield made
    made.close()


def states(ledger: Ledger) -> dict[str, tuple[str, float | None]]:
    return {f"{entry.experiment}/{entry.arm}": (entry.state, entry.share) for entry in ledger.arms.now()}


def test_an_experiment_begins_once(ledger: Ledger) -> None:
    assert not ledger.arms.begin("e", "d1", ("a", "b"), "tierline")
    assert states(ledger) == {"e/a": ("running", None), "e/b": ("running", None)}
    assert [entry.subject for entry in ledger.audit.list()] == ["e"]


def test_a_stopped_arm_is_stopped_once_and_may_be_resumed(ledger: Ledger) -> None:
    assert ledger.arms.stop("e", "a", "too slow", "ann")
    assert not ledger.arms.stop("e", "a", "again", "ben")
    assert states(ledger)["e/a"] == ("stopped", 0.0)
    assert ledger.arms.resume("e", "a", "mended", "ann")
    assert states(ledger)["e/a"] == ("running", None)
    assert [(entry.who, entry.action, entry.subject, entry.detail["why"]) for entry in ledger.audit.list()[:2]] == [
        ("ann", "arm_running", "e/a", "mended"),
        ("ann", "arm_stopped", "e/a", "too slow"),
    ]


def test_nothing_is_done_to_an_arm_that_never_ran(ledger: Ledger) -> None:
    assert not ledger.arms.stop("e", "c", "x", "ann")
    assert not ledger.arms.stop("f", "a", "x", "ann")


def test_who_has_won_keeps_its_share(ledger: Ledger) -> None:
    ledger.arms.share("e", {"a": 0.8, "b": 0.2}, "Thompson", "tierline")
    assert ledger.arms.win("e", "a", "better", "tierline")
    assert states(ledger) == {"e/a": ("won", 0.8), "e/b": ("running", 0.2)}


def test_a_stopped_arm_gets_no_share_by_adapting(ledger: Ledger) -> None:
    ledger.arms.stop("e", "b", "x", "ann")
    ledger.arms.share("e", {"a": 0.5, "b": 0.5}, "Thompson", "tierline")
    assert states(ledger) == {"e/a": ("running", 0.5), "e/b": ("stopped", 0.0)}


def test_an_experiment_that_compares_something_else_begins_anew(ledger: Ledger) -> None:
    first = ledger.arms.began("e")
    ledger.arms.stop("e", "b", "x", "ann")
    assert ledger.arms.begin("e", "d2", ("b", "c"), "tierline")
    assert states(ledger) == {"e/b": ("running", None), "e/c": ("running", None)}
    began = ledger.arms.began("e")
    assert began is not None
    assert first is not None
    assert began > first
    assert [entry.state for entry in ledger.arms.history("e")] == ["running", "running", "stopped", "running", "running"]


def test_experiments_do_not_touch_one_another(ledger: Ledger) -> None:
    ledger.arms.begin("f", "d1", ("a",), "tierline")
    ledger.arms.stop("f", "a", "x", "ann")
    assert states(ledger)["e/a"] == ("running", None)
    assert [entry.arm for entry in ledger.arms.now("f")] == ["a"]
    assert ledger.arms.began("g") is None


def test_others_read_the_arms_while_they_are_written(ledger: Ledger) -> None:
    reader = LedgerReader(ledger.path)
    arms = reader.arms()
    assert arms is not None
    ledger.arms.stop("e", "a", "x", "ann")
    assert {entry.arm: entry.state for entry in arms.now("e")} == {"a": "stopped", "b": "running"}
    reader.close()
