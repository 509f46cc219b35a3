"""Tiers needed against tiers chosen. Under-routed: chosen below what is needed; over-routed: above. Rates are shares of all queries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from tierline.evaluation.document import Confusion
from tierline.evaluation.metrics.bootstrap import Floats
from tierline.evaluation.metrics.regret import SAME


def confusion(needed: Sequence[str], chosen: Sequence[str], tiers: Sequence[str], source: Literal["labels", "scores"]) -> Confusion | None:
    """Over the queries whose tiers, needed and chosen, are both among `tiers` (cheapest first); None where there is none."""
    place = {tier: number for number, tier in enumerate(tiers)}
    pairs = np.array([(place[n], place[c]) for n, c in zip(needed, chosen, strict=True) if n in place and c in place], dtype=np.intp)
    if not len(pairs):
        return None
    counts = np.zeros((len(tiers), len(tiers)), dtype=int)
    np.add.at(counts, (pairs[:, 0], pairs[:, 1]), 1)
    below, above = float((pairs[:, 1] < pairs[:, 0]).mean()), float((pairs[:, 1] > pairs[:, 0]).mean())
    return Confusion(
        tiers=tuple(tiers),
        counts=tuple(tuple(row) for row in counts.tolist()),
        source=source,
        accuracy=1.0 - below - above,
        under_routed=below,
        over_routed=above,
    )


def needed_by_scores(score: Floats, tier_of: Sequence[str], tiers: Sequence[str]) -> list[str]:
    """The lowest tier with a model that reaches each query's best score; `tier_of` is a tier a model."""
    place = {tier: number for number, tier in enumerate(tiers)}
    ranks = np.array([place[tier] for tier in tier_of])
    reach = score >= score.max(axis=1, keepdims=True) - SAME
    lowest = np.where(reach, ranks[None, :], len(tiers)).min(axis=1)
    return [tiers[number] for number in lowest.tolist()]
