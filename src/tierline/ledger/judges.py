"""What was measured of judges against labels that are trusted. A judge without a valid verdict may neither gate nor train anything."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from tierline.ledger.connection import Connection, told

_COLUMNS = "at, judge, task, report, valid"
_DIGITS = 12
ALL = ""
"""As a task: every task together."""


class JudgeVerdict(msgspec.Struct, frozen=True):
    """What was measured of a judge on one task (`ALL`: over all) at Unix time `at`. `judge` is `judge_name`, as its labels carry it
    in `by`; `report` holds agreement, kappa, bias and counts; `valid`: it met the bars."""

    at: float
    judge: str
    task: str
    report: Mapping[str, Any]
    valid: bool


def judge_name(model: str, *instruction: str) -> str:
    """Who judges: the model, and a digest of the words by which it does so. With another instruction it is another judge."""
    digest = hashlib.sha256("\0".join(instruction).encode()).hexdigest()[:_DIGITS]
    return f"{model}@{digest}"


class Judges:
    """The verdicts on judges of a ledger. Nothing is overwritten: the newest of a judge and task counts."""

    def __init__(self, path: Path, connection: Connection) -> None:
        self._path = path
        self._connection = connection

    def add(self, verdict: JudgeVerdict) -> None:
        """Keep one."""
        words = msgspec.json.encode(verdict.report, order="sorted").decode()
        with told(self._path):
            self._connection.execute(
                f"INSERT INTO judges ({_COLUMNS}) VALUES (?, ?, ?, ?, ?)",  # noqa: S608  # a constant of this file
                (verdict.at, verdict.judge, verdict.task, words, verdict.valid),
            )

    def all(self) -> Iterator[JudgeVerdict]:
        """Every verdict that was ever given, oldest first."""
        with told(self._path):
            rows = self._connection.execute(f"SELECT {_COLUMNS} FROM judges ORDER BY id").fetchall()  # noqa: S608  # a constant
        return (JudgeVerdict(at, judge, task, msgspec.json.decode(report), bool(valid)) for at, judge, task, report, valid in rows)

    def standing(self) -> dict[tuple[str, str], JudgeVerdict]:
        """The newest verdict by judge and task."""
        return {(verdict.judge, verdict.task): verdict for verdict in self.all()}


def verdict_on(standing: Mapping[tuple[str, str], JudgeVerdict], judge: str, task: str) -> JudgeVerdict | None:
    """What counts for a judge's labels on a task: the verdict on that task, else the one over all; None where it was never measured."""
    return standing.get((judge, task)) or standing.get((judge, ALL))
