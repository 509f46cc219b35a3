"""Models that answered beside, unseen: what each answer cost, whether it passed its checks, and how it stood against the client's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from tierline.ledger.connection import Connection, told, transaction
from tierline.types.outcome import NO_USAGE, Usage, Verdict

Judgement = Literal["", "won", "lost", "same", "disagreed", "unread"]
"""How a shadow's answer stood against the client's: better or worse in both orders, saying the same, better in one order only (the judge
disagrees with itself), or not to be told from what the judge said; empty: not compared."""

_COLUMNS = "request_id, at, route, task, model, against, share, ok, passed, cost, elapsed, judge, judgement, detail"


class Shadowed(msgspec.Struct, frozen=True):
    """One answer given beside: of `model`, to the request that the client got `against`'s answer to. `at` is Unix time in seconds,
    `share` the share of such requests that are drawn, `passed` None where no validator looked, `cost` USD with its checks and its
    judge (of it `judging`), `elapsed` seconds to the answer and its checks, `judge` who is to compare it (the model and the digest of its
    instruction). `error` is set where none came."""

    request_id: str
    at: float
    route: str
    task: str
    model: str
    against: str
    share: float
    ok: bool
    passed: bool | None = None
    cost: float = 0.0
    elapsed: float = 0.0
    judge: str = ""
    judgement: Judgement = ""
    judging: float = 0.0
    usage: Usage = NO_USAGE
    verdicts: tuple[Verdict, ...] = ()
    error: str = ""


class Standing(msgspec.Struct, frozen=True):
    """How one model stood beside another in one task, as one judge saw it. Of `runs` answers asked for `ok` came; of those `checked` had
    validators and `passed` passed; `won` to `unread` count the judgements. `requests` is how many requests they stand for, each weighing
    one over its share; `pass_rate` in [0, 1] is weighted likewise. USD and seconds (the mean)."""

    task: str
    model: str
    against: str
    judge: str
    runs: int
    ok: int
    checked: int
    passed: int
    pass_rate: float | None
    won: int
    lost: int
    same: int
    disagreed: int
    unread: int
    requests: float
    cost: float
    elapsed: float | None

    @property
    def self_disagreement(self) -> float | None:
        """The share of comparisons in which the judge named another answer when their order was turned; None where there was none."""
        read = self.won + self.lost + self.disagreed
        return self.disagreed / read if read else None


class Spent(msgspec.Struct, frozen=True):
    """USD by route of the rows after one place, and the place of the last row read."""

    last: int
    by_route: Mapping[str, float]


class Shadows:
    """The shadows of a ledger."""

    def __init__(self, path: Path, connection: Connection) -> None:
        self._path = path
        self._connection = connection

    def add(self, rows: Sequence[Shadowed]) -> None:
        """Keep them all, or none."""
        with told(self._path), transaction(self._connection):
            self._connection.executemany(
                f"INSERT INTO shadows ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608  # a constant of this file
                [_values(row) for row in rows],
            )

    def of(self, request_id: str) -> list[Shadowed]:
        """What answered beside one request, oldest first."""
        with told(self._path):
            rows = self._connection.execute(
                f"SELECT {_COLUMNS} FROM shadows WHERE request_id = ? ORDER BY id",  # noqa: S608  # a constant of this file
                (request_id,),
            )
            return [_row(row) for row in rows]

    def since(self, moment: float) -> Iterator[Shadowed]:
        """What answered beside from a moment on (Unix seconds), oldest first."""
        with told(self._path):
            rows = self._connection.execute(f"SELECT {_COLUMNS} FROM shadows WHERE at >= ? ORDER BY at", (moment,))  # noqa: S608
            yield from map(_row, rows)

    def spent(self, since: float, after: int = 0) -> Spent:
        """What was spent from a moment on (Unix seconds), in the rows after that place."""
        with told(self._path):
            rows = self._connection.execute(
                "SELECT route, coalesce(sum(cost), 0.0), max(id) FROM shadows WHERE at >= ? AND id > ? GROUP BY route", (since, after)
            ).fetchall()
        return Spent(max([after, *(last for _, _, last in rows)]), {route: usd for route, usd, _ in rows})

    def standings(self, since: float = 0.0, until: float | None = None, route: str = "", task: str = "", model: str = "") -> list[Standing]:
        """How the models stood, those with most answers first; of one route, task or model where that is given."""
        with told(self._path):
            rows = self._connection.execute(
                """
                SELECT task, model, against, judge, count(*), sum(ok), count(passed), coalesce(sum(passed), 0),
                       sum(passed / share) / sum(CASE WHEN passed IS NOT NULL THEN 1 / share END),
                       sum(CASE judgement WHEN 'won' THEN 1 ELSE 0 END), sum(CASE judgement WHEN 'lost' THEN 1 ELSE 0 END),
                       sum(CASE judgement WHEN 'same' THEN 1 ELSE 0 END), sum(CASE judgement WHEN 'disagreed' THEN 1 ELSE 0 END),
                       sum(CASE judgement WHEN 'unread' THEN 1 ELSE 0 END), sum(1 / share), sum(cost),
                       avg(CASE WHEN ok = 1 THEN elapsed END)
                FROM shadows WHERE at >= ? AND at < ? AND ? IN ('', route) AND ? IN ('', task) AND ? IN ('', model)
                GROUP BY task, model, against, judge ORDER BY count(*) DESC, task, model, against, judge
                """,
                (since, float("inf") if until is None else until, route, task, model),
            ).fetchall()
        return [Standing(*row) for row in rows]


def _values(row: Shadowed) -> tuple[object, ...]:
    detail = {"usage": row.usage, "verdicts": row.verdicts, "error": row.error, "judging": row.judging}
    return (
        *(row.request_id, row.at, row.route, row.task, row.model, row.against, row.share, row.ok, row.passed, row.cost, row.elapsed),
        *(row.judge, row.judgement, msgspec.json.encode(detail).decode()),
    )


class _Detail(msgspec.Struct):
    usage: Usage
    verdicts: tuple[Verdict, ...]
    error: str
    judging: float = 0.0


def _row(stored: Sequence[object]) -> Shadowed:
    *plain, detail = stored
    told = msgspec.json.decode(str(detail), type=_Detail)
    names = [name.strip() for name in _COLUMNS.split(",")][:-1]
    fields = dict(zip(names, plain, strict=True))
    return msgspec.convert(
        {**fields, "ok": bool(fields["ok"]), "passed": None if fields["passed"] is None else bool(fields["passed"])}
        | {"usage": told.usage, "verdicts": told.verdicts, "error": told.error, "judging": told.judging},
        Shadowed,
    )
