"""A month of traffic by route: cost, latency, escalations, pass rate, each against the month before; and the one route to optimise next.

What could be won on a route is money that bought nothing and quality that was lost, both in USD:

    over-routed  Σ (cost of a request − mean cost of the cheapest model of its task whose measured pass rate clears the bar), where positive
    climbed      Σ cost of first answers that were thrown away on the way up
    failed       Σ failure_cost of the task, for answers that were judged not good enough

The route where their sum is largest is the one to optimise next.
"""

from __future__ import annotations

import calendar
import datetime
from collections.abc import Mapping

import msgspec

from tierline.config.loaded import Loaded
from tierline.decision_log.reader import LogReader
from tierline.evaluation.review.due import ENOUGH
from tierline.evaluation.review.facts import Row, judged, quantiles, rows_of
from tierline.evaluation.wilson import wilson


class Line(msgspec.Struct, frozen=True):
    """One route in one month. USD in all and a request, seconds, rates in [0, 1]; None where nothing was measured."""

    requests: int = 0
    cost: float = 0.0
    p50: float | None = None
    p95: float | None = None
    escalation_rate: float = 0.0
    fallback_rate: float = 0.0
    error_rate: float = 0.0
    judged: int = 0
    passed: int = 0

    @property
    def cost_each(self) -> float:
        """USD a request."""
        return self.cost / self.requests if self.requests else 0.0

    @property
    def pass_rate(self) -> float | None:
        """The part of the judged answers that was good enough."""
        return self.passed / self.judged if self.judged else None


class Waste(msgspec.Struct, frozen=True):
    """What could be won on a route, in USD."""

    over_routed: float = 0.0
    climbed: float = 0.0
    failed: float = 0.0

    @property
    def total(self) -> float:
        """All of it."""
        return self.over_routed + self.climbed + self.failed


class RouteMonth(msgspec.Struct, frozen=True):
    """One route: this month, the month before, and what could be won."""

    route: str
    owner: str
    now: Line
    before: Line
    waste: Waste


class Month(msgspec.Struct, frozen=True):
    """A month of all routes, those that cost most first. `next_route` is the one to optimise next, empty where nothing is to be won."""

    name: str
    since: float
    until: float
    routes: tuple[RouteMonth, ...]
    next_route: str


def span_of(month: str) -> tuple[float, float]:
    """`2026-10` → its first and last moment (Unix seconds, local time). Raises ValueError."""
    try:
        first = datetime.datetime.strptime(month, "%Y-%m").astimezone()
    except ValueError:
        raise ValueError(f"{month!r} is no month: write 2026-10") from None
    days = calendar.monthrange(first.year, first.month)[1]
    after = datetime.datetime(first.year, first.month, days) + datetime.timedelta(days=1)
    return first.timestamp(), after.astimezone().timestamp()


def month_of(loaded: Loaded, reader: LogReader, labels: Mapping[str, float], month: str) -> Month:
    """The report of a month, `2026-10`. Raises ValueError for what is none."""
    since, until = span_of(month)
    earlier, _ = span_of((datetime.datetime.fromtimestamp(since) - datetime.timedelta(days=1)).strftime("%Y-%m"))
    routes, task_routes = dict.fromkeys(loaded.spec.routes), _by_route(reader, since, until)
    before = _by_route(reader, earlier, since)
    cheapest = _cheapest(loaded, [row for rows in task_routes.values() for row in rows], labels)
    found = []
    for name in dict.fromkeys([*routes, *task_routes]):
        rows = task_routes.get(name, [])
        owner = loaded.spec.routes[name].owner if name in loaded.spec.routes else ""
        line, waste = _line(rows, labels), _waste(loaded, rows, labels, cheapest)
        found.append(RouteMonth(name, owner, line, _line(before.get(name, []), labels), waste))
    found.sort(key=lambda one: -one.now.cost)
    most = max(found, key=lambda one: one.waste.total, default=None)
    return Month(month, since, until, tuple(found), most.route if most is not None and most.waste.total > 0 else "")


def _by_route(reader: LogReader, since: float, until: float) -> dict[str, list[Row]]:
    routes: dict[str, list[Row]] = {}
    for row in rows_of(reader, since, until):
        routes.setdefault(row.route, []).append(row)
    return routes


def _line(rows: list[Row], labels: Mapping[str, float]) -> Line:
    count = max(len(rows), 1)
    p50, p95 = quantiles([row.latency for row in rows if row.status < 400])
    heard = [found[1] for row in rows if (found := judged(row, labels)) is not None]
    return Line(
        len(rows), sum(row.cost for row in rows), p50, p95, sum(row.escalations > 0 for row in rows) / count,
        sum(row.fallbacks > 0 for row in rows) / count, sum(row.status >= 500 for row in rows) / count, len(heard), sum(heard),
    )  # fmt: skip


def _cheapest(loaded: Loaded, rows: list[Row], labels: Mapping[str, float]) -> dict[str, float]:
    """By task: mean USD of an answer of the cheapest model whose pass rate is measured and clears the bar: the lower end of its interval
    does."""
    seen: dict[tuple[str, str], list[tuple[float, bool]]] = {}
    for row in rows:
        found = judged(row, labels)
        if found is not None:
            cost = next((tried.cost for tried in row.tried if tried.target == found[0]), row.cost)
            seen.setdefault((row.task, found[0]), []).append((cost, found[1]))
    cheapest: dict[str, float] = {}
    for (task, _), answers in seen.items():
        spec = loaded.spec.tasks.get(task)
        if spec is None or spec.quality_bar is None or len(answers) < ENOUGH:
            continue
        if wilson(sum(good for _, good in answers), len(answers))[0] >= spec.quality_bar:
            mean = sum(cost for cost, _ in answers) / len(answers)
            cheapest[task] = min(mean, cheapest.get(task, mean))
    return cheapest


def _waste(loaded: Loaded, rows: list[Row], labels: Mapping[str, float], cheapest: Mapping[str, float]) -> Waste:
    over = climbed = failed = 0.0
    for row in rows:
        if row.escalations and row.tried:
            climbed += row.tried[0].cost
        elif row.task in cheapest:
            over += max(row.cost - cheapest[row.task], 0.0)
        task = loaded.spec.tasks.get(row.task)
        found = judged(row, labels)
        if task is not None and found is not None and not found[1] and found[0] == row.model:
            failed += float(task.failure_cost)
    return Waste(over, climbed, failed)
