"""The worksheet: a row for each task, with the columns that a team fills in and argues about before a route is shipped."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from tierline.evaluation.estimate.number import Number

VERSION = 1
"""Of the layout."""

OPEN = "(no task)"
"""The row of requests that are taken for no task."""


class Believed(msgspec.Struct, frozen=True):
    """One model in one task: how often its answer is good enough, the seconds of one call (median and 95th percentile), the tokens it
    says, and those it thinks before that, which are paid for as well."""

    pass_rate: Number
    latency_p50: Number
    latency_p95: Number
    tokens_out: Number
    thinking: Number


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One task category. `quality_threshold` is its least pass rate; `pass_rate`, `latency_p50`, `latency_p95` (seconds), `tokens_out` and
    `cost` (USD) are those of one call of the primary model; `validation` what its answer must pass; `reviewed` the day of the last review,
    empty: never.

    Beside the columns: `models`, what is believed of every model of the fleet here; `cached`, the share of input tokens read from a prompt
    cache; `tool_hits`, the share of requests that a tool answers first; `asks`, the share for which a small model names the task;
    `failure_cost`, the USD that a wrong answer costs the business; `latency_budget` in seconds."""

    task: str
    traffic_share: Number
    quality_threshold: Number
    primary_model: str
    fallback_model: str
    tokens_in: Number
    tokens_out: Number
    validation: str
    pass_rate: Number
    latency_p50: Number
    latency_p95: Number
    cost: Number
    reviewed: str
    models: Mapping[str, Believed]
    cached: Number
    tool_hits: Number
    asks: Number
    failure_cost: Number
    latency_budget: float | None = None
    why: str = ""
    owner: str = ""
    route: str = "auto"


class Offered(msgspec.Struct, frozen=True, kw_only=True):
    """One model of the fleet: its tier, USD per million tokens, and the share of calls to it that fail."""

    tier: str
    price_in: Number
    price_out: Number
    price_cached: Number
    fails: Number


class Worksheet(msgspec.Struct, frozen=True, kw_only=True):
    """The whole sheet. `sensitivity` is the share of bad answers that checks reject, `specificity` the share of good ones that they accept;
    `together` the part of what makes a request hard that all models have in common. `notes` say what was taken for granted."""

    version: int = VERSION
    spec: str
    fingerprint: str
    rows: tuple[Row, ...]
    models: Mapping[str, Offered]
    sensitivity: Number
    specificity: Number
    together: Number
    notes: tuple[str, ...] = ()
