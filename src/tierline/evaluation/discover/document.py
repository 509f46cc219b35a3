"""What was found, as every output shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from tierline.evaluation.estimate.document import Range
from tierline.evaluation.estimate.number import Number


class Saving(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a type costs now against `model`, the cheapest that clears its bar: USD a request `now`, `then` and `saved`, nine times
    out of ten between low and high. `basis`: whether the model's pass rate is measured or assumed; `passes` is that rate, `today` the
    measured pass rate of those who answer now, None where too few were judged. Without a model `why` says why nothing is saved.
    `unknown`: what is not known and may change the answer."""

    model: str
    now: Range
    then: Range
    saved: Range
    bar: float
    bar_of: str
    basis: Literal["measured", "assumed", ""] = ""
    passes: Number | None = None
    today: float | None = None
    why: str = ""
    unknown: tuple[str, ...] = ()


class Judged(msgspec.Struct, frozen=True):
    """How many answers of a model were judged, how many were good enough, and the 95 % interval of the rate."""

    judged: int
    passed: int
    low: float
    high: float

    @property
    def rate(self) -> float:
        """The share that was good enough."""
        return self.passed / self.judged


class Type(msgspec.Struct, frozen=True, omit_defaults=True):
    """One type of requests. Shares are of all requests drawn and of all they cost, the others of the type's own; `cost` is USD a request,
    tokens are medians, latencies seconds. `task`: the task of the spec that most of it has, empty where it has none. `terms` are empty
    where words are not kept. `stability`: how well it is found again in other halves of the requests, None where there are too few."""

    name: str
    requests: int
    share: float
    cost: float
    cost_share: float
    traits: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    task: str = ""
    models: Mapping[str, float] = {}
    tokens_in: float = 0.0
    tokens_out: float = 0.0
    latency_p50: float | None = None
    latency_p95: float | None = None
    escalated: float = 0.0
    fell_back: float = 0.0
    failed: float = 0.0
    judged: Judged | None = None
    stability: float | None = None
    saving: Saving | None = None
    suggestion: str = ""


class Discovery(msgspec.Struct, frozen=True, omit_defaults=True):
    """All types, those that cost most first, and the rest of the requests together. `requests` there are, `drawn` were looked at;
    `texts` of these had their words kept. `by_words`: whether words made the groups. `saved`: USD a request over all traffic.
    `stability` is the adjusted Rand index of two groupings, each made of its own half; `silhouettes` by the number of groups."""

    where: str
    seed: int
    requests: int
    drawn: int
    measured: bool
    texts: int
    by_words: bool
    cost: float
    saved: Range
    types: tuple[Type, ...]
    rest: Type | None = None
    by_tool: int = 0
    since: float | None = None
    until: float | None = None
    stability: float | None = None
    silhouettes: Mapping[int, float] = {}
    notes: tuple[str, ...] = ()
