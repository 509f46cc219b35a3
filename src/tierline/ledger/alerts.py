"""Alerts, and what those who watch need to remember: the hours that were counted, and which of several processes is to look.

At most one alert is open for a watch and subject: the table's index sees to it, whoever writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from tierline.ledger.connection import Connection, told, transaction
from tierline.types.alert import Alert

State = Literal["open", "recovered", "all"]

_WHERE: Mapping[State, str] = {"open": "recovered IS NULL", "recovered": "recovered IS NOT NULL", "all": "1 = 1"}
_COLUMNS = "watch, subject, raised, since, was, now, sure, what, todo, requests, recovered, id"


class Alerts:
    """The alerts of a ledger."""

    def __init__(self, path: Path, connection: Connection) -> None:
        self._path = path
        self._connection = connection

    def put(self, alert: Alert) -> Alert | None:
        """Open an alert; None where one is open already for its watch and subject."""
        requests = msgspec.json.encode(alert.requests).decode()
        with told(self._path), transaction(self._connection):
            made = self._connection.execute(
                "INSERT INTO alerts (watch, subject, raised, since, was, now, sure, what, todo, requests) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id",
                (*msgspec.structs.astuple(alert)[:9], requests),
            ).fetchone()
            return None if made is None else msgspec.structs.replace(alert, id=made[0])

    def recover(self, number: int, at: float) -> bool:
        """Note that an alert is over; returns False where it is already."""
        with told(self._path), transaction(self._connection):
            statement = "UPDATE alerts SET recovered = ? WHERE id = ? AND recovered IS NULL"
            return self._connection.execute(statement, (at, number)).rowcount == 1

    def list(self, state: State = "open", limit: int = 100) -> Sequence[Alert]:
        """The newest first."""
        return self._found(_WHERE[state], (), limit)

    def untold(self) -> tuple[Sequence[Alert], Sequence[Alert]]:
        """Alerts that nobody was told of yet, and those of which nobody was told that they are over; the newest first."""
        return self._found("told IS NULL", ()), self._found("recovered IS NOT NULL AND told_over IS NULL AND told IS NOT NULL", ())

    def told(self, number: int, at: float, *, over: bool = False) -> None:
        """Note that those who are to know were told of an alert, or that it is over."""
        column = "told_over" if over else "told"
        with told(self._path), transaction(self._connection):
            self._connection.execute(f"UPDATE alerts SET {column} = ? WHERE id = ?", (at, number))  # noqa: S608  # one of two names

    def ended(self, since: float) -> dict[tuple[str, str], float]:
        """When each watch and subject last recovered, where that was after a time."""
        with told(self._path):
            rows = self._connection.execute(
                "SELECT watch, subject, max(recovered) FROM alerts WHERE recovered > ? GROUP BY watch, subject", (since,)
            )
            return {(watch, subject): at for watch, subject, at in rows}

    def take(self, what: str, holder: str, at: float, until: float) -> bool:
        """Whether a process is the one that does something from now until a time: it is already, or nobody is any more."""
        with told(self._path), transaction(self._connection):
            taken = self._connection.execute(
                "INSERT INTO watchers (what, holder, until) VALUES (?, ?, ?) ON CONFLICT (what) DO UPDATE "
                "SET holder = excluded.holder, until = excluded.until WHERE watchers.until < ? OR watchers.holder = excluded.holder",
                (what, holder, until, at),
            )
            return taken.rowcount == 1

    def hours(self, first: int) -> Sequence[tuple[int, bytes]]:
        """What is kept of hours from one on, the oldest first."""
        with told(self._path):
            return self._connection.execute("SELECT hour, tally FROM hours WHERE hour >= ? ORDER BY hour", (first,)).fetchall()

    def keep(self, hours: Sequence[tuple[int, bytes]], first: int) -> None:
        """Keep these hours, and forget those before the first that is needed."""
        with told(self._path), transaction(self._connection):
            self._connection.executemany(
                "INSERT INTO hours (hour, tally) VALUES (?, ?) ON CONFLICT (hour) DO UPDATE SET tally = excluded.tally", list(hours)
            )
            self._connection.execute("DELETE FROM hours WHERE hour < ?", (first,))

    def _found(self, where: str, values: Sequence[Any], limit: int = 1000) -> Sequence[Alert]:
        with told(self._path):
            rows = self._connection.execute(
                f"SELECT {_COLUMNS} FROM alerts WHERE {where} ORDER BY raised DESC, id DESC LIMIT ?",  # noqa: S608  # conditions of this file
                (*values, limit),
            )
            return [_alert(row) for row in rows]


def _alert(row: tuple[Any, ...]) -> Alert:
    watch, subject, raised, since, was, now, sure, what, todo, requests, recovered, number = row
    return Alert(watch, subject, raised, since, was, now, sure, what, todo, tuple(msgspec.json.decode(requests)), recovered, number)
