"""A whole ledger from one place to another: a file's into the database that replicas share, or the database's into a file for analysis.

Into a ledger in which nothing stands everything goes as it is, the audit trail too, link by link. Into one that is in use goes what can be
beside what is there: specs, keys whose names are free, what was said of answers, reviews and shadows. What says what holds now (pins, arms,
releases) and the trail stay as they are there; that something came is an entry of its own, with the head of the trail it came from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from tierline.ledger.connection import Connection, told
from tierline.ledger.ledger import Ledger
from tierline.ledger.reader import LedgerReader

Told = Callable[[int], None]
"""Called with the rows copied so far."""

_ORDERS: Mapping[str, str] = {
    "specs": "first_seen",
    "keys": "created",
    "key_secrets": "created",
    "feedback": "id",
    "labels": "id",
    "judges": "id",
    "shadows": "id",
    "reviews": "at",
    "alerts": "id",
    "signoffs": "id",
}
"""What goes beside what is there, each in the order of its coming."""

_HOLDS: Mapping[str, str] = {"audit": "seq", "pins": "id", "arms": "id"}
_SECRET = ("keys", "key_secrets")


class Copied(msgspec.Struct, frozen=True):
    """Rows that were copied, by table; `clashing` are names of keys that mean another key there, and were left out; `whole`: nothing had
    stood there, so that pins, arms, releases and the audit trail went too."""

    rows: Mapping[str, int]
    clashing: tuple[str, ...]
    whole: bool


def copy_ledger(source: str | Path, target: str | Path, by: str, progress: Told = lambda _: None, *, keys: bool = True) -> Copied:
    """Copy what the source has and the target has not, all or nothing; done again, it adds nothing. Without `keys` no key goes. Raises
    LogFailure."""
    with closing(LedgerReader(source)) as reader, closing(Ledger(target)) as ledger:
        there = reader.connection
        if there is None:
            return Copied({}, (), False)
        with told(ledger.path), ledger.connection.transaction():
            return _Copy(there, ledger, by, progress, () if keys else _SECRET).run()


class _Copy:
    def __init__(self, source: Connection, ledger: Ledger, by: str, progress: Told, without: Collection[str]) -> None:
        self._source = source
        self._ledger = ledger
        self._target = ledger.connection
        self._by = by
        self._progress = progress
        self._without = without
        self._rows: dict[str, int] = {}

    def run(self) -> Copied:
        whole = self._ledger.audit.head().seq == 0 and not self._ledger.keys.any() and self._ledger.releases.now() is None
        clashing = self._clashing()
        tables = {table: order for table, order in _ORDERS.items() if table not in self._without}
        if whole and not self._without:
            tables |= _HOLDS
        for table, order in tables.items():
            self._table(table, order, clashing)
        if whole:
            self._releases()
        elif any(self._rows.values()):
            row = self._source.execute("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
            head = f"{row[0]}:{row[1].hex()}" if row else "0"
            self._ledger.audit.add_within(self._by, "ledger.copied", head, {table: n for table, n in self._rows.items() if n})
        return Copied(self._rows, clashing, whole)

    def _clashing(self) -> tuple[str, ...]:
        """Keys of one name with different secrets: the one that is there stays."""
        ours = self._secrets(self._source)
        theirs = self._secrets(self._target)
        return tuple(sorted(name for name in ours.keys() & theirs.keys() if not ours[name] & theirs[name]))

    def _secrets(self, connection: Connection) -> dict[str, set[bytes]]:
        found: dict[str, set[bytes]] = {}
        if connection.columns("key_secrets"):
            for name, digest in connection.execute("SELECT name, digest FROM key_secrets"):
                found.setdefault(name, set()).add(digest)
        return found

    def _columns(self, table: str) -> list[str]:
        """Those that both have, without the numbers that each gives by itself."""
        return sorted(set(self._source.columns(table)) & set(self._target.columns(table)) - {"id"})

    def _table(self, table: str, order: str, clashing: Collection[str]) -> None:
        columns = self._columns(table)
        if not columns:
            return
        names = ", ".join(f'"{name}"' for name in columns)
        places = ", ".join("?" * len(columns))
        same = " AND ".join(f'"{name}" IS NOT DISTINCT FROM ?' for name in columns)
        # A row with a key of its own is known by it; any other by all that stands in it.
        statement = (
            f"INSERT INTO {table} ({names}) VALUES ({places}) ON CONFLICT DO NOTHING"  # noqa: S608  # names of our schema
            if order != "id"
            else f"INSERT INTO {table} ({names}) SELECT {places} "  # noqa: S608
            f"WHERE NOT EXISTS (SELECT 1 FROM {table} WHERE {same}) ON CONFLICT DO NOTHING"
        )
        count = 0
        for row in self._source.execute(f"SELECT {names} FROM {table} ORDER BY {order}"):  # noqa: S608  # names of our schema
            if table in _SECRET and row[columns.index("name")] in clashing:
                continue
            count += self._target.execute(statement, row if order != "id" else (*row, *row)).rowcount
            self._progress(sum(self._rows.values()) + count)
        self._rows[table] = count

    def _releases(self) -> None:
        """With what was rehearsed for each, whose numbers are others there."""
        columns = self._columns("releases")
        if not columns:
            return
        names = ", ".join(f'"{name}"' for name in columns)
        given: dict[int, int] = {}
        statement = f"INSERT INTO releases ({names}) VALUES ({', '.join('?' * len(columns))}) RETURNING id"  # noqa: S608  # names of our schema
        for number, *row in self._source.execute(f"SELECT id, {names} FROM releases ORDER BY id"):  # noqa: S608  # names of our schema
            given[number] = self._target.execute(statement, row).fetchone()[0]
        self._rows["releases"] = len(given)
        seen = "release, task, model, candidate, requests, cost, candidate_cost"
        rows: list[Sequence[Any]] = [
            (given[row[0]], *row[1:])
            for row in self._source.execute(f"SELECT {seen} FROM rehearsals")  # noqa: S608  # a constant
            if row[0] in given
        ]
        self._target.executemany(f"INSERT INTO rehearsals ({seen}) VALUES (?, ?, ?, ?, ?, ?, ?)", rows)  # noqa: S608  # a constant
