"""What must last beside the log: specs, pins, the audit trail and feedback."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ledger.clock import Clock
from tierline.decision_log.sqlite import SqliteLog
from tierline.ledger.audit import Broken, Head
from tierline.ledger.feedback import Feedback
from tierline.ledger.ledger import Ledger
from tierline.types.errors import LogFailure

HOUR = 3600.0


def meddle(path: Path, *statements: str) -> None:
    """What someone with the file and a SQLite shell could do, past the triggers that stop the honest."""
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("DROP TRIGGER audit_is_never_changed")
        file.execute("DROP TRIGGER audit_is_never_shortened")
        for statement in statements:
            file.execute(statement)


def test_log_and_ledger_share_one_file_in_either_order(tmp_path: Path) -> None:
    first: list[Callable[[Path], Ledger | SqliteLog]] = [SqliteLog, Ledger]
    for name, order in (("a.db", first), ("b.db", first[::-1])):
        for _ in range(2):
            for part in order:
                part(tmp_path / name).close()
        with closing(sqlite3.connect(tmp_path / name)) as file:
            assert dict(file.execute("SELECT part, version FROM schema_version")) == {"decisions": 4, "ledger": 4}


def test_a_file_of_another_application_is_refused(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE songs (title)")
    with pytest.raises(LogFailure, match="another application"):
        Ledger(path)


# Specs.


def test_a_spec_is_kept_once_with_the_time_it_was_first_seen(ledger: Ledger) -> None:
    assert ledger.specs.keep("f1", {"spec": "a", "prices": "b"}, b"{}", 1.0)
    assert not ledger.specs.keep("f1", {"spec": "other"}, b"other", 2.0)
    kept = ledger.specs.get("f1")
    assert kept is not None
    assert (kept.first_seen, kept.parts, kept.canonical) == (1.0, {"spec": "a", "prices": "b"}, b"{}")
    assert ledger.specs.get("f2") is None


def test_specs_are_listed_as_they_were_first_seen_and_outlive_the_process(ledger: Ledger, where: Path | str) -> None:
    ledger.specs.keep("later", {}, b"2", 2.0)
    ledger.specs.keep("earlier", {}, b"1", 1.0)
    with closing(Ledger(where)) as again:
        assert [spec.fingerprint for spec in again.specs.list()] == ["earlier", "later"]


# Pins.


def test_a_pin_holds_until_its_time_and_ends_by_itself(ledger: Ledger, clock: Clock) -> None:
    ledger.pins.pin("auto", "sonnet", clock.now + HOUR, "ops", "mini is failing")
    assert ledger.pins.active(clock.now) == {"auto": "sonnet"}
    assert ledger.pins.active(clock.now + HOUR - 1) == {"auto": "sonnet"}
    assert ledger.pins.active(clock.now + HOUR) == {}


def test_a_second_pin_of_a_route_takes_the_place_of_the_first(ledger: Ledger, clock: Clock) -> None:
    ledger.pins.pin("auto", "sonnet", clock.now + HOUR, "ann", "mini is failing")
    clock.now += 60
    ledger.pins.pin("auto", "opus", clock.now + 60, "bob", "sonnet fails too")
    assert [(pin.route, pin.model) for pin in ledger.pins.current(clock.now)] == [("auto", "opus")]
    assert ledger.pins.active(clock.now + 61) == {}
    assert [(pin.model, pin.ended_by) for pin in ledger.pins.history()] == [("opus", ""), ("sonnet", "bob")]


def test_a_pin_can_be_ended_early_once(ledger: Ledger, clock: Clock) -> None:
    ledger.pins.pin("auto", "sonnet", clock.now + HOUR, "ann", "mini is failing")
    assert ledger.pins.unpin("auto", "bob")
    assert ledger.pins.active(clock.now) == {}
    assert not ledger.pins.unpin("auto", "bob")


def test_a_pin_that_would_already_be_over_is_refused(ledger: Ledger, clock: Clock) -> None:
    with pytest.raises(ValueError, match="later than now"):
        ledger.pins.pin("auto", "sonnet", clock.now, "ann", "too late")
    assert ledger.audit.list() == []


def test_pins_of_one_process_are_seen_by_the_others(ledger: Ledger, where: Path | str, clock: Clock) -> None:
    with closing(Ledger(where, clock=clock)) as other:
        other.pins.pin("auto", "sonnet", clock.now + HOUR, "ann", "mini is failing")
    assert ledger.pins.active(clock.now) == {"auto": "sonnet"}


def test_pins_are_listed_with_the_one_that_ends_first_first(ledger: Ledger, clock: Clock) -> None:
    ledger.pins.pin("auto", "sonnet", clock.now + 2 * HOUR, "ann", "long")
    ledger.pins.pin("hr", "opus", clock.now + HOUR, "ann", "short")
    assert [(pin.route, pin.until - clock.now, pin.why) for pin in ledger.pins.current(clock.now)] == [
        ("hr", HOUR, "short"),
        ("auto", 2 * HOUR, "long"),
    ]


def test_every_pin_and_its_end_stand_in_the_audit(ledger: Ledger, clock: Clock) -> None:
    ledger.pins.pin("auto", "sonnet", clock.now + HOUR, "ann", "mini is failing")
    ledger.pins.unpin("auto", "bob")
    unpin, pin = ledger.audit.list()
    assert (pin.who, pin.action, pin.subject, pin.at) == ("ann", "pin", "auto", clock.now)
    assert pin.detail == {"model": "sonnet", "until": clock.now + HOUR, "why": "mini is failing"}
    assert (unpin.who, unpin.action, unpin.subject) == ("bob", "unpin", "auto")


# The audit trail.


def trail(ledger: Ledger, count: int = 5) -> None:
    for number in range(count):
        ledger.audit.add("ann", "reload", f"spec-{number}", {"n": number})


def test_a_trail_that_nobody_touched_is_whole(ledger: Ledger) -> None:
    assert ledger.audit.verify() is None
    trail(ledger)
    assert ledger.audit.verify() is None
    assert [entry.seq for entry in ledger.audit.list(limit=2)] == [5, 4]


@pytest.mark.parametrize(
    ("deed", "broken"),
    [
        ("UPDATE audit SET who = 'bob' WHERE seq = 3", Broken(3, "its content was changed")),
        ("UPDATE audit SET at = at + 1 WHERE seq = 1", Broken(1, "its content was changed")),
        ("UPDATE audit SET detail = '{}' WHERE seq = 5", Broken(5, "its content was changed")),
        ("DELETE FROM audit WHERE seq = 2", Broken(2, "the entry is missing")),
        ("UPDATE audit SET previous = hash, hash = zeroblob(32) WHERE seq = 4", Broken(4, "it does not follow on the entry before it")),
    ],
)
def test_an_entry_that_was_changed_or_taken_out_is_found(ledger: Ledger, path: Path, deed: str, broken: Broken) -> None:
    trail(ledger)
    meddle(path, deed)
    assert ledger.audit.verify() == broken


def test_a_trail_that_was_cut_off_is_found_by_an_earlier_head(ledger: Ledger, path: Path) -> None:
    trail(ledger)
    head = ledger.audit.head()
    trail(ledger, 2)
    assert ledger.audit.verify(head) is None
    meddle(path, "DELETE FROM audit WHERE seq >= 5")
    assert ledger.audit.verify() is None
    assert ledger.audit.verify(head) == Broken(5, "the trail was cut off here")


def test_a_trail_that_was_written_anew_is_found_by_an_earlier_head(ledger: Ledger, path: Path, clock: Clock) -> None:
    trail(ledger)
    head = ledger.audit.head()
    meddle(path, "DELETE FROM audit")
    clock.now += 1
    trail(ledger)
    assert ledger.audit.verify() is None
    assert ledger.audit.verify(head) == Broken(5, "the trail was written anew up to here")


def test_the_head_of_an_empty_trail_is_zero(ledger: Ledger) -> None:
    assert ledger.audit.head() == Head(0, "0" * 64)


@pytest.mark.parametrize("deed", ["UPDATE audit SET who = 'bob'", "DELETE FROM audit"])
def test_the_file_itself_refuses_to_change_the_trail(ledger: Ledger, path: Path, deed: str) -> None:
    trail(ledger)
    with closing(sqlite3.connect(path)) as file, pytest.raises(sqlite3.IntegrityError, match="append-only"):
        file.execute(deed)


def test_entries_of_several_processes_make_one_chain(where: Path | str) -> None:
    def write() -> None:
        with closing(Ledger(where, durability="process")) as ledger:
            trail(ledger, 25)

    Ledger(where).close()
    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with closing(Ledger(where)) as ledger:
        assert ledger.audit.head().seq == 100
        assert ledger.audit.verify() is None


# Feedback.


def test_feedback_is_kept_by_the_request_it_judges(ledger: Ledger) -> None:
    said = [Feedback("a", 1.0, score=0.5, source="judge"), Feedback("a", 2.0, accept=False, correction="42", source="user")]
    for feedback in (*said, Feedback("b", 3.0, accept=True)):
        ledger.feedback.add(feedback)
    assert ledger.feedback.of("a") == said
    assert ledger.feedback.of("c") == []
    assert [feedback.request_id for feedback in ledger.feedback.since(2.0)] == ["a", "b"]


def test_much_feedback_is_read_page_by_page(ledger: Ledger) -> None:
    with ledger.connection.transaction():  # one wait for the disk
        for number in range(1001):
            ledger.feedback.add(Feedback(f"r{number}", float(number), score=1.0))
    assert [feedback.at for feedback in ledger.feedback.since(1.0)] == list(range(1, 1001))


@pytest.mark.parametrize(
    ("feedback", "problem"),
    [
        (Feedback("a", 1.0, score=1.5), "between 0 and 1"),
        (Feedback("a", 1.0, score=float("nan")), "between"),
        (Feedback("a", 1.0), "nothing"),
    ],
)
def test_feedback_that_means_nothing_is_refused(ledger: Ledger, feedback: Feedback, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        ledger.feedback.add(feedback)
    assert ledger.feedback.of("a") == []
