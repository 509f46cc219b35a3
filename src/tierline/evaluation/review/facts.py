"""What holds of a task now, as far as the log tells: how often it is asked for, by which prompts, what answers it, how well, how fast, for
how much. A sign-off keeps these facts, and the next look is compared with them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec
import numpy as np

from tierline.config.loaded import Loaded
from tierline.decision_log.codec import attempted, stored_features
from tierline.decision_log.reader import Filter, LogReader
from tierline.types.record import Tried

MOST_ROWS = 500_000
"""Rows that one look reads; of more, the newest."""
MOST_PROMPTS = 20
"""System prompts that the facts of a task keep, the most used ones."""
GOOD = 0.5

_COLUMNS = (
    "request_id", "route", "task", "model", "status", "error", "cost", "fallbacks", "escalations", "latency", "flagged", "stopped",
    "answered", "features", "tried",
)  # fmt: skip
"""In the log's own order, in which a page gives them."""


class ModelFacts(msgspec.Struct, frozen=True):
    """One model on one task: its prices (USD per million tokens), first calls, those of them that were judged and that passed, and seconds
    to an answer. None where nothing was measured."""

    input: float
    output: float
    asked: int = 0
    judged: int = 0
    passed: int = 0
    p50: float | None = None
    p95: float | None = None


class TaskFacts(msgspec.Struct, frozen=True):
    """One task from `since` to `until` (Unix seconds). `share` is of all requests; rates are of its own; `cost` is USD a request;
    latencies are seconds of answered requests; `passed` of `judged` answers were good enough; `prompts`: share of its requests by the
    fingerprint of their system prompt."""

    since: float
    until: float
    requests: int = 0
    share: float = 0.0
    cost: float = 0.0
    p50: float | None = None
    p95: float | None = None
    fallbacks: int = 0
    escalations: int = 0
    failures: int = 0
    flagged: int = 0
    judged: int = 0
    passed: int = 0
    models: Mapping[str, ModelFacts] = {}
    prompts: Mapping[str, float] = {}


class Row(NamedTuple):
    """One request of the log, as far as facts need it."""

    at: float
    request_id: str
    route: str
    task: str
    model: str
    status: int
    error: str
    cost: float
    fallbacks: int
    escalations: int
    latency: float
    flagged: int
    prompt: str
    tried: tuple[Tried, ...]


def rows_of(reader: LogReader, since: float, until: float | None = None) -> Iterator[Row]:
    """The requests of a span that a model was to answer, oldest first; those of clients that went away are left out."""
    which = Filter(since=since, until=until)
    over = max(reader.count(which) - MOST_ROWS, 0)
    for page in reader.pages(_COLUMNS, which):
        left_out, over = min(over, len(page)), max(over - len(page), 0)
        for at, _, request_id, route, task, model, *figures, stopped, answered, features, tried in page[left_out:]:
            if not answered and stopped != "cancelled":
                prompt = stored_features(features).prompt_fingerprint
                yield Row._make((at, request_id, route, task, model, *figures, prompt, attempted(tried)))


def facts_of(loaded: Loaded, rows: Iterable[Row], labels: Mapping[str, float], since: float, until: float) -> dict[str, TaskFacts]:
    """The facts of every task of the spec. `labels`: what was said of answers, by request, from 0 to 1; where nothing was, its checks
    speak."""
    gathered = {name: _Gathered() for name in loaded.spec.tasks}
    total = 0
    for row in rows:
        total += 1
        if row.task in gathered:
            gathered[row.task].add(row, labels)
    return {name: one.facts(loaded, name, total, since, until) for name, one in gathered.items()}


def now_of(loaded: Loaded, reader: LogReader, labels: Mapping[str, float], window: float, at: float | None = None) -> dict[str, TaskFacts]:
    """The facts of the last `window` seconds before `at` (now)."""
    until = time.time() if at is None else at
    return facts_of(loaded, rows_of(reader, until - window, until), labels, until - window, until)


def judged(row: Row, labels: Mapping[str, float]) -> tuple[str, bool] | None:
    """Whose answer was judged and whether it was good enough: what was said of the answer given, else what the checks say of the first."""
    said = labels.get(row.request_id)
    if said is not None and row.model:
        return row.model, said >= GOOD
    first = row.tried[0] if row.tried else None
    if first is None or not first.ok or not first.verdicts:
        return None
    return first.target, all(verdict.passed for verdict in first.verdicts)


class _Gathered:
    """One task while its rows come in."""

    def __init__(self) -> None:
        self.requests = self.fallbacks = self.escalations = self.failures = self.flagged = self.judged = self.passed = 0
        self.cost = 0.0
        self.latency: list[float] = []
        self.prompts: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()
        self.heard: Counter[str] = Counter()
        self.good: Counter[str] = Counter()
        self.took: dict[str, list[float]] = {}

    def add(self, row: Row, labels: Mapping[str, float]) -> None:
        self.requests += 1
        self.cost += row.cost
        self.fallbacks += row.fallbacks > 0
        self.escalations += row.escalations > 0
        self.failures += row.status >= 500
        self.flagged += bool(row.flagged)
        if row.status < 400:
            self.latency.append(row.latency)
        if row.prompt:
            self.prompts[row.prompt] += 1
        if row.tried:
            self.asked[row.tried[0].target] += 1
        for tried in row.tried:
            if tried.ok:
                self.took.setdefault(tried.target, []).append(tried.elapsed)
        if (found := judged(row, labels)) is not None:
            model, good = found
            self.judged += 1
            self.passed += good
            self.heard[model] += 1
            self.good[model] += good

    def facts(self, loaded: Loaded, task: str, total: int, since: float, until: float) -> TaskFacts:
        p50, p95 = quantiles(self.latency)
        spec = loaded.spec.tasks[task]
        names = dict.fromkeys([*(spec.models or loaded.models), *spec.fallback, *self.asked])
        return TaskFacts(
            since, until, self.requests, self.requests / total if total else 0.0, self.cost / self.requests if self.requests else 0.0,
            p50, p95, self.fallbacks, self.escalations, self.failures, self.flagged, self.judged, self.passed,
            {name: self._model(loaded, name) for name in names if name in loaded.models},
            {prompt: count / self.requests for prompt, count in self.prompts.most_common(MOST_PROMPTS)},
        )  # fmt: skip

    def _model(self, loaded: Loaded, name: str) -> ModelFacts:
        price, (p50, p95) = loaded.models[name].price, quantiles(self.took.get(name, []))
        return ModelFacts(price.input, price.output, self.asked[name], self.heard[name], self.good[name], p50, p95)


def quantiles(seconds: list[float]) -> tuple[float | None, float | None]:
    """Median and 95th percentile, by nearest rank; None of nothing."""
    if not seconds:
        return None, None
    found = np.quantile(np.array(seconds), [0.5, 0.95], method="inverted_cdf")
    return float(found[0]), float(found[1])
