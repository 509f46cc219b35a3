"""Who did what, and when: a trail to which entries are only ever added.

Each entry carries the hash of the one before, so an entry that is changed, taken out or put in between is found by `verify`.
What a chain alone cannot show is that its newest entries were cut off: keep `head` elsewhere and give it to `verify`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from tierline.ledger.connection import Connection, told, transaction

_START = bytes(32)
_ALL = 2**63 - 1
_PAGE = 1000
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


class Link(msgspec.Struct, frozen=True):
    """An entry in its place in the chain: the hash of the one before it, and its own; hexadecimal."""

    entry: Entry
    previous: str
    hash: str

    @property
    def head(self) -> Head:
        """The head of a trail that ends here."""
        return Head(self.entry.seq, self.hash)


class Broken(msgspec.Struct, frozen=True):
    """The first place at which the trail was tampered with."""

    seq: int
    reason: str


class Audit:
    """The audit trail of a ledger."""

    def __init__(self, path: Path, connection: Connection, clock: Callable[[], float]) -> None:
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
        previous, row = bytes.fromhex(head.hash), _row(entry)
        self._connection.execute(
            f"INSERT INTO audit ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608  # a constant of this file
            (*row, previous, _digest(row, previous)),
        )
        return entry

    def add_change(self, who: str, action: str, subject: str, detail: Mapping[str, Any] | None = None) -> Entry | None:
        """Add an entry unless the newest of that action is about the same subject already: several processes see one change."""
        with told(self._path), transaction(self._connection):
            newest = self._connection.execute("SELECT subject FROM audit WHERE action = ? ORDER BY seq DESC LIMIT 1", (action,)).fetchone()
            return None if newest == (subject,) else self.add_within(who, action, subject, detail)

    def list(self, limit: int | None = None) -> list[Entry]:
        """The newest entries first."""
        with told(self._path):
            rows = self._connection.execute(
                "SELECT seq, at, who, action, subject, detail FROM audit ORDER BY seq DESC LIMIT ?", (_ALL if limit is None else limit,)
            )
            return [Entry(seq, at, who, action, subject, msgspec.json.decode(detail)) for seq, at, who, action, subject, detail in rows]

    def head(self) -> Head:
        """The newest entry's number and hash."""
        with told(self._path):
            return self._head()

    def links(self) -> Iterator[Link]:
        """The whole chain, the oldest entry first."""
        after = -_ALL
        while True:
            with told(self._path):
                page = self._connection.execute(
                    f"SELECT {_COLUMNS} FROM audit WHERE seq > ? ORDER BY seq LIMIT ?",  # noqa: S608  # a constant of this file
                    (after, _PAGE),
                ).fetchall()
            for seq, at, who, action, subject, detail, previous, digest in page:
                moment = at if isinstance(at, float) else 0.0  # somebody may have written over it
                yield Link(Entry(seq, moment, who, action, subject, _read(detail)), _hex(previous), _hex(digest))
            if len(page) < _PAGE:
                return
            after = page[-1][0]

    def verify(self, head: Head | None = None) -> Broken | None:
        """The first entry that is not as it was written, or None. With an earlier `head`, also whether the trail still holds it."""
        return verify(self.links(), head)

    def _head(self) -> Head:
        row = self._connection.execute("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
        return Head(row[0], row[1].hex()) if row else Head(0, _START.hex())


def verify(links: Iterable[Link], head: Head | None = None, *, part: bool = False) -> Broken | None:
    """The first of these links that is not as it was written, or None. With an earlier `head`, also whether they still hold it.
    `part`: they may begin with a later entry than the first; what was before it is taken on trust."""
    expected, previous = 1, _START.hex()
    for number, link in enumerate(links):
        seq = link.entry.seq
        if part and number == 0:
            expected, previous = seq, previous if seq == 1 else link.previous
        if seq != expected:
            return Broken(expected, "the entry is missing")
        if link.previous != previous:
            return Broken(expected, "it does not follow on the entry before it")
        if link.hash != _digest(_row(link.entry), bytes.fromhex(previous)).hex():
            return Broken(expected, "its content was changed")
        if head is not None and head.seq == expected and link.hash != head.hash:
            return Broken(expected, "the trail was written anew up to here")
        expected, previous = expected + 1, link.hash
    if head is not None and head.seq >= expected:
        return Broken(expected, "the trail was cut off here")
    return None


def _row(entry: Entry) -> tuple[Any, ...]:
    words = msgspec.json.encode(entry.detail, order="sorted").decode()
    return (entry.seq, entry.at, entry.who, entry.action, entry.subject, words)


def _read(detail: str) -> Any:
    """What somebody has written over an entry need not be JSON any more."""
    try:
        return msgspec.json.decode(detail)
    except msgspec.DecodeError:
        return {"(not JSON)": detail}


def _hex(stored: Any) -> str:
    return stored.hex() if isinstance(stored, bytes) else f"{stored!r} (no hash)"


def _digest(row: tuple[Any, ...], previous: bytes) -> bytes:
    return hashlib.sha256(previous + msgspec.json.encode(row)).digest()
