"""The document that `tierline replay` writes."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from tierline.evaluation.counterfactual import Value
from tierline.evaluation.interval import Figure
from tierline.evaluation.replay.changes import Change

VERSION = 1
"""Of the layout."""


class Rows(msgspec.Struct, frozen=True):
    """What was read, and what became of it. `same`: the same model first and the same plan behind it; `plan_changed`: the same first model,
    another plan behind it; `changed`: another model first, or nobody; `tools`: a tool had answered, nothing was routed;
    `screened`: of `same`, those of which only the first model was compared;
    `own`: rows that the replayed spec itself had decided, `unfaithful`: those of them that came out otherwise (none, by law)."""

    read: int
    decided: int
    same: int
    plan_changed: int
    changed: int
    refused: int
    tools: int
    screened: int
    own: int
    unfaithful: tuple[str, ...]
    policies: Mapping[str, int]


class Reckoned(msgspec.Struct, frozen=True):
    """USD a request for the first call, as the decisions themselves reckon it: needs no evidence, knows no retry and no escalation."""

    before: float
    after: float
    change: float
    share: float | None
    """Change over before; None where nothing cost anything."""


class NoEvidence(msgspec.Struct, frozen=True):
    """Rows about which the log can prove nothing, by reason."""

    why: str
    rows: int
    examples: tuple[str, ...]


class Needed(msgspec.Struct, frozen=True):
    """What would give an interval of ± `half` for the difference in quality on the changed requests: so many labelled ones, of which
    the share `explore` is sent to the other model; `requests` of the log's kind to get them, at its rate of labels."""

    half: float
    explore: float
    labelled: int
    requests: int | None


class Evidence(msgspec.Struct, frozen=True):
    """What the log can prove. `coverage`: the share of decided rows on which its policy could have done what the new one does;
    `changed_coverage` likewise of the changed rows. `exact`: support was told by the specs that decided, else by what was seen to happen
    in the same route and task. `labelled`: supported rows whose answer was judged, by judge. A Value is None where there is nothing to
    estimate from. `quality_bounds`: the change over all rows if those without evidence went as badly, or as well, as they can."""

    coverage: float
    changed_coverage: float
    supported: int
    exact: bool
    labelled: Mapping[str, int]
    quality: Value | None
    cost: Value | None
    latency: Value | None
    quality_bounds: tuple[float, float] | None
    none: tuple[NoEvidence, ...]
    needed: tuple[Needed, ...]


class ByTask(msgspec.Struct, frozen=True):
    """Seconds a request, from what each model took in each task, over the rows where both are known; `unknown` rows are left out."""

    before: float | None
    after: float | None
    change: Figure
    unknown: int


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """The whole replay. `models` and `tiers` hold the shares of first choices, before and after."""

    version: int = VERSION
    source: str
    spec: str
    fingerprint: str
    rows: Rows
    models: Mapping[str, tuple[float, float]]
    tiers: Mapping[str, tuple[float, float]]
    reckoned: Reckoned | None
    latency: ByTask | None
    evidence: Evidence | None
    changes: tuple[Change, ...]
    caveats: tuple[str, ...]
