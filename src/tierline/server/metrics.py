"""What Prometheus scrapes. Every label takes its values from the spec or from a fixed list, so the number of series is bounded;
children are looked up once and kept, because `.labels()` costs more than the counting.

With several workers each counts for itself in a file of its own, and any of them answers a scrape for all: `tierline serve` sets
PROMETHEUS_MULTIPROC_DIR before a worker starts. A gauge then is the sum over the workers.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess

from tierline.gateway.reload import Reloaded
from tierline.types.record import Record

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
_OVERHEAD = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05)


class Meters:
    """The metrics of one process, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self.in_flight = Gauge("tierline_requests_in_flight", "Requests being answered", registry=registry, multiprocess_mode="livesum")
        self.waiting = Gauge("tierline_log_rows_waiting", "Rows not yet on disk", registry=registry, multiprocess_mode="livesum")
        self.refused = Counter("tierline_refused_total", "Requests refused before a decision, by code", ["code"], registry=registry)
        self._reloads = Counter("tierline_reloads_total", "Reloads of the spec", ["outcome"], registry=registry)
        self._requests = Counter(
            "tierline_requests_total", "Requests by route, answering model and status", ["route", "model", "status"], registry=registry
        )
        self._attempts = Counter(
            "tierline_attempts_total", "Calls to models, by cause and error", ["model", "cause", "error"], registry=registry
        )
        self._tokens = Counter("tierline_tokens_total", "Tokens by model and direction", ["model", "direction"], registry=registry)
        self._cost = Counter("tierline_cost_usd_total", "USD at list prices", ["model"], registry=registry)
        self._call = Histogram("tierline_call_seconds", "Time to a whole answer", ["model"], registry=registry, buckets=_SECONDS)
        self._first = Histogram("tierline_first_content_seconds", "Time to first content", ["model"], registry=registry, buckets=_SECONDS)
        self._overhead = Histogram("tierline_overhead_seconds", "Time spent in Tierline itself", registry=registry, buckets=_OVERHEAD)
        self._request_of: _Kept[tuple[str, str, int], Counter] = _Kept(lambda key: self._requests.labels(*key))
        self._attempt_of: _Kept[tuple[str, str, str], Counter] = _Kept(lambda key: self._attempts.labels(*key))
        self._model_of: _Kept[str, tuple[Counter, Counter, Counter, Histogram, Histogram]] = _Kept(self._of_model)

    def _of_model(self, model: str) -> tuple[Counter, Counter, Counter, Histogram, Histogram]:
        return (
            self._tokens.labels(model, "input"),
            self._tokens.labels(model, "output"),
            self._cost.labels(model),
            self._call.labels(model),
            self._first.labels(model),
        )

    def observe(self, record: Record) -> None:
        """Count one logged request."""
        winner = record.winner
        tried = record.tried
        self._request_of[record.decision.route, "" if winner is None else tried[winner].target, record.status].inc()
        self._overhead.observe(record.overhead)
        for attempt in tried:
            self._attempt_of[attempt.target, attempt.cause, attempt.error].inc()
            read, written, cost, call, first = self._model_of[attempt.target]
            if attempt.usage.input:
                read.inc(attempt.usage.input)
                written.inc(attempt.usage.output)
            if attempt.cost:
                cost.inc(attempt.cost)
            if attempt.ok:
                call.observe(attempt.elapsed)
                if attempt.ttft is not None:
                    first.observe(attempt.ttft)

    def reloaded(self, done: Reloaded) -> None:
        """Count a reload of the spec."""
        self._reloads.labels("refused" if done.problem else "taken").inc()

    def exposition(self) -> bytes:
        """Everything, in Prometheus's text format: of this process, or of all workers where there are several."""
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)


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
