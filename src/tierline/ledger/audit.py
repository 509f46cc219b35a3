"""Who did what, and when: a trail to which entries are only ever added.

Each entry carries the hash of the one before, so an entry that is changed, taken out or put in between is found by `verify`.
What a chain alone cannot show is that its newest entries were cut off: keep `head` elsewhere and give it to `verify`.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from tierline.sqlite_file import told, transaction

_START = bytes(32)
_COLUMNS = "seq, at, who, action, subject, detail, previous, hash"


class Entry(msgspec.Struct, frozen=True):
    """One thing that somebody did: `who` is the name of a key, `action` a stable word (`pin`), `subject` what it was done to,
    `at` Unix time in seconds."""

    seq: int
    at: float
    who: str
    action: str
    subject: str
    detail: Mapping[str, Any]


class Head(msgspec.Struct, frozen=True):
    """The newest entry: its number and its hash in hexadecimal; 0 and zeros while there is none."""

    seq: int
    hash: str


class Broken(msgspec.Struct, frozen=True):
    """The first place at which the trail was tampered with."""

    seq: int
    reason: str


class Audit:
    """The audit trail of a ledger."""

    def __init__(self, path: Path, connection: sqlite3.Connection, clock: Callable[[], float]) -> None:
        self._path = path
        self._connection = connection
        self._clock = clock

    def add(self, who: str, action: str, subject: str, detail: Mapping[str, Any] | None = None) -> Entry:
        """Add an entry. `detail` is JSON-like and holds no secret and no prompt text."""
        with told(self._path), transaction(self._connection):
            return self.add_within(who, action, subject, detail)

    def add_within(self, who: str, action: str, subject: str, detail: Mapping[str, Any] | None = None) -> Entry:
        """The same within a transaction that is already open, for an action that must not be done without its entry."""
        head = self._head()
        entry = Entry(head.seq + 1, self._clock(), who, action, subject, dict(detail or {}))
        words = msgspec.json.encode(entry.detail, order="sorted").decode()
        previous = bytes.fromhex(head.hash)
        row = (entry.seq, entry.at, who, action, subject, words)
        self._connection.execute(
            f"INSERT INTO audit ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608  # a constant of this file
            (*row, previous, _digest(row, previous)),
        )
        return entry

    def list(self, limit: int | None = None) -> list[Entry]:
        """The newest entries first."""
        with told(self._path):
            rows = self._connection.execute(
                "SELECT seq, at, who, action, subject, detail FROM audit ORDER BY seq DESC LIMIT ?", (-1 if limit is None else limit,)
            )
            return [Entry(seq, at, who, action, subject, msgspec.json.decode(detail)) for seq, at, who, action, subject, detail in rows]

    def head(self) -> Head:
        """The newest entry's number and hash."""
        with told(self._path):
            return self._head()

    def verify(self, head: Head | None = None) -> Broken | None:
        """The first entry that is not as it was written, or None. With an earlier `head`, also whether the trail still holds it."""
        previous, expected, kept = _START, 1, None if head is None else head.hash
        with told(self._path):
            rows = self._connection.execute(f"SELECT {_COLUMNS} FROM audit ORDER BY seq")  # noqa: S608  # a constant of this file
            for *fields, before, digest in rows:
                if fields[0] != expected:
                    return Broken(expected, "the entry is missing")
                if before != previous:
                    return Broken(expected, "it does not follow on the entry before it")
                if digest != _digest(tuple(fields), previous):
                    return Broken(expected, "its content was changed")
                if head is not None and head.seq == expected and digest.hex() != kept:
                    return Broken(expected, "the trail was written anew up to here")
                previous, expected = digest, expected + 1
        if head is not None and head.seq >= expected:
            return Broken(expected, "the trail was cut off here")
        return None

    def _head(self) -> Head:
        row = self._connection.execute("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
        return Head(row[0], row[1].hex()) if row else Head(0, _START.hex())


def _digest(row: tuple[Any, ...], previous: bytes) -> bytes:
    return hashlib.sha256(previous + msgspec.json.encode(row)).digest()
