"""What Prometheus scrapes. Every label takes its values from the spec or from a fixed list, so the number of series is bounded;
children are looked up once and kept, because `.labels()` costs more than the counting.

With several workers each counts for itself in a file of its own, and any of them answers a scrape for all: `tierline serve` sets
PROMETHEUS_MULTIPROC_DIR before a worker starts. A gauge then is the sum over the workers.
"""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess

from tierline.gateway.reload import Reloaded
from tierline.server.alert_meters import AlertMeters
from tierline.server.gauges import BudgetGauges, SharedGauges, WorldGauges
from tierline.server.governed import GovernanceCounters
from tierline.server.shadow_meters import ShadowMeters
from tierline.types.ask import CLASSIFY, REMEMBERED
from tierline.types.outcome import NO_USAGE, Aside, Usage
from tierline.types.record import Record, Tried

TOGETHER = 64
"""Requests that are counted together; those of an idle gateway are counted at the next scrape, or within `COUNT_EVERY` seconds."""
COUNT_EVERY = 1.0

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
_OVERHEAD = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05)


class Meters:
    """The metrics of one process, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self.in_flight = Gauge("tierline_requests_in_flight", "Requests being answered", registry=registry, multiprocess_mode="livesum")
        self.backlog = Gauge(
            "tierline_log_backlog_rows", "Rows on disk that are not in PostgreSQL yet", registry=registry, multiprocess_mode="livemax"
        )
        self.waiting = Gauge("tierline_log_rows_waiting", "Rows not yet on disk", registry=registry, multiprocess_mode="livesum")
        self.world = WorldGauges(registry)
        self.shadows = ShadowMeters(registry)
        self.budgets = BudgetGauges(registry)
        self.alerts = AlertMeters(registry)
        self.shared = SharedGauges(registry)
        self._governance = GovernanceCounters(registry)
        self.refused = Counter("tierline_refused_total", "Requests refused before a decision, by code", ["code"], registry=registry)
        self.not_let_in = Counter("tierline_not_let_in_total", "Requests without a key that opens, by cause", ["cause"], registry=registry)
        self._reloads = Counter("tierline_reloads_total", "Reloads of the spec", ["outcome"], registry=registry)
        self._requests = Counter(
            "tierline_requests_total", "Requests by route, answering model and status", ["route", "model", "status"], registry=registry
        )
        self._attempts = Counter(
            "tierline_attempts_total", "Calls to models, by cause and error", ["model", "cause", "error"], registry=registry
        )
        self._tokens = Counter("tierline_tokens_total", "Tokens by model and direction", ["model", "direction"], registry=registry)
        self._cost = Counter("tierline_cost_usd_total", "USD at list prices", ["model"], registry=registry)
        self._verdicts = Counter("tierline_verdicts_total", "What validators said of answers", ["validator", "passed"], registry=registry)
        self._flagged = Counter("tierline_flagged_total", "Answers given although no validator accepted one", ["route"], registry=registry)
        self._asides = Counter(
            "tierline_asides_total",
            "Calls beside the attempts: for validators, judges, prepare steps, tools",
            ["purpose", "target", "ok"],
            registry=registry,
        )
        self._classified = Counter(
            "tierline_classified_total",
            "Requests about which a small model was asked what they are: named, unsure, failed, or remembered",
            ["route", "result"],
            registry=registry,
        )
        self._classified_cost = Counter(
            "tierline_classified_cost_usd_total", "USD of asking what requests are", ["route"], registry=registry
        )
        self._call = Histogram("tierline_call_seconds", "Time to a whole answer", ["model"], registry=registry, buckets=_SECONDS)
        self._first = Histogram("tierline_first_content_seconds", "Time to first content", ["model"], registry=registry, buckets=_SECONDS)
        self._overhead = Histogram("tierline_overhead_seconds", "Time spent in Tierline itself", registry=registry, buckets=_OVERHEAD)
        self._request_of: _Kept[tuple[str, str, int], Counter] = _Kept(lambda key: self._requests.labels(*key))
        self._verdict_of: _Kept[tuple[str, str], Counter] = _Kept(lambda key: self._verdicts.labels(*key))
        self._aside_of: _Kept[tuple[str, str, str], Counter] = _Kept(lambda key: self._asides.labels(*key))
        self._attempt_of: _Kept[tuple[str, str, str], Counter] = _Kept(lambda key: self._attempts.labels(*key))
        self._spent_of: _Kept[str, tuple[Counter, Counter, Counter]] = _Kept(
            lambda model: (self._tokens.labels(model, "input"), self._tokens.labels(model, "output"), self._cost.labels(model))
        )
        self._times_of: _Kept[str, tuple[Histogram, Histogram]] = _Kept(lambda model: (self._call.labels(model), self._first.labels(model)))
        self._pending: list[Record] = []

    def observe(self, record: Record) -> None:
        """Take one logged request; it is counted together with its neighbours, which costs a third of counting it alone."""
        self._pending.append(record)
        if len(self._pending) >= TOGETHER:
            self.count()

    def count(self) -> None:
        """Count what has been taken."""
        pending, self._pending = self._pending, []
        requests: defaultdict[tuple[str, str, int], int] = defaultdict(int)
        attempts: defaultdict[tuple[str, str, str], int] = defaultdict(int)
        spent: defaultdict[str, list[float]] = defaultdict(lambda: [0, 0, 0.0])
        for record in pending:
            requests[record.decision.route, record.model, record.status] += 1
            self._overhead.observe(record.overhead)
            if record.flagged:
                self._flagged.labels(record.decision.route).inc()
            if record.asides:
                self._beside(record.asides, spent)
                self._asked_what(record)
            if record.features.sensitivity or record.features.redacted or record.decision.dropped:
                self._governance.count(record)
            for attempt in record.tried:
                attempts[attempt.target, attempt.cause, attempt.error] += 1
                self._attempt(attempt, spent)
        for request, number in requests.items():
            self._request_of[request].inc(number)
        for kind, number in attempts.items():
            self._attempt_of[kind].inc(number)
        for model, sums in spent.items():
            for child, amount in zip(self._spent_of[model], sums, strict=True):
                child.inc(amount)

    def _attempt(self, attempt: Tried, spent: defaultdict[str, list[float]]) -> None:
        paid = attempt.cost
        if attempt.verdicts or attempt.asides:
            paid -= self._beside(attempt.asides, spent)
            for verdict in attempt.verdicts:
                self._verdict_of[verdict.validator, "yes" if verdict.passed else "no"].inc()
        if attempt.target:
            _add(spent[attempt.target], attempt.usage, paid)
        if attempt.ok and attempt.cause != "judge":
            self._time(attempt)

    def _beside(self, asides: Sequence[Aside], spent: defaultdict[str, list[float]]) -> float:
        """Count calls beside the attempts, each for the model that was asked; their USD."""
        for aside in asides:
            self._aside_of[aside.purpose, aside.target, "yes" if aside.ok else "no"].inc()
            if aside.usage != NO_USAGE or aside.cost:
                _add(spent[aside.target], aside.usage, aside.cost)
        return sum(aside.cost for aside in asides)

    def _asked_what(self, record: Record) -> None:
        """Count the question what a request is, where it was put."""
        for aside in record.asides:
            if aside.purpose == CLASSIFY:
                said = aside.detail if aside.detail == REMEMBERED else "unsure" if record.scores.abstained else "named"
                self._classified.labels(record.decision.route, said if aside.ok else "failed").inc()
                self._classified_cost.labels(record.decision.route).inc(aside.cost)

    def _time(self, attempt: Tried) -> None:
        call, first = self._times_of[attempt.target]
        call.observe(attempt.elapsed)
        if attempt.ttft is not None:
            first.observe(attempt.ttft)

    def reloaded(self, done: Reloaded) -> None:
        """Count a reload of the spec."""
        self._reloads.labels("refused" if done.problem else "taken").inc()

    async def keep_counting(self, look: Callable[[], None]) -> None:
        """Count what is left over, and `look` at what the gauges show, again and again, so that other workers' scrapes see it too; until
        cancelled."""
        while True:
            await asyncio.sleep(COUNT_EVERY)
            self.count()
            look()

    def exposition(self) -> bytes:
        """Everything, in Prometheus's text format: of this process, or of all workers where there are several."""
        self.count()
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)


def _add(sums: list[float], usage: Usage, cost: float) -> None:
    sums[0] += usage.input
    sums[1] += usage.output
    sums[2] += cost


_Key = TypeVar("_Key")
_Child = TypeVar("_Child")


class _Kept(dict[_Key, _Child]):
    """A dictionary that makes a missing child once."""

    def __init__(self, make: Callable[[_Key], _Child]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: _Key) -> _Child:
        child = self[key] = self._make(key)
        return child
