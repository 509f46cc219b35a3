"""What Prometheus scrapes. Every label takes its values from the spec or from a fixed list, so the number of series is bounded;
children are looked up once and kept, because `.labels()` costs more than the counting.

With several workers each counts for itself in files of its own, and any of them answers a scrape for all: `tierline serve` sets
PROMETHEUS_MULTIPROC_DIR before a worker starts. A worker that takes a dead one's place goes on with its files (`server/workers`).
"""

from __future__ import annotations

import asyncio
import os
import platform
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, multiprocess
from prometheus_client import Metric as Family
from prometheus_client.exposition import choose_encoder

from tierline import __version__
from tierline.gateway.reload import Reloaded
from tierline.server.alert_meters import AlertMeters
from tierline.server.examples import Examples
from tierline.server.gauges import BudgetGauges, SharedGauges, WorldGauges
from tierline.server.metric_kit import Metric, MetricKit
from tierline.server.request_meters import RequestMeters
from tierline.server.shadow_meters import ShadowMeters
from tierline.types.record import Record

TOGETHER = 64
"""Requests that are counted together; those of an idle gateway are counted at the next scrape, or within `COUNT_EVERY` seconds."""
COUNT_EVERY = 1.0


class Meters:
    """The metrics of one process, in a registry of their own; `table` says which there are."""

    def __init__(self) -> None:
        self._kit = kit = MetricKit()
        self.in_flight = kit.gauge("tierline_requests_in_flight", "Requests being answered", several="livesum")
        self.backlog = kit.gauge("tierline_log_backlog_rows", "Rows on disk that are not in PostgreSQL yet")
        self.waiting = kit.gauge("tierline_log_rows_waiting", "Rows not yet on disk", several="livesum")
        self.world = WorldGauges(kit)
        self.shadows = ShadowMeters(kit)
        self.budgets = BudgetGauges(kit)
        self.shared = SharedGauges(kit)
        self.alerts = AlertMeters(kit)
        self.refused = kit.counter("tierline_refused_total", "Requests refused before a decision, by code", ["code"])
        self.not_let_in = kit.counter("tierline_not_let_in_total", "Requests without a key that opens, by cause", ["cause"])
        self.spans = kit.counter("tierline_spans_total", "Spans of traced requests: `exported`, `failed` or `dropped`", ["outcome"])
        self.lines = kit.counter("tierline_access_log_lines_total", "Lines for the access log: `written` or `dropped`", ["outcome"])
        self._reloads = kit.counter("tierline_reloads_total", "Reloads of the spec: `taken` or `refused`", ["outcome"])
        self._spec_at = kit.gauge(
            "tierline_spec_taken_timestamp_seconds", "When the spec at work was taken, Unix time; the eldest of several", several="livemin"
        )
        self._workers = kit.gauge("tierline_workers", "Processes that answer", several="livesum")
        _begin(self._reloads, "taken", "refused")
        _begin(self.spans, "exported", "failed", "dropped")
        _begin(self.lines, "written", "dropped")
        build = kit.gauge("tierline_build_info", "1, with the version in its labels", ["version", "python"])
        build.labels(__version__, platform.python_version()).set(1)
        self._workers.set(1)
        self._requests = RequestMeters(kit)
        self._pending: list[Record] = []
        self._traces: dict[str, str] = {}

    @property
    def table(self) -> list[Metric]:
        """Every metric there is."""
        return self._kit.table

    def observe(self, record: Record) -> None:
        """Take one logged request; it is counted together with its neighbours, which costs a third of counting it alone."""
        if len(self._pending) >= TOGETHER:
            self.count()
        self._pending.append(record)

    def traced(self, request_id: str, trace: str) -> None:
        """The request that was taken last has a trace: an example of how long requests take."""
        self._traces[request_id] = trace

    def count(self) -> None:
        """Count what has been taken."""
        pending, self._pending = self._pending, []
        traces, self._traces = self._traces, {}
        self._requests.count(pending, traces)

    def reloaded(self, done: Reloaded) -> None:
        """Count a reload of the spec."""
        self._reloads.labels("refused" if done.problem else "taken").inc()
        self.at_work(done)

    def at_work(self, done: Reloaded) -> None:
        """Show since when the spec is at work."""
        if done.changed:
            self._spec_at.set(done.at)

    async def keep_counting(self, look: Callable[[], None]) -> None:
        """Count what is left over, and `look` at what the gauges show, again and again, so that other workers' scrapes see it too; until
        cancelled."""
        while True:
            await asyncio.sleep(COUNT_EVERY)
            self.count()
            look()

    def exposition(self, accept: str = "") -> tuple[bytes, str]:
        """Everything and its content type, in the text format of Prometheus or, where `accept` names it, of OpenMetrics: of this process,
        or of all workers where there are several."""
        self.count()
        encode, content_type = choose_encoder(accept)
        registry = self._kit.registry
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            registry = CollectorRegistry()
            multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return encode(_WithExamples(registry, self._requests.examples)), content_type


def _begin(counter: Counter, *outcomes: str) -> None:
    """Show a counter at zero: one that first appears at 1 has not grown, and no alert would see it."""
    for outcome in outcomes:
        counter.labels(outcome)


class _WithExamples(CollectorRegistry):
    """What a registry collects, with the examples at its buckets."""

    def __init__(self, registry: CollectorRegistry, examples: Examples) -> None:
        super().__init__()
        self._registry = registry
        self._examples = examples

    def collect(self) -> Iterator[Family]:
        return self._examples.shown(self._registry.collect())


def metrics_table() -> list[Metric]:
    """Every metric there is, without a gateway."""
    return Meters().table
