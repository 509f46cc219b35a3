"""From a decision log to what an experiment measured: one unit a session, or a request that has none.

A session keeps its arm, so its requests are not so many independent draws: together they are one unit, with the mean of what was
measured of them. A unit stands where its last value became known, and its shares are those of its first request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec
import numpy as np

from tierline.decision_log.codec import stored_features, stored_view
from tierline.decision_log.reader import Filter, LogReader
from tierline.evaluation.experiments.contrast import Units
from tierline.evaluation.labels.sayings import GOOD, Said, Sayings
from tierline.evaluation.replay.logged import judged

METRICS = ("pass_rate", "score", "error_rate", "cost", "latency")
"""What is measured of each request. `pass_rate`: whether the answer was good enough (a score of a half or more); `score`: how good;
`error_rate`: whether nobody answered; `cost` in USD; `latency` in seconds."""

RATES = frozenset({"pass_rate", "score", "error_rate"})
"""Metrics between 0 and 1."""

FEWER_IS_BETTER = frozenset({"error_rate", "cost", "latency"})

_COLUMNS = ("request_id", "model", "arm", "status", "cost", "latency", "winner", "stopped", "answered", "features", "view", "tried")


class Row(msgspec.Struct, frozen=True):
    """One request that took part: when it ended, its unit, its arm, the shares of all arms then, and what was measured; None where that is
    not known. `model` is who answered."""

    at: float
    unit: str
    arm: str
    shares: Mapping[str, float]
    failed: bool
    cost: float | None
    latency: float | None
    score: float | None
    model: str = ""


def rows_of(reader: LogReader, experiment: str, since: float, most: int | None = None) -> Iterator[tuple[str, Row]]:
    """The requests that took part from a moment on (Unix seconds), by their ids."""
    return rows_where(reader, Filter(since=since, experiment=experiment), most)


def rows_where(reader: LogReader, which: Filter, most: int | None = None) -> Iterator[tuple[str, Row]]:
    """The same for any requests; those of no experiment have an empty arm."""
    alike: dict[tuple[tuple[str, float], ...], Mapping[str, float]] = {}
    for page in reader.pages(_COLUMNS, which, most):
        for at, _, request_id, model, status, cost, latency, arm, winner, stopped, answered, features, view, tried in page:
            if answered or stopped == "cancelled":
                continue
            session = stored_features(features).session
            said = tuple(stored_view(view).arms.items())
            shares = alike.get(said) or alike.setdefault(said, {arm.partition("/")[2]: share for arm, share in said})
            name = arm.partition("/")[2]
            verdict, _ = judged(request_id, {}, tried, winner)
            there = winner is not None and status < 500
            yield (
                request_id,
                Row(
                    at,
                    f"{session}\n{name}" if session else request_id,
                    name,
                    shares,
                    not there,
                    cost if there else None,
                    latency if there else None,
                    verdict,
                    model,
                ),
            )


def value_of(row: Row, said: Said | None, metric: str) -> float | None:
    """What was measured of one request by a metric; None where it is not."""
    if metric == "cost":
        return row.cost
    if metric == "latency":
        return row.latency
    if metric == "error_rate":
        return float(row.failed)
    score = row.score if said is None else said.score
    return score if score is None or metric == "score" else float(score >= GOOD)


class _Unit:
    """One unit while it is put together: when its last value became known, their sum and count, and its first request."""

    __slots__ = ("count", "first", "known", "total")

    def __init__(self, row: Row) -> None:
        self.known, self.total, self.count, self.first = 0.0, 0.0, 0, row


def units_of(rows: Mapping[str, Row], said: Sayings, names: tuple[str, ...], metric: str) -> Units:
    """The units by one metric, in the order in which they became known."""
    index = {name: at for at, name in enumerate(names)}
    spoken = said if metric in ("pass_rate", "score") else {}
    made: dict[str, _Unit] = {}
    for request, row in rows.items():
        word = spoken.get((request, row.model))
        value = value_of(row, word, metric)
        if value is None or row.arm not in index:
            continue
        unit = made.get(row.unit)
        if unit is None:
            unit = made[row.unit] = _Unit(row)
        elif row.at < unit.first.at:
            unit.first = row
        unit.total, unit.count = unit.total + value, unit.count + 1
        unit.known = max(unit.known, row.at if word is None else max(row.at, word.at))
    ordered = sorted(made.values(), key=lambda unit: (unit.known, unit.first.at))
    shares = {id(unit.first.shares): unit.first.shares for unit in ordered}
    vectors = {key: [given.get(name, 0.0) for name in names] for key, given in shares.items()}
    return Units(
        names,
        np.array([unit.total / unit.count for unit in ordered], dtype=float),
        np.array([index[unit.first.arm] for unit in ordered], dtype=np.int64),
        np.array([vectors[id(unit.first.shares)] for unit in ordered], dtype=float).reshape(len(ordered), len(names)),
    )
