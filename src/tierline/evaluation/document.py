"""The document that `tierline evaluate` writes: every figure, in the layout that the report, the gate and other programs read.

    {version, data, reference: {random, best_single, zero_router, task_mean, oracle}, routers: {NAME: Row}, candidates, settings}

Qualities are mean scores in [0, 1], costs USD a query, shares in [0, 1]. A figure that does not apply is null, and `why`, beside it,
says so by the figure's name (`{"apgr": "it makes one choice a query: there is no curve"}`). Reference rows and routers share one struct.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

VERSION = 1
"""Of the layout; it grows when a reader of the old one would misread the new one."""

REFERENCES = ("random", "best_single", "zero_router", "task_mean", "oracle")
"""The rows that stand in every document, in the order in which they are shown."""


class Interval(msgspec.Struct, frozen=True):
    """What the data allow: the ends of a 95 % interval."""

    low: float
    high: float


class Estimate(msgspec.Struct, frozen=True):
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


class Advantage(msgspec.Struct, frozen=True):
    """Quality above the random mix of the same cost (`metrics/advantage`). `mix` says which models the coin throws between and with which
    shares, `quality` and `cost` what that mix gives."""

    value: float
    low: float
    high: float
    mix: Mapping[str, float]
    quality: float
    cost: float


class Loss(msgspec.Struct, frozen=True):
    """One cause of regret: the share of queries, and quality lost and USD wasted by it, both a query over all queries. `cost` is negative
    where the wrong model was the cheaper one."""

    share: float
    quality: float
    cost: float


class Regret(msgspec.Struct, frozen=True):
    """The distance to the oracle, split by cause; the causes add up to `total`. `too_slow`, `wrong_capability` and `forced` are null where
    the data cannot tell them, and their queries then stand under the first two."""

    total: Loss
    under_routed: Loss
    over_routed: Loss
    too_slow: Loss | None = None
    wrong_capability: Loss | None = None
    forced: Loss | None = None


class Point(msgspec.Struct, frozen=True):
    """One point of a curve. `share`: of queries that do not go to the cheapest model of the curve. `threshold`: the score from which a
    query goes up, or the quality that a dollar must buy; null at the ends."""

    share: float
    cost: float | None
    quality: float
    threshold: float | None = None


class Optimality(msgspec.Struct, frozen=True):
    """RouterArena's three (`metrics/optimality`), each in [0, 1], null where nothing can be divided."""

    selection: float | None
    cost: float | None
    accuracy: float | None


class Bin(msgspec.Struct, frozen=True):
    """One bin of a reliability diagram: predictions in [low, high), their mean, the mean score that came, and how many."""

    low: float
    high: float
    predicted: float
    actual: float
    count: int


class Reliability(msgspec.Struct, frozen=True):
    """How well a router's predicted pass rates of one model hold."""

    brier: float
    ece: float
    bins: tuple[Bin, ...]


class Confusion(msgspec.Struct, frozen=True):
    """Tiers needed (rows) against tiers chosen (columns), as counts; `tiers` cheapest first. `source`: `labels` of the data, or `scores`:
    the lowest tier with a model that reaches the query's best score. Rates are shares of all queries."""

    tiers: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    source: Literal["labels", "scores"]
    accuracy: float
    under_routed: float
    over_routed: float


class Slice(msgspec.Struct, frozen=True):
    """The figures of a part of the queries. `advantage` is null where the part is too small or has no costs."""

    queries: int
    quality: Estimate
    cost: float | None
    advantage: Estimate | None = None
    models: Mapping[str, float] = {}


class Worst(msgspec.Struct, frozen=True):
    """The slice of the lowest advantage (of the lowest quality where there are no costs), of those with enough queries to be named."""

    dimension: str
    name: str
    queries: int
    quality: float
    advantage: float | None


class Cascade(msgspec.Struct, frozen=True):
    """What escalation did, from logged attempts: shares of requests, the share of accepted answers that were good where it is known, USD a
    request spent on answers that were not given, and seconds a request that they took."""

    requests: int
    escalation_rate: float
    fallback_rate: float
    flagged_rate: float
    accept_precision: float | None
    judged: int
    wasted_cost: float
    added_latency: float


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Every figure of one router, or of one reference row, at the point where it stands (`at` says which, in words).

    `apgr`, `cpt50`, `cpt80`: RouteLLM's (CPT as a share, not a percentage), between the models of `pair` (weak, strong). `aiq`:
    RouterBench's. `save_at`: the share of the best single model's cost that is saved at so many percent of its quality. `arena`:
    RouterArena's score in [0, 1]. `brier`, `ece`: over all models; `reliability` by model. `flip_rate`: of `robustness`. `models`: share
    of queries by model. `slices`: dimension → name → figures. `model`: the one model of a row that uses only one."""

    quality: float | None = None
    quality_interval: Interval | None = None
    cost: float | None = None
    cost_interval: Interval | None = None
    latency: float | None = None
    at: str = ""
    model: str = ""
    models: Mapping[str, float] = {}
    pair: tuple[str, ...] = ()
    apgr: float | None = None
    cpt50: float | None = None
    cpt80: float | None = None
    aiq: float | None = None
    save_at: Mapping[str, float | None] = {}
    advantage: Advantage | None = None
    regret: Regret | None = None
    arena: float | None = None
    optimality: Optimality | None = None
    brier: float | None = None
    ece: float | None = None
    flip_rate: float | None = None
    reliability: Mapping[str, Reliability] = {}
    confusion: Confusion | None = None
    cascade: Cascade | None = None
    curve: tuple[Point, ...] = ()
    slices: Mapping[str, Mapping[str, Slice]] = {}
    worst_slice: Worst | None = None
    robustness: Mapping[str, Any] | None = None
    why: Mapping[str, str] = {}


class ModelFigures(msgspec.Struct, frozen=True):
    """One model of the table: how many queries it was measured on, and its mean score and cost over the queries that are compared."""

    measured: int
    quality: float | None
    cost: float | None


class Finding(msgspec.Struct, frozen=True):
    """Something about the data that a reader must know: `kind` for programs, `message` for people, with what was done about it; `examples`
    are ids, never texts. `severity`: `note`, `warning`, or `error` (the evaluation stops)."""

    kind: str
    severity: Literal["note", "warning", "error"]
    message: str
    count: int = 0
    examples: tuple[str, ...] = ()


class Data(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured on. `compared` are the queries on which every model was measured: all figures are over these."""

    files: tuple[str, ...]
    queries: int
    compared: int
    cells: int
    models: Mapping[str, ModelFigures]
    tasks: Mapping[str, int]
    datasets: Mapping[str, int]
    findings: tuple[Finding, ...] = ()


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """The whole evaluation. `candidates` names the routers that were asked for, which the gate judges; `settings` holds the seed, folds and
    resamples that make it repeatable; `drill` is the fallback drill's, where it was asked for. `why` says what the whole
    lacks: `cost`, or `reference` where nothing can be compared."""

    version: int = VERSION
    data: Data
    reference: Mapping[str, Row]
    routers: Mapping[str, Row]
    candidates: tuple[str, ...] = ()
    settings: Mapping[str, Any] = {}
    drill: Mapping[str, Any] | None = None
    why: Mapping[str, str] = {}


def encode(document: Document) -> bytes:
    """The document as indented JSON. A number that is no number never gets here: msgspec writes it as null."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2)


def read(path: Path) -> Document:
    """A document that was written before; raises ValueError when the file is none."""
    return msgspec.json.decode(path.read_bytes(), type=Document)
