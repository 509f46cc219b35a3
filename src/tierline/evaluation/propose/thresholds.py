"""The difficulty up to which each tier answers, from a sweep: chosen on one part of the evidence, held to another part of it.

A table on which every model answered the same queries is needed: a log does not know what another tier would have said."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tierline.config.loaded import Loaded
from tierline.evaluation.interval import Figure, mean_of
from tierline.evaluation.propose.changes import Change
from tierline.evaluation.propose.measured import learns
from tierline.evaluation.routers.spec import SpecRouter
from tierline.evaluation.sweep.axes import Setting, default_axes, grid
from tierline.evaluation.sweep.choose import thresholds_of
from tierline.evaluation.sweep.offered import offered
from tierline.evaluation.sweep.operating_point import OperatingPoint, operating_point, outcome_of, parts_of
from tierline.evaluation.sweep.sweep import Outcomes, Swept, sweep
from tierline.evaluation.table import Table
from tierline.routing.router import Router
from tierline.types.errors import EvaluationFailure

LEAST = 200
"""Queries before thresholds are looked at: half of them choose, half of them say what the choice is worth."""

WHY = "the cheapest setting that keeps the quality of the spec as it stands"


def threshold_changes(loaded: Loaded, table: Table, margin: float) -> list[Change]:
    """The ceilings of the route `auto` (that is where a table's queries go) that cost less and lose no more than `margin`; none where the
    sweep shows none, or the table has not every model of the spec."""
    router, table = Router(loaded), table.take(np.flatnonzero(np.array(learns(table.query), dtype=bool)))
    try:
        asked, outcomes, queries = offered(router, table, SpecRouter(loaded).matched(table.models))
    except EvaluationFailure:
        return []
    if len(queries) < LEAST:
        return []
    settings = [Setting({}, thresholds_of(router)), *grid(router, default_axes(router, asked.difficulty))]
    part = parts_of(queries)
    swept = sweep(asked, outcomes, settings, part)
    point = operating_point(asked, outcomes, settings, swept, part, router.policy.fleet.names, _kept_now(swept, outcomes, part))
    if not point.setting:
        return []
    held = np.flatnonzero(part >= len(swept.rows) // 2)
    chosen = next(one for one in settings if one.values == point.setting)
    after, before = (outcome_of(asked, outcomes, one, held) for one in (chosen, settings[0]))
    quality, cost = mean_of(after[0] - before[0]), mean_of(after[1] - before[1])
    lost = quality.value if quality.low is None else quality.low  # the same on every query: known exactly
    if lost is None or lost < -margin or cost.high is None or cost.high >= 0.0:
        return []
    return _changes(loaded, point, _evidence(quality, cost, point))


def _kept_now(swept: Swept, outcomes: Outcomes, part: NDArray[np.int64]) -> float:
    """The share of the best single model's quality that the spec as it stands keeps, on the part that chooses."""
    first = part < len(swept.rows) // 2
    best = float(outcomes.score[:, first].sum(axis=1).max(initial=0.0))
    now = float(swept.quality[0, : len(swept.rows) // 2].sum())
    return now / best if best > 0 else 1.0


def _changes(loaded: Loaded, point: OperatingPoint, evidence: str) -> list[Change]:
    now = loaded.spec.routes["auto"].difficulty if "auto" in loaded.spec.routes else {}
    wanted = {path.rpartition(".")[2]: value for path, value in (point.setting or {}).items()}
    places: Sequence[tuple[str, float]] = [(tier, value) for tier, value in wanted.items() if now.get(tier) != value]
    return [Change(("routes", "auto", "difficulty", tier), now.get(tier), value, WHY, evidence) for tier, value in places]


def _evidence(quality: Figure, cost: Figure, point: OperatingPoint) -> str:
    kept = "" if point.kept is None else f"; {point.kept:.1%} of {point.best_single}'s quality"
    met = "" if point.met is None else f", its target met in {point.met:.0%} of splits"
    span = "" if quality.low is None else f" [{quality.low:+.4f}, {quality.high:+.4f}]"
    change = f"quality {quality.value:+.4f}{span}, USD {cost.value:+.6f} [{cost.low:+.6f}, {cost.high:+.6f}]"
    return f"{change} over {quality.rows}{kept}{met} (data)"
