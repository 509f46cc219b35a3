"""Savings at 100, 99 and 95 % of the best single model:

    save_at(z) = 1 − C(z) / C(best single)      C(z): the least mean cost at which the router's quality ≥ z · Q(best single)

A router with a curve may mix two settings by a coin, so C(z) is taken on the hull of its points; one with a single point is taken at it.
The point is found on the queries that it is measured on: it is what the router could save, set as well as possible. What it saves when it
was set on other queries is the business of the honest operating point (`sweep`). Negative where it costs more than the best single model;
None where it never reaches that quality.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tierline.evaluation.metrics.bootstrap import Floats
from tierline.evaluation.metrics.hull import concave

ROUNDING = 1e-12

LEVELS: Mapping[str, float] = {"100": 1.0, "99": 0.99, "95": 0.95}


def save_at(cost: Floats, quality: Floats, best_cost: float, best_quality: float) -> dict[str, float | None]:
    """Level → share of cost saved, from a router's points."""
    corners, heights = concave(cost, quality)
    return {level: _saved(corners, heights, best_cost, share * best_quality) for level, share in LEVELS.items()}


def _saved(corners: Floats, heights: Floats, best_cost: float, wanted: float) -> float | None:
    if heights[-1] < wanted - 1e-12 or best_cost <= 0:
        return None
    after = int(np.argmax(heights >= wanted - 1e-12))
    least = float(corners[after])
    if after:
        least = float(np.interp(wanted, heights[after - 1 : after + 1], corners[after - 1 : after + 1]))
    saved = 1.0 - least / best_cost
    return saved if abs(saved) > ROUNDING else 0.0
