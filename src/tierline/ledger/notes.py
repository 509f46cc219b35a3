"""What must not be lost while the ledger's database is away: it waits in the local file, and gets into the ledger once.

Each note is put into the file first, then carried into the ledger; a note that was carried and not yet forgotten when the process died is
known there by its id, and counts once. Several workers may carry from one file at a time."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tierline import sqlite_file
from tierline.ledger.feedback import Feedback
from tierline.ledger.ledger import Ledger
from tierline.ledger.releases import Rehearsed
from tierline.ledger.reviews import Review
from tierline.ledger.shadows import Shadowed
from tierline.sqlite_file import told, transaction
from tierline.types.errors import LedgerAway, LogFailure
from tierline.types.label import Label

_logger = logging.getLogger("tierline.ledger")

MOST = 100_000
"""Notes that wait in the file; past it new ones are refused."""

LATE = 5.0
"""Seconds after which an entry of the audit trail is late."""

PART = "notes"
_MIGRATIONS = ("CREATE TABLE notes (id INTEGER PRIMARY KEY, note TEXT NOT NULL, at REAL NOT NULL, body BLOB NOT NULL);",)
_BATCH = 200
_KNOWN_FOR = 30 * 86400.0
"""Seconds for which the ledger knows a note that has arrived."""


class Heard(msgspec.Struct, frozen=True, tag="feedback"):
    """What was said of an answer."""

    feedback: Feedback

    def enter(self, ledger: Ledger) -> None:
        """Into the ledger."""
        ledger.feedback.add(self.feedback)


class ToReview(msgspec.Struct, frozen=True, tag="reviews"):
    """Requests for the review queue, for so many seconds."""

    reviews: tuple[Review, ...]
    open_for: float

    def enter(self, ledger: Ledger) -> None:
        """Into the ledger."""
        ledger.reviews.add(self.reviews, self.open_for)


class Beside(msgspec.Struct, frozen=True, tag="shadows"):
    """Answers given beside, and the labels that they made."""

    shadows: tuple[Shadowed, ...]
    labels: tuple[Label, ...]

    def enter(self, ledger: Ledger) -> None:
        """Into the ledger."""
        ledger.shadows.add(self.shadows)
        ledger.labels.add(self.labels)


class SpecSeen(msgspec.Struct, frozen=True, tag="spec"):
    """A spec that is about to decide."""

    fingerprint: str
    parts: Mapping[str, str]
    canonical: bytes
    at: float

    def enter(self, ledger: Ledger) -> None:
        """Into the ledger."""
        ledger.specs.keep(self.fingerprint, self.parts, self.canonical, self.at)


class Done(msgspec.Struct, frozen=True, tag="audit"):
    """Something that was done, for the audit trail; `change`: that several processes may have seen."""

    who: str
    action: str
    subject: str
    at: float
    detail: Mapping[str, Any] = {}
    change: bool = False

    def enter(self, ledger: Ledger) -> None:
        """Into the ledger; an entry bears the time of its writing, so one that had to wait says when it was done."""
        waited = time.time() - self.at > LATE
        detail = {**self.detail, "done_at": self.at} if waited else self.detail
        (ledger.audit.add_change if self.change else ledger.audit.add)(self.who, self.action, self.subject, detail)


class Rehearsals(msgspec.Struct, frozen=True, tag="rehearsed"):
    """What a candidate in shadow decided."""

    release: int
    seen: tuple[Rehearsed, ...]

    def enter(self, ledger: Ledger) -> None:
        """Into the ledger."""
        ledger.releases.count(self.release, self.seen)


Note = Heard | ToReview | Beside | SpecSeen | Done | Rehearsals

encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Note).decode
"""A note as it stands in the file, and back."""


class Notes:
    """The notes that wait in the file at `path`. One thread at a time. Raises LogFailure when the file cannot be written."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock
        self._file = sqlite_file.open_file(path, PART, _MIGRATIONS, durability="power")

    def put(self, note: Note) -> None:
        """Keep one until it is carried. Raises LedgerAway when as many wait as may."""
        with told(self._path), transaction(self._file):
            if self.waiting >= MOST:
                raise LedgerAway(f"{MOST:,} notes wait in {self._path} for the ledger's database, as many as may")
            row = (uuid.uuid4().hex, self._clock(), encode(note))
            self._file.execute("INSERT INTO notes (note, at, body) VALUES (?, ?, ?)", row)

    @property
    def waiting(self) -> int:
        """How many are not in the ledger yet."""
        with told(self._path):
            return int(self._file.execute("SELECT count(*) FROM notes").fetchone()[0])

    def carry(self, ledger: Ledger) -> int:
        """Take what waits into the ledger, oldest first; how many those were. Raises LedgerAway, and they wait on."""
        carried = 0
        while True:
            with told(self._path):
                rows = self._file.execute("SELECT note, body FROM notes ORDER BY id LIMIT ?", (_BATCH,)).fetchall()
            if not rows:
                return carried
            try:
                self._enter(ledger, rows)
            except LedgerAway:
                raise
            except (LogFailure, ValueError, msgspec.MsgspecError):
                self._enter_those_that_can_be(ledger, rows)
            with told(self._path), transaction(self._file):
                self._file.executemany("DELETE FROM notes WHERE note = ?", [(note,) for note, _ in rows])
            carried += len(rows)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _enter(self, ledger: Ledger, rows: Sequence[tuple[str, bytes]]) -> None:
        now, connection = self._clock(), ledger.connection
        with connection.transaction():
            connection.execute("DELETE FROM arrivals WHERE at < ?", (now - _KNOWN_FOR,))
            for note, body in rows:
                came = connection.execute("INSERT INTO arrivals (note, at) VALUES (?, ?) ON CONFLICT (note) DO NOTHING", (note, now))
                if came.rowcount == 1:
                    decode(body).enter(ledger)

    def _enter_those_that_can_be(self, ledger: Ledger, rows: Sequence[tuple[str, bytes]]) -> None:
        """Where the ledger refuses what stands in a note, the others do not wait for it."""
        for row in rows:
            try:
                self._enter(ledger, [row])
            except LedgerAway:
                raise
            except (LogFailure, ValueError, msgspec.MsgspecError) as error:
                _logger.error("a note of %s has no form in the ledger and is left out: %s", self._path, type(error).__name__)
