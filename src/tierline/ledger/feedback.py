"""What people and programs said of answers, by the id of the decision."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import msgspec

from tierline.ledger.connection import Connection, told

_COLUMNS = "request_id, at, score, accept, correction, source, tool_success, kind"
_PAGE = 500
_ABSENT = {"tool_success": "NULL", "kind": "''"}
"""What stands for a column that a file of an older release has not."""

Kind = Literal["", "user", "pipeline"]
"""Who speaks through a key: an end user, a program that checked the answer, or nothing was said."""


class Feedback(msgspec.Struct, frozen=True):
    """One judgement of one answer at Unix time `at`: a `score` from 0 to 1, whether it was good enough, the answer it should have
    been (text, only where it was given), who says so (`source` names the key, `kind` who speaks through it), and whether the tools that
    it called did their work. None where nothing was said."""

    request_id: str
    at: float
    score: float | None = None
    accept: bool | None = None
    correction: str | None = None
    source: str = ""
    tool_success: bool | None = None
    kind: Kind = ""


def check(feedback: Feedback) -> None:
    """Raises ValueError when its score is outside 0 to 1 or it says nothing."""
    if feedback.score is not None and not 0.0 <= feedback.score <= 1.0:
        raise ValueError(f"score must be between 0 and 1, not {feedback.score}")
    if feedback.score is None and feedback.accept is None and feedback.correction is None and feedback.tool_success is None:
        raise ValueError("feedback says nothing: give score, accept, correction or tool_success")


class Feedbacks:
    """The feedback of a ledger. A request may have any number; nothing is ever overwritten."""

    def __init__(self, path: Path, connection: Connection) -> None:
        self._path = path
        self._connection = connection

    @cached_property
    def _select(self) -> str:
        with told(self._path):
            there = self._connection.columns("feedback")
        return ", ".join([name if name in there else _ABSENT[name] for name in _COLUMNS.split(", ")])

    def add(self, feedback: Feedback) -> None:
        """Keep one judgement; raises ValueError when its score is outside 0 to 1 or it says nothing."""
        check(feedback)
        with told(self._path):
            self._connection.execute(
                f"INSERT INTO feedback ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608  # a constant of this file
                msgspec.structs.astuple(feedback),
            )

    def of(self, request_id: str) -> list[Feedback]:
        """What was said of one request, oldest first."""
        with told(self._path):
            rows = self._connection.execute(
                f"SELECT {self._select} FROM feedback WHERE request_id = ? ORDER BY id",  # noqa: S608  # a constant of this file
                (request_id,),
            )
            return [_feedback(row) for row in rows]

    def since(self, at: float = 0.0) -> Iterator[Feedback]:
        """All of it from a moment on (Unix seconds), in the order of writing, page by page."""
        after = 0
        while True:
            with told(self._path):
                page = self._connection.execute(
                    f"SELECT id, {self._select} FROM feedback WHERE at >= ? AND id > ? ORDER BY id LIMIT ?",  # noqa: S608  # a constant
                    (at, after, _PAGE),
                ).fetchall()
            yield from (_feedback(row[1:]) for row in page)
            if len(page) < _PAGE:
                return
            after = page[-1][0]


def _feedback(row: tuple[Any, ...]) -> Feedback:
    request_id, at, score, accept, correction, source, tool_success, kind = row
    return Feedback(request_id, at, score, _truth(accept), correction, source, _truth(tool_success), kind)


def _truth(stored: int | None) -> bool | None:
    return None if stored is None else bool(stored)
