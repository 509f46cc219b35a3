"""The review queue: answers that no check accepted and requests that were blocked, for a person to judge.

    open ─► accepted    what the client got was right after all
         ├► corrected   it was not, and this would have been
         └► dismissed   neither; it says nothing

What was judged is a label, and stands among the feedback too. No prompt and no answer is kept here: they are shown where the route's
`log_text` keeps them, for as long as it does. An entry that nobody judged in that time leaves the queue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec

from tierline.ledger.audit import Audit
from tierline.ledger.connection import Connection, told, transaction
from tierline.ledger.feedback import Feedback, Feedbacks
from tierline.types.errors import TierlineError
from tierline.types.outcome import Verdict
from tierline.types.record import Record

Kind = Literal["flagged", "blocked"]
State = Literal["open", "accepted", "corrected", "dismissed"]
STATES: tuple[State, ...] = get_args(State)

MOST = 100_000
"""Entries that are kept; past it the oldest open ones go, then the oldest of all."""
SOURCE = "review"
"""The source of a label that a review gave, as feedback names it."""

BLOCKED = "content_blocked"
"""The error of a record whose request a prepare step blocked."""

_COLUMNS = "request_id, at, kind, route, task, model, verdicts, state, correction, note, reviewed_at, reviewed_by"
_PAGE = 500


class CannotReview(TierlineError):
    """There is no such entry, or it has been judged already."""


class Review(msgspec.Struct, frozen=True):
    """One entry: a request `flagged` (its answer was the best there was, and no check accepted it) or `blocked` (nothing answered it).

    `at` and `reviewed_at` are Unix seconds; `verdicts` are those on the answer given; `correction` is the answer it should have been."""

    request_id: str
    at: float
    kind: Kind
    route: str
    task: str
    model: str
    verdicts: tuple[Verdict, ...] = ()
    state: State = "open"
    correction: str | None = None
    note: str = ""
    reviewed_at: float | None = None
    reviewed_by: str = ""


def review_of(record: Record) -> Review | None:
    """The entry that a logged request makes; None where there is nothing to judge."""
    decision = record.decision
    if record.error == BLOCKED:
        blocks = [aside for aside in record.asides if aside.error == BLOCKED]
        verdicts = tuple([Verdict(aside.purpose, False, aside.detail) for aside in blocks])
        return Review(decision.request_id, record.at, "blocked", decision.route, decision.task, "", verdicts)
    if record.flagged and record.winner is not None:
        tried = record.tried[record.winner]
        return Review(decision.request_id, record.at, "flagged", decision.route, decision.task, tried.target, tried.verdicts)
    return None


class Reviews:
    """The review queue of a ledger. `clock` gives Unix time in seconds."""

    def __init__(self, path: Path, connection: Connection, audit: Audit, feedback: Feedbacks, clock: Callable[[], float]) -> None:
        self._path = path
        self._connection = connection
        self._audit = audit
        self._feedback = feedback
        self._clock = clock

    def add(self, reviews: Sequence[Review], open_for: float) -> None:
        """Put entries into the queue, and take out those that nobody judged within `open_for` seconds. One that is there stays as it is."""
        rows = [(r.request_id, r.at, r.kind, r.route, r.task, r.model, msgspec.json.encode(r.verdicts).decode()) for r in reviews]
        with told(self._path), transaction(self._connection):
            self._connection.executemany(
                "INSERT INTO reviews (request_id, at, kind, route, task, model, verdicts) VALUES (?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (request_id) DO NOTHING",
                rows,
            )
            self._connection.execute("DELETE FROM reviews WHERE state = 'open' AND at < ?", (self._clock() - open_for,))
            over = self._count() - MOST
            if over > 0:
                self._connection.execute(
                    "DELETE FROM reviews WHERE request_id IN (SELECT request_id FROM reviews ORDER BY state <> 'open', at LIMIT ?)", (over,)
                )

    def get(self, request_id: str) -> Review | None:
        """One entry, or None."""
        with told(self._path):
            row = self._connection.execute(
                f"SELECT {_COLUMNS} FROM reviews WHERE request_id = ?",  # noqa: S608  # a constant of this file
                (request_id,),
            ).fetchone()
        return None if row is None else _review(row)

    def list(self, state: State | None = "open", limit: int = 100) -> list[Review]:
        """The newest entries first, of one state or (None) of all."""
        condition, values = ("", []) if state is None else (" WHERE state = ?", [state])
        with told(self._path):
            rows = self._connection.execute(
                f"SELECT {_COLUMNS} FROM reviews{condition} ORDER BY at DESC LIMIT ?",  # noqa: S608  # constants of this file
                [*values, limit],
            )
            return [_review(row) for row in rows]

    def counts(self) -> dict[str, int]:
        """How many there are of each state."""
        with told(self._path):
            found = dict(self._connection.execute("SELECT state, count(*) FROM reviews GROUP BY state").fetchall())
        return {state: int(found.get(state, 0)) for state in STATES}

    def judge(self, request_id: str, state: State, by: str, correction: str | None = None, note: str = "") -> Review:
        """Judge an open entry; who did so stands in the audit, without a word of the answer. Raises CannotReview, and ValueError for a
        correction that is missing or has no place."""
        if state == "open":
            raise ValueError("an entry is accepted, corrected or dismissed")
        if (correction is not None) is not (state == "corrected"):
            raise ValueError("give the right answer with corrected, and with nothing else")
        at = self._clock()
        with told(self._path), transaction(self._connection):
            changed = self._connection.execute(
                "UPDATE reviews SET state = ?, correction = ?, note = ?, reviewed_at = ?, reviewed_by = ? "
                "WHERE request_id = ? AND state = 'open'",
                (state, correction, note, at, by, request_id),
            )
            found = self.get(request_id)
            if found is None:
                raise CannotReview(f"the review queue has no request {request_id[:40]!r}")
            if changed.rowcount != 1:
                raise CannotReview(f"the request {request_id[:40]!r} is {found.state} already, by {found.reviewed_by}")
            self._audit.add_within(by, "review", request_id, {"state": state})
            if state != "dismissed" and found.kind == "flagged":
                self._feedback.add(Feedback(request_id, at, None, state == "accepted", correction, SOURCE))
        return found

    def labels(self) -> Iterator[dict[str, Any]]:
        """What reviews have taught, oldest first: one mapping for each entry that was accepted (`pass`) or corrected (`fail`)."""
        after = (float("-inf"), "")
        while True:
            with told(self._path):
                page = self._connection.execute(
                    f"SELECT {_COLUMNS} FROM reviews WHERE state IN ('accepted', 'corrected') "  # noqa: S608  # a constant of this file
                    "AND (reviewed_at, request_id) > (?, ?) ORDER BY reviewed_at, request_id LIMIT ?",
                    (*after, _PAGE),
                ).fetchall()
            for row in page:
                yield _label(_review(row))
            if len(page) < _PAGE:
                return
            last = _review(page[-1])
            after = (last.reviewed_at or 0.0, last.request_id)

    def _count(self) -> int:
        return int(self._connection.execute("SELECT count(*) FROM reviews").fetchone()[0])


def _review(row: tuple[Any, ...]) -> Review:
    request_id, at, kind, route, task, model, verdicts, *judged = row
    return Review(request_id, at, kind, route, task, model, msgspec.json.decode(verdicts, type=tuple[Verdict, ...]), *judged)


def _label(review: Review) -> dict[str, Any]:
    return {
        "request_id": review.request_id,
        "at": review.at,
        "route": review.route,
        "task": review.task,
        "model": review.model,
        "kind": review.kind,
        "verdicts": [
            {"validator": verdict.validator, "passed": verdict.passed, "detail": verdict.detail, "score": verdict.score}
            for verdict in review.verdicts
        ],
        "label": "pass" if review.state == "accepted" else "fail",
        "correction": review.correction,
        "source": SOURCE,
        "reviewed_at": review.reviewed_at,
        "reviewed_by": review.reviewed_by,
    }
