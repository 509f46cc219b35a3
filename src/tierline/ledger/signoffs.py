"""Sign-offs: who looked at a task's row of the worksheet again, when, why, and what held then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from tierline.ledger.audit import Audit
from tierline.ledger.connection import Connection, told, transaction


class Signoff(msgspec.Struct, frozen=True):
    """A task was looked at by `by` at Unix time `at`; `facts` is what held then, as JSON values."""

    task: str
    at: float
    by: str
    why: str
    facts: Mapping[str, Any]


class Signoffs:
    """The sign-offs of a ledger. Nothing is overwritten: the newest of a task counts. `clock` gives Unix time in seconds."""

    def __init__(self, path: Path, connection: Connection, audit: Audit | None, clock: Callable[[], float]) -> None:
        self._path = path
        self._connection = connection
        self._audit = audit
        self._clock = clock

    def add(self, task: str, by: str, why: str, facts: Mapping[str, Any]) -> Signoff:
        """Sign a task off now; who did so stands in the audit."""
        at = self._clock()
        with told(self._path), transaction(self._connection):
            self._connection.execute(
                'INSERT INTO signoffs (at, task, "by", why, facts) VALUES (?, ?, ?, ?, ?)',
                (at, task, by, why, msgspec.json.encode(facts, order="sorted").decode()),
            )
            assert self._audit is not None, "a reader signs nothing"
            self._audit.add_within(by, "sign off", f"task/{task}", {"why": why})
        return Signoff(task, at, by, why, facts)

    def newest(self) -> dict[str, Signoff]:
        """The last sign-off of every task that has one."""
        with told(self._path):
            rows = self._connection.execute('SELECT task, at, "by", why, facts FROM signoffs ORDER BY at, id').fetchall()
        return {task: Signoff(task, at, by, why, msgspec.json.decode(facts)) for task, at, by, why, facts in rows}
