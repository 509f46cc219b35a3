"""What waits in the file for the ledger's database gets there once, whatever happens on the way."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decision_log.relay import Relay
from ledger.clock import Clock
from tierline.ledger.feedback import Feedback
from tierline.ledger.ledger import Ledger
from tierline.ledger.notes import Beside, Done, Heard, Note, Notes, Rehearsals, SpecSeen, ToReview, decode, encode
from tierline.ledger.releases import Rehearsed
from tierline.ledger.reviews import Review
from tierline.ledger.shadows import Shadowed
from tierline.types.errors import LedgerAway
from tierline.types.label import Label
from tierline.types.outcome import Verdict


@pytest.fixture
def notes(path: Path) -> Iterator[Notes]:
    with closing(Notes(path)) as opened:
        yield opened


@pytest.fixture
def relay(url: str) -> Iterator[Relay]:
    with closing(Relay(url)) as made:
        yield made


def heard(number: int) -> Heard:
    return Heard(Feedback(f"r{number}", 1.0 + number, 0.5))


def said(ledger: Ledger) -> list[str]:
    return [one.request_id for one in ledger.feedback.since()]


def test_notes_wait_while_the_database_is_away_and_come_in_order(notes: Notes, relay: Relay) -> None:
    with closing(Ledger(relay.url)) as ledger:
        assert said(ledger) == []
        relay.cut()
        for number in range(3):
            notes.put(heard(number))
            with pytest.raises(LedgerAway, match="cannot be reached"):
                notes.carry(ledger)
        assert notes.waiting == 3
        relay.mend()
    with closing(Ledger(relay.url)) as ledger:
        assert notes.carry(ledger) == 3
        assert said(ledger) == ["r0", "r1", "r2"] and notes.waiting == 0


def test_a_note_that_arrived_and_was_not_forgotten_counts_once(notes: Notes, path: Path, url: str) -> None:
    notes.put(heard(1))
    with closing(sqlite3.connect(path)) as file, file:
        kept = file.execute("SELECT note, at, body FROM notes").fetchall()
    with closing(Ledger(url)) as ledger:
        notes.carry(ledger)
        with closing(sqlite3.connect(path)) as file, file:  # as if the process had died before it forgot it
            file.executemany("INSERT INTO notes (note, at, body) VALUES (?, ?, ?)", kept)
        notes.carry(ledger)
        assert said(ledger) == ["r1"]


def test_two_workers_that_carry_from_one_file_carry_each_note_once(path: Path, url: str) -> None:
    with closing(Notes(path)) as one, closing(Notes(path)) as other, closing(Ledger(url)) as first, closing(Ledger(url)) as second:
        for number in range(5):
            (one if number % 2 else other).put(heard(number))
        assert one.carry(first) + other.carry(second) == 5
        assert said(first) == [f"r{number}" for number in range(5)]


def test_a_note_that_the_ledger_refuses_keeps_no_other_from_coming(
    notes: Notes, path: Path, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    notes.put(heard(1))
    notes.put(heard(2))
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("UPDATE notes SET body = '{}' WHERE id = 1")
    with closing(Ledger(url)) as ledger:
        notes.carry(ledger)
        assert said(ledger) == ["r2"] and notes.waiting == 0
    assert "has no form in the ledger" in caplog.text


def test_an_entry_that_had_to_wait_says_when_it_was_done(notes: Notes, url: str) -> None:
    notes.put(Done("ann", "reload", "abc", 1000.0, {"changed": True}))
    with closing(Ledger(url)) as ledger:
        notes.carry(ledger)
        assert ledger.audit.list(1)[0].detail == {"changed": True, "done_at": 1000.0}


EVERY: tuple[Note, ...] = (
    heard(1),
    ToReview((Review("r", 1.0, "flagged", "auto", "t", "mini", (Verdict("v", False, "long"),)),), 60.0),
    Beside((Shadowed("r", 1.0, "auto", "t", "big", "mini", 0.1, True, None, 0.2),), (Label("r", "big", 1.0, "judge", 1.0),)),
    SpecSeen("abc", {"spec": "1"}, b'{"a": 1}', 1.0),
    Done("ann", "reload", "abc", 1.0),
    Rehearsals(7, (Rehearsed("t", "mini", "big", 3, 0.1, 0.2),)),
)


@pytest.mark.parametrize("note", EVERY, ids=lambda note: type(note).__name__)
def test_every_note_comes_out_of_the_file_as_it_was_put(note: Note) -> None:
    assert decode(encode(note)) == note


@given(st.text(), st.floats(0, 1), st.booleans())
def test_whatever_is_said_comes_out_of_the_file_as_it_was_put(words: str, score: float, accept: bool) -> None:
    try:
        words.encode()
    except UnicodeEncodeError:
        return
    note = Heard(Feedback("r", 1.0, score, accept, words))
    assert decode(encode(note)) == note


def test_the_same_clock_gives_the_same_trail_in_both_places(path: Path, url: str) -> None:
    clock = Clock()
    heads = []
    for where in (path, url):
        with closing(Ledger(where, clock=clock)) as ledger:
            for number in range(3):
                ledger.audit.add("ann", "pin", f"r{number}", {"é": number})
            heads.append(ledger.audit.head())
    assert heads[0] == heads[1]
