"""The honest operating point: thresholds are chosen on one part of the queries and measured on another.

A setting that was chosen and measured on the same queries flatters itself. So queries are sorted into parts by a digest of their id;
the setting is chosen on half of them, what is said of it comes from the other half, and how often a target that was met on the first half
is met on the second is told over many such splits."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from tierline.evaluation.interval import Figure, mean_of
from tierline.evaluation.sweep.axes import Setting
from tierline.evaluation.sweep.choose import Chooser
from tierline.evaluation.sweep.questions import Questions
from tierline.evaluation.sweep.sweep import Outcomes, Swept

PARTS = 20
SPLITS = 400
TARGETS = (1.0, 0.99, 0.95)


class OperatingPoint(msgspec.Struct, frozen=True):
    """The cheapest setting that keeps `target` of the best single model's quality on the one half, as measured on the other: `quality`,
    `cost` (USD a query) and `saved`, the share of the best single model's cost, with intervals; `kept`, the share of its quality there.

    `met`: the share of splits on which a setting so chosen kept the target on the other half; `kept_range`: the 5th and 95th percentile of
    what it kept. None where no setting reached the target on the first half."""

    target: float
    best_single: str
    setting: Mapping[str, float] | None
    chosen_on: int
    measured_on: int
    quality: Figure | None = None
    cost: Figure | None = None
    saved: Figure | None = None
    kept: float | None = None
    met: float | None = None
    kept_range: tuple[float, float] | None = None
    why: str = ""


def parts_of(queries: Sequence[str], parts: int = PARTS) -> NDArray[np.int64]:
    """The part of each query: a digest of its id, so that a query keeps its part whatever stands beside it."""
    found = {
        query: int.from_bytes(hashlib.blake2b(query.encode(), digest_size=4).digest(), "big") % parts for query in dict.fromkeys(queries)
    }
    return np.array([found[query] for query in queries], dtype=np.int64)


def operating_point(
    asked: Questions,
    outcomes: Outcomes,
    settings: Sequence[Setting],
    swept: Swept,
    part: NDArray[np.int64],
    names: Sequence[str],
    target: float,
    seed: int = 0,
) -> OperatingPoint:
    """The honest point for one target; `swept` is over the same rows and parts, `names` the models in the fleet's order."""
    parts = len(swept.rows)
    singles_quality, singles_cost = _by_part(outcomes.score, part, parts), _by_part(outcomes.cost, part, parts)
    first = np.arange(parts) < parts // 2
    single = _best(singles_quality, singles_cost, first)
    chosen = _choose(swept, singles_quality[single], first, target)
    rows = swept.rows
    here, there = int(rows[first].sum()), int(rows[~first].sum())
    point = OperatingPoint(target, names[single], None, here, there)
    if here == 0 or there == 0:
        return msgspec.structs.replace(point, why="too few queries to choose on one half and measure on the other")
    if chosen is None:
        return msgspec.structs.replace(point, why=f"no setting keeps {target:.0%} of {names[single]}'s quality on the first half")
    held = np.flatnonzero(~first[part])
    quality, cost = outcome_of(asked, outcomes, settings[chosen], held)
    best_quality, best_cost = outcomes.score[single, held], outcomes.cost[single, held]
    met, kept_range = _repeated(swept, singles_quality, singles_cost, target, seed)
    return msgspec.structs.replace(
        point,
        setting=dict(settings[chosen].values),
        quality=mean_of(quality, bounds=(0.0, 1.0)),
        cost=mean_of(cost),
        saved=_saved(cost, best_cost),
        kept=float(quality.mean() / best_quality.mean()) if best_quality.mean() > 0 else None,
        met=met,
        kept_range=kept_range,
    )


def _by_part(cells: NDArray[np.float64], part: NDArray[np.int64], parts: int) -> NDArray[np.float64]:
    """Sums shaped (m, parts)."""
    return np.array([np.bincount(part, row, minlength=parts) for row in cells])


def _best(quality: NDArray[np.float64], cost: NDArray[np.float64], first: NDArray[np.bool_]) -> int:
    """The best single model on some parts; of equals the cheapest."""
    return int(np.lexsort((cost[:, first].sum(axis=1), -quality[:, first].sum(axis=1)))[0])


def _choose(swept: Swept, single: NDArray[np.float64], first: NDArray[np.bool_], target: float) -> int | None:
    """The cheapest setting that keeps the target on some parts; of equals the better one."""
    quality, cost = swept.quality[:, first].sum(axis=1), swept.cost[:, first].sum(axis=1)
    keeps = quality >= target * single[first].sum() - 1e-9
    if not keeps.any():
        return None
    return int(np.lexsort((-quality, cost, ~keeps))[0])


def outcome_of(
    asked: Questions, outcomes: Outcomes, setting: Setting, rows: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Score and cost of each of these rows under one setting."""
    chosen = Chooser(asked.part(rows)).choose(setting.thresholds)
    score, cost = np.where(chosen < 0, 0.0, outcomes.score[chosen, rows]), np.where(chosen < 0, 0.0, outcomes.cost[chosen, rows])
    return score, cost


def _saved(cost: NDArray[np.float64], best: NDArray[np.float64]) -> Figure:
    """1 − Σ cost / Σ cost of the best single model; the interval of the ratio by the delta method, over pairs."""
    total = float(best.sum())
    if total <= 0:
        return Figure(why="the best single model costs nothing")
    ratio = float(cost.sum()) / total
    terms = (cost - ratio * best) / best.mean()
    found = mean_of(terms)
    if found.low is None or found.high is None:
        return Figure(1.0 - ratio, None, None, len(cost), found.why)
    return Figure(1.0 - ratio, 1.0 - ratio - found.high, 1.0 - ratio - found.low, len(cost))


def _repeated(
    swept: Swept, quality: NDArray[np.float64], cost: NDArray[np.float64], target: float, seed: int
) -> tuple[float | None, tuple[float, float] | None]:
    """How often a setting chosen on half of the parts keeps the target on the others, and what it keeps."""
    dice, parts = np.random.default_rng(seed), len(swept.rows)
    kept = []
    for _ in range(SPLITS):
        first = np.zeros(parts, dtype=bool)
        first[dice.permutation(parts)[: parts // 2]] = True
        single = _best(quality, cost, first)
        chosen = _choose(swept, quality[single], first, target)
        there = float(quality[single][~first].sum())
        if chosen is not None and there > 0:
            kept.append(float(swept.quality[chosen][~first].sum()) / there)
    if not kept:
        return None, None
    low, high = np.quantile(kept, (0.05, 0.95))
    return float(np.mean([share >= target - 1e-9 for share in kept])), (float(low), float(high))
