"""The arms of experiments: what was done to each while its experiment ran, by whom and why. Rows are only ever added; the newest counts.

A row's `share` is empty where the arm has the share that the spec gives it."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from tierline.ledger.audit import Audit
from tierline.ledger.connection import Connection, told, transaction

State = Literal["running", "stopped", "won"]

_COLUMNS = 'at, experiment, arm, state, share, why, "by", definition'


class Keep(enum.Enum):
    """That a share stays what it is."""

    IT = 0


KEEP = Keep.IT


class ArmEntry(msgspec.Struct, frozen=True):
    """One thing that was done to an arm at Unix time `at`. `share` is what it was set to, None: as the spec says; `definition` is the
    digest of what the experiment compares."""

    at: float
    experiment: str
    arm: str
    state: State
    share: float | None
    why: str
    by: str
    definition: str


class Arms:
    """The arms of a ledger. That an experiment or an arm exists is for the caller to check."""

    def __init__(self, path: Path, connection: Connection, audit: Audit | None, clock: Callable[[], float]) -> None:
        self._path = path
        self._connection = connection
        self._audit = audit
        self._clock = clock

    def begin(self, experiment: str, definition: str, arms: tuple[str, ...], by: str) -> bool:
        """Let an experiment run; returns False where it runs already. One that compares something else now begins anew: what was said of
        its arms before counts no more."""
        with told(self._path), transaction(self._connection):
            known = {entry.definition: entry for entry in self._now(experiment)}
            if set(known) == {definition}:
                return False
            for arm in arms:
                self._add(ArmEntry(self._clock(), experiment, arm, "running", None, "the spec was taken", by, definition))
            self._note(by, "experiment_begun", experiment, {"arms": list(arms), "definition": definition})
            return True

    def stop(self, experiment: str, arm: str, why: str, by: str) -> bool:
        """Take an arm's share to zero; returns False where it is stopped already, or never ran."""
        return self._turn(experiment, arm, "stopped", 0.0, why, by)

    def resume(self, experiment: str, arm: str, why: str, by: str) -> bool:
        """Give a stopped arm its share back; returns False where it is not stopped."""
        return self._turn(experiment, arm, "running", None, why, by)

    def win(self, experiment: str, arm: str, why: str, by: str) -> bool:
        """Note that an arm has won; nobody's share changes. Returns False where that was noted before, or the arm never ran."""
        return self._turn(experiment, arm, "won", KEEP, why, by)

    def share(self, experiment: str, shares: Mapping[str, float], why: str, by: str) -> None:
        """Give the arms that run other shares."""
        with told(self._path), transaction(self._connection):
            for entry in self._now(experiment):
                if entry.arm in shares and entry.state == "running":
                    self._add(msgspec.structs.replace(entry, at=self._clock(), share=shares[entry.arm], why=why, by=by))

    def now(self, experiment: str = "") -> list[ArmEntry]:
        """The newest entry of each arm of the experiments as they are defined now, or of one of them."""
        with told(self._path):
            return self._now(experiment)

    def began(self, experiment: str) -> float | None:
        """When an experiment began to compare what it compares now, Unix seconds; None where it never did."""
        with told(self._path):
            row = self._connection.execute(
                "SELECT min(at) FROM arms WHERE experiment = ? AND id > coalesce((SELECT max(id) FROM arms WHERE experiment = ? AND "
                "definition != (SELECT definition FROM arms WHERE experiment = ? ORDER BY id DESC LIMIT 1)), 0)",
                (experiment, experiment, experiment),
            ).fetchone()
            return None if row is None else row[0]

    def history(self, experiment: str, limit: int = 100) -> list[ArmEntry]:
        """What was done to an experiment's arms, newest first."""
        with told(self._path):
            rows = self._connection.execute(
                f"SELECT {_COLUMNS} FROM arms WHERE experiment = ? ORDER BY id DESC LIMIT ?",  # noqa: S608  # a constant of this file
                (experiment, limit),
            )
            return [ArmEntry(*row) for row in rows]

    def _turn(self, experiment: str, arm: str, state: State, share: float | Keep | None, why: str, by: str) -> bool:
        with told(self._path), transaction(self._connection):
            entry = next((entry for entry in self._now(experiment) if entry.arm == arm), None)
            if entry is None or entry.state == state:
                return False
            after = entry.share if isinstance(share, Keep) else share
            self._add(msgspec.structs.replace(entry, at=self._clock(), state=state, share=after, why=why, by=by))
            self._note(by, f"arm_{state}", f"{experiment}/{arm}", {"why": why})
            return True

    def _now(self, experiment: str) -> list[ArmEntry]:
        """Newest entry of each arm whose definition is that of the experiment's newest entry."""
        rows = self._connection.execute(
            f"SELECT {_COLUMNS} FROM arms WHERE id IN (SELECT max(id) FROM arms GROUP BY experiment, arm, definition) "  # noqa: S608  # a constant
            "AND definition = (SELECT last.definition FROM arms AS last WHERE last.experiment = arms.experiment ORDER BY id DESC LIMIT 1) "
            "AND (? = '' OR experiment = ?) ORDER BY experiment, arm",
            (experiment, experiment),
        )
        return [ArmEntry(*row) for row in rows]

    def _add(self, entry: ArmEntry) -> None:
        self._connection.execute(
            f"INSERT INTO arms ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608  # a constant of this file
            msgspec.structs.astuple(entry),
        )

    def _note(self, by: str, action: str, subject: str, detail: Mapping[str, object]) -> None:
        if self._audit is not None:
            self._audit.add_within(by, action, subject, detail)
