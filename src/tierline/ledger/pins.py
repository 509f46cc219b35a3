"""Pins: in an incident an operator sets a route to one model, for a time. A pin ends by itself, and who set it stands in the audit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from tierline.ledger.audit import Audit
from tierline.ledger.connection import Connection, told, transaction

_SELECT = 'SELECT id, route, model, since, until, "by", why, ended_by FROM pins'


class Pin(msgspec.Struct, frozen=True):
    """A route pinned to a model from `since` to `until` (Unix seconds), by the key named `by`. `ended_by` names who ended it early."""

    id: int
    route: str
    model: str
    since: float
    until: float
    by: str
    why: str
    ended_by: str = ""


class Pins:
    """The pins of a ledger. A route has at most one at a time; that route and model exist is for the caller to check."""

    def __init__(self, path: Path, connection: Connection, audit: Audit, clock: Callable[[], float]) -> None:
        self._path = path
        self._connection = connection
        self._audit = audit
        self._clock = clock

    def pin(self, route: str, model: str, until: float, by: str, why: str) -> Pin:
        """Pin a route until a moment (Unix seconds) that is still to come; a pin that the route has is ended."""
        now = self._clock()
        if until <= now:
            raise ValueError(f"a pin must end later than now: {until} is past")
        with told(self._path), transaction(self._connection):
            self._end(route, by, now)
            added = self._connection.execute(
                'INSERT INTO pins (route, model, since, until, "by", why) VALUES (?, ?, ?, ?, ?, ?) RETURNING id',
                (route, model, now, until, by, why),
            ).fetchone()
            self._audit.add_within(by, "pin", route, {"model": model, "until": until, "why": why})
        return Pin(added[0], route, model, now, until, by, why)

    def unpin(self, route: str, by: str) -> bool:
        """End a route's pin now; returns False when it has none."""
        with told(self._path), transaction(self._connection):
            ended = self._end(route, by, self._clock())
            if ended:
                self._audit.add_within(by, "unpin", route)
        return ended

    def active(self, now: float) -> Mapping[str, str]:
        """Route → model for the pins that hold at `now` (Unix seconds); read from the file, so other processes' pins count too."""
        with told(self._path):
            rows = self._connection.execute("SELECT route, model FROM pins WHERE until > ? AND since <= ? ORDER BY id", (now, now))
            return dict(rows.fetchall())

    def current(self, now: float) -> list[Pin]:
        """The pins that hold at `now`, the one that ends first first."""
        with told(self._path):
            rows = self._connection.execute(f"{_SELECT} WHERE until > ? AND since <= ? ORDER BY until, id", (now, now))
            return [Pin(*row) for row in rows]

    def history(self, limit: int = 100) -> list[Pin]:
        """The newest pins, ended or not."""
        with told(self._path):
            return [Pin(*row) for row in self._connection.execute(f"{_SELECT} ORDER BY id DESC LIMIT ?", (limit,))]

    def _end(self, route: str, by: str, now: float) -> bool:
        ended = self._connection.execute("UPDATE pins SET until = ?, ended_by = ? WHERE route = ? AND until > ?", (now, by, route, now))
        return ended.rowcount > 0
