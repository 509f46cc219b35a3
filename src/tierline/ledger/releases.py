"""The life cycle of the routing: every stage of every candidate, by whom and why. Rows are only ever added; the newest says what holds.

A spec is put to work in two steps: `publishing` (or `rolling_back`) is the intent, with the file's whole text; once the file has been
replaced, `published` (or `rolled_back`) follows. Whoever finds an intent without its end finishes it, so a crash in between loses
nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from tierline.ledger.audit import Audit
from tierline.ledger.connection import Connection, told, transaction

Stage = Literal["shadow", "canary", "stopped", "publishing", "published", "rolling_back", "rolled_back", "by_hand"]

TAKING: tuple[Stage, ...] = ("publishing", "published", "rolling_back", "rolled_back", "by_hand")
"""Stages whose candidate is the spec at work."""

ENDS: Mapping[Stage, Stage] = {"publishing": "published", "rolling_back": "rolled_back"}
"""Intent → what follows once the file stands."""

_COLUMNS = 'id, at, candidate, before, stage, share, why, detail, "by", written'


class Release(msgspec.Struct, frozen=True):
    """One stage that the spec with the fingerprint `candidate` entered at Unix time `at`. `before` is what it is to replace, or replaced;
    `share` the canary's; `written` the candidate's file, empty where it is not kept; `by` the name of a key or a user."""

    id: int
    at: float
    candidate: str
    before: str
    stage: Stage
    share: float
    why: str
    detail: Mapping[str, Any]
    by: str
    written: str = msgspec.field(default="")

    @property
    def trial(self) -> bool:
        """Whether a candidate is tried beside the spec at work."""
        return self.stage in ("shadow", "canary")


class Rehearsed(msgspec.Struct, frozen=True):
    """What a candidate decided beside the spec at work, of one task: `model` was asked first, `candidate` would have been (empty: it would
    have refused), in so many requests; USD are what the first calls were expected to cost."""

    task: str
    model: str
    candidate: str
    requests: int
    cost: float
    candidate_cost: float


class Releases:
    """The releases of a ledger. That a candidate may go on is for the caller to check."""

    def __init__(self, path: Path, connection: Connection, audit: Audit | None, clock: Callable[[], float]) -> None:
        self._path = path
        self._connection = connection
        self._audit = audit
        self._clock = clock

    def now(self) -> Release | None:
        """The newest row: what holds."""
        with told(self._path):
            return self._one("id > 0")

    def at_work(self) -> Release | None:
        """The row that put the spec at work there; None before the first server ran."""
        with told(self._path):
            return self._at_work()

    def before(self, fingerprint: str) -> str:
        """What the spec replaced when it was last published or changed by hand; empty where there was nothing."""
        with told(self._path):
            row = self._one("candidate = ? AND stage IN ('publishing', 'published', 'by_hand')", fingerprint)
            return "" if row is None else row.before

    def written(self, fingerprint: str) -> str:
        """The file of a spec as it was written; empty where it was never kept."""
        with told(self._path):
            row = self._one("candidate = ? AND written != ''", fingerprint)
            return "" if row is None else row.written

    def add(
        self,
        stage: Stage,
        candidate: str,
        before: str,
        *,
        why: str,
        by: str,
        written: str = "",
        share: float = 0.0,
        detail: Mapping[str, Any] | None = None,
        after: int | None = None,
    ) -> Release | None:
        """Enter a stage, audited. With `after`, only where the newest row is still that one (0: none yet); returns None where it is not."""
        with told(self._path), transaction(self._connection):
            newest = self._one("id > 0")
            if after is not None and (0 if newest is None else newest.id) != after:
                return None
            made = Release(0, self._clock(), candidate, before, stage, share, why, dict(detail or {}), by, written)
            return self._put(made)

    def note(self, candidate: str, written: str, why: str, by: str) -> Release | None:
        """Note that a spec is at work that did not come through here; returns None where it is the one at work already."""
        with told(self._path), transaction(self._connection):
            known = self._at_work()
            if known is not None and known.candidate == candidate:
                return None
            before = "" if known is None else known.candidate
            return self._put(Release(0, self._clock(), candidate, before, "by_hand", 0.0, why, {}, by, written))

    def finish(self, intent: Release) -> bool:
        """Note that the file of an intent stands now; returns False where something else came in between, or somebody has noted it."""
        with told(self._path), transaction(self._connection):
            newest = self._one("id > 0")
            if newest is None or newest.id != intent.id or intent.stage not in ENDS:
                return False
            self._put(msgspec.structs.replace(intent, at=self._clock(), stage=ENDS[intent.stage]))
            return True

    def count(self, release: int, seen: Sequence[Rehearsed]) -> None:
        """Add to what a candidate in shadow decided."""
        with told(self._path), transaction(self._connection):
            self._connection.executemany(
                "INSERT INTO rehearsals (release, task, model, candidate, requests, cost, candidate_cost) VALUES (?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (release, task, model, candidate) DO UPDATE SET requests = rehearsals.requests + excluded.requests, "
                "cost = rehearsals.cost + excluded.cost, candidate_cost = rehearsals.candidate_cost + excluded.candidate_cost",
                [(release, *msgspec.structs.astuple(one)) for one in seen],
            )

    def rehearsed(self, release: int) -> list[Rehearsed]:
        """What a candidate in shadow has decided, the most frequent first."""
        with told(self._path):
            rows = self._connection.execute(
                "SELECT task, model, candidate, requests, cost, candidate_cost FROM rehearsals WHERE release = ? ORDER BY requests DESC",
                (release,),
            )
            return [Rehearsed(*row) for row in rows]

    def list(self, limit: int = 100) -> list[Release]:
        """The newest stages first."""
        with told(self._path):
            rows = self._connection.execute(f"SELECT {_COLUMNS} FROM releases ORDER BY id DESC LIMIT ?", (limit,))  # noqa: S608  # a constant
            return [_release(row) for row in rows]

    def _at_work(self) -> Release | None:
        return self._one(f"stage IN ({', '.join('?' * len(TAKING))})", *TAKING)

    def _one(self, where: str, *values: str) -> Release | None:
        row = self._connection.execute(
            f"SELECT {_COLUMNS} FROM releases WHERE {where} ORDER BY id DESC LIMIT 1",  # noqa: S608  # conditions of this file
            values,
        ).fetchone()
        return None if row is None else _release(row)

    def _put(self, made: Release) -> Release:
        detail = msgspec.json.encode(made.detail).decode()
        added = self._connection.execute(
            'INSERT INTO releases (at, candidate, before, stage, share, why, detail, "by", written) '
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
            (made.at, made.candidate, made.before, made.stage, made.share, made.why, detail, made.by, made.written),
        ).fetchone()
        if self._audit is not None:
            said = {"why": made.why, "before": made.before, "share": made.share, **made.detail}
            self._audit.add_within(made.by, f"release_{made.stage}", made.candidate, said)
        return msgspec.structs.replace(made, id=added[0])


def _release(row: tuple[Any, ...]) -> Release:
    number, at, candidate, before, stage, share, why, detail, by, written = row
    return Release(number, at, candidate, before, stage, share, why, msgspec.json.decode(detail), by, written)
