"""How metrics are made: each says its kind, its labels and how several workers' values become one, and all of it stands in a table.

The table is the reference (`docs/reference/metrics.md`), and what dashboards and alert rules are checked against.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Literal, TypeVar

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

Several = Literal["sum", "livesum", "livemax", "livemin", "max"]
"""How the values of several workers become one. The `live` ones leave out workers that have ended."""

LABELS = {
    "arm": "an arm of an experiment, `<experiment>/<arm>`",
    "budget": "a budget of the spec",
    "cause": "why a call was made (`first`, `fallback`, `escalation`, `retry`, `hedge`, `branch`, `judge`), or why a key does not open",
    "code": "an error code of the API",
    "direction": "`input` or `output`",
    "door": "an address and key of a provider: its name in the spec, with a number where there are several",
    "error": "a class of provider error; empty: none",
    "how": "`forced` or `refused` by governance; `fallback`, `escalation`, `retry` or `hedge`",
    "judge": "the model that judged",
    "judgement": "`won`, `lost`, `same`, `disagreed` or `unread`",
    "kind": "a kind of sensitive content; what a client names itself is `other`",
    "le": "the upper bound of a bucket",
    "model": "a model of the spec; empty: none answered",
    "ok": "`yes` or `no`",
    "outcome": "what came of it: see the metric",
    "part": "`cached` and `cache_written` are parts of the input, `reasoning` of the output",
    "passed": "`yes` or `no`",
    "purpose": "what a call beside the attempts was for: a validator, a prepare step, a tool, `classify`",
    "python": "the version of Python",
    "result": "`named`, `unsure`, `failed` or `remembered`",
    "route": "a route of the spec",
    "status": "the HTTP status that the client got",
    "target": "a model or a tool of the spec",
    "task": "a task of the spec; empty: none",
    "tier": "a tier of the spec; empty: nothing was eligible",
    "tool": "a tool of the spec",
    "validator": "a validator of the spec",
    "version": "the version of Tierline",
    "watch": "a watch of the spec's `alerts`",
    "why": "a fixed word for the reason",
}
"""Every label there is, and where its values come from: the spec, or a fixed list. No id and no text of a request is ever one."""

HOW_TOGETHER = {
    "sum": "summed",
    "livesum": "summed over live workers",
    "livemax": "highest of live workers",
    "livemin": "lowest of live workers",
    "max": "highest",
}


class Metric(msgspec.Struct, frozen=True):
    """One row of the table. `name` is the name that is scraped, without `_bucket`, `_sum` and `_count`."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    says: str
    several: Several = "sum"

    @property
    def series(self) -> tuple[str, ...]:
        """The names under which its samples are scraped."""
        if self.kind == "histogram":
            return (f"{self.name}_bucket", f"{self.name}_sum", f"{self.name}_count")
        return (self.name,)


class MetricKit:
    """Makes the metrics of one registry and notes each in its table. Raises KeyError for a label that `LABELS` does not know."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self.table: list[Metric] = []

    def counter(self, name: str, says: str, labels: Sequence[str] = ()) -> Counter:
        """A count that only grows; its name ends in `_total`."""
        self._note(Metric(name, "counter", tuple(labels), says))
        return Counter(name, says, labels, registry=self.registry)

    def gauge(self, name: str, says: str, labels: Sequence[str] = (), several: Several = "livemax") -> Gauge:
        """A value that goes up and down."""
        self._note(Metric(name, "gauge", tuple(labels), says, several))
        return Gauge(name, says, labels, registry=self.registry, multiprocess_mode=several)

    def histogram(self, name: str, says: str, buckets: Sequence[float], labels: Sequence[str] = ()) -> Histogram:
        """A distribution; `buckets` are upper bounds in the unit of its name."""
        self._note(Metric(name, "histogram", tuple(labels), says))
        return Histogram(name, says, labels, registry=self.registry, buckets=buckets)

    def _note(self, metric: Metric) -> None:
        for label in metric.labels:
            LABELS[label]
        self.table.append(metric)


def observe_all(histogram: Histogram, values: Sequence[float]) -> None:
    """Put many values into a histogram (a child of it, where it has labels) as `observe` would, one after the other; each bucket is
    touched once. It reaches into the client library, which knows no other way; a test holds both ways against each other."""
    bounds, buckets = histogram._upper_bounds, histogram._buckets
    counts = [0] * len(bounds)
    for value in values:
        counts[bisect_left(bounds, value)] += 1
    histogram._sum.inc(sum(values))
    for place, count in enumerate(counts):
        if count:
            buckets[place].inc(count)


def page(table: Sequence[Metric]) -> str:
    """The reference of metrics, in Markdown."""
    lines = [*_PREFACE]
    for metric in sorted(table, key=lambda metric: metric.name):
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        lines.append(f"| `{metric.name}` | {metric.kind} | {labels} | {metric.says} | {HOW_TOGETHER[metric.several]} |")
    lines += ["", "## Labels", "", "| label | values |", "|---|---|"]
    used = {label for metric in table for label in metric.labels}
    lines += [f"| `{label}` | {says} |" for label, says in sorted(LABELS.items()) if label in used]
    return "\n".join(lines) + "\n"


_PREFACE = (
    "# Metrics: `GET /metrics`",
    "",
    "Generated from the registry by `make docs`; do not edit.",
    "",
    "Any worker answers a scrape for all workers of its machine; the last column says how their values become one.",
    "Replicas are scraped each for itself. A scraper that accepts OpenMetrics gets it; where requests are traced, with the trace of an",
    "example beside the buckets of `tierline_request_seconds`. USD are at list prices. Seconds are seconds.",
    "Names and labels of this table are kept from release to release; a change stands in the changelog.",
    "",
    "| metric | kind | labels | meaning | of several workers |",
    "|---|---|---|---|---|",
)

_Key = TypeVar("_Key")
_Child = TypeVar("_Child")


class Kept(dict[_Key, _Child]):
    """A dictionary that makes a missing child once: `.labels()` costs more than the counting."""

    def __init__(self, make: Callable[[_Key], _Child]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: _Key) -> _Child:
        child = self[key] = self._make(key)
        return child
