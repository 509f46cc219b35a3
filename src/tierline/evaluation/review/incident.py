"""How fallbacks behaved in an outage: what failed and when, who answered instead, and what it cost against a normal day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from tierline.decision_log.reader import Filter, LogReader
from tierline.evaluation.review.facts import Row, judged, quantiles, rows_of
from tierline.types.decision import Drop

DAY = 86400.0
DAYS = 7
"""Days before the incident in whose same hours the normal is looked for."""
BARS = 60
"""Most moments of the course of an incident."""
MOST_SHOWN = 5
"""Ids of requests that show something."""


class Stretch(msgspec.Struct, frozen=True):
    """The requests of one stretch of time. Rates in [0, 1], USD a request, seconds; None where nothing was measured. `passed` of `judged`
    answers were good enough; `answered_by`: share by model, empty name: nobody."""

    since: float
    until: float
    requests: int
    error_rate: float
    fallback_rate: float
    escalation_rate: float
    cost: float
    p50: float | None
    p95: float | None
    judged: int
    passed: int
    answered_by: Mapping[str, float]


class Tripped(msgspec.Struct, frozen=True):
    """One model (and door, where it has several) that failed: how many of its calls, of which kinds, from when to when (Unix
    seconds), when it answered again, and how many requests went elsewhere without asking it, because it rested. `instead`: who
    answered those that it failed."""

    model: str
    endpoint: str
    calls: int
    failed: int
    kinds: Mapping[str, int]
    first: float
    last: float
    answered_again: float | None
    spared: int
    instead: Mapping[str, int]
    requests: tuple[str, ...]


class Moment(msgspec.Struct, frozen=True):
    """One bar of the course: requests, failed calls, requests that fell back, and that got no answer."""

    at: float
    requests: int = 0
    failed_calls: int = 0
    fell_back: int = 0
    unanswered: int = 0


class Incident(msgspec.Struct, frozen=True):
    """What happened from `since` to `until`. `normal` is the mean of the same hours of the days before that have any requests, else of the
    stretch right before; `normal_of` says which, `unanswered` are ids of some requests that got no answer."""

    since: float
    until: float
    during: Stretch
    normal: Stretch | None
    normal_of: str
    tripped: tuple[Tripped, ...]
    course: tuple[Moment, ...]
    unanswered: tuple[str, ...]

    @property
    def extra_cost(self) -> float | None:
        """USD that the requests of the incident cost more than so many would have on a normal day."""
        return None if self.normal is None else (self.during.cost - self.normal.cost) * self.during.requests


def incident_of(reader: LogReader, labels: Mapping[str, float], since: float, until: float) -> Incident:
    """What the log says of a stretch of time (Unix seconds). Raises ValueError where it ends before it begins."""
    if until <= since:
        raise ValueError("an incident ends after it begins")
    rows = list(rows_of(reader, since, until))
    normal, normal_of = _normal(reader, labels, since, until)
    course, unanswered = _course(rows, since, until), tuple([row.request_id for row in rows if row.status >= 500][:MOST_SHOWN])
    spared = _spared(reader, since, until)
    return Incident(since, until, _stretch(rows, labels, since, until), normal, normal_of, _tripped(rows, spared), course, unanswered)


def _normal(reader: LogReader, labels: Mapping[str, float], since: float, until: float) -> tuple[Stretch | None, str]:
    days = [rows for day in range(1, DAYS + 1) if (rows := list(rows_of(reader, since - day * DAY, until - day * DAY)))]
    if days and until - since <= DAY:
        return _stretch(
            [row for rows in days for row in rows], labels, since, until
        ), f"the same hours of {len(days)} of the {DAYS} days before"
    before = list(rows_of(reader, 2 * since - until, since))
    return (_stretch(before, labels, 2 * since - until, since), "the stretch before it") if before else (None, "")


def _stretch(rows: list[Row], labels: Mapping[str, float], since: float, until: float) -> Stretch:
    count = max(len(rows), 1)
    p50, p95 = quantiles([row.latency for row in rows if row.status < 400])
    heard = [found[1] for row in rows if (found := judged(row, labels)) is not None]
    by = Counter(row.model for row in rows)
    return Stretch(
        since, until, len(rows), sum(row.status >= 500 for row in rows) / count, sum(row.fallbacks > 0 for row in rows) / count,
        sum(row.escalations > 0 for row in rows) / count, sum(row.cost for row in rows) / count, p50, p95, len(heard), sum(heard),
        {name: number / count for name, number in by.most_common()},
    )  # fmt: skip


def _course(rows: Iterable[Row], since: float, until: float) -> tuple[Moment, ...]:
    wide = max((until - since) / BARS, 1.0)
    bars: list[list[int]] = [[0, 0, 0, 0] for _ in range(int((until - since) / wide + 0.999999))]
    for row in rows:
        bar = bars[min(int((row.at - since) / wide), len(bars) - 1)]
        bar[0] += 1
        bar[1] += sum(not tried.ok and tried.error != "cancelled" for tried in row.tried)
        bar[2] += row.fallbacks > 0
        bar[3] += row.status >= 500
    return tuple([Moment(since + number * wide, *bar) for number, bar in enumerate(bars)])


def _tripped(rows: Iterable[Row], spared: Mapping[str, int]) -> tuple[Tripped, ...]:
    doors: dict[tuple[str, str], _Door] = {}
    for row in rows:
        for tried in row.tried:
            if tried.error != "cancelled":
                doors.setdefault((tried.target, tried.endpoint), _Door()).saw(row, tried.ok, tried.error)
    found = [door.told(model, endpoint, spared.get(model, 0)) for (model, endpoint), door in doors.items() if door.failed]
    return tuple(sorted(found, key=lambda one: -one.failed))


def _spared(reader: LogReader, since: float, until: float) -> dict[str, int]:
    """Requests that did not ask a model because it rested."""
    found: Counter[str] = Counter()
    for record in reader.records(Filter(since=since, until=until)):
        found.update({fallen.model for fallen in record.decision.dropped if fallen.why == Drop.RESTING})
    return dict(found)


class _Door:
    """One door of one model while the rows come in, oldest first."""

    def __init__(self) -> None:
        self.calls = self.failed = 0
        self.kinds: Counter[str] = Counter()
        self.first = self.last = 0.0
        self.again: float | None = None
        self.instead: Counter[str] = Counter()
        self.requests: list[str] = []

    def saw(self, row: Row, ok: bool, error: str) -> None:
        self.calls += 1
        if ok:
            if self.failed and self.again is None:
                self.again = row.at
            return
        self.first = self.first or row.at
        self.last, self.again = row.at, None
        self.failed += 1
        self.kinds[error] += 1
        self.instead[row.model] += 1
        if len(self.requests) < MOST_SHOWN:
            self.requests.append(row.request_id)

    def told(self, model: str, endpoint: str, spared: int) -> Tripped:
        return Tripped(
            model, endpoint, self.calls, self.failed, dict(self.kinds.most_common()), self.first, self.last, self.again, spared,
            dict(self.instead.most_common()), tuple(self.requests),
        )  # fmt: skip
