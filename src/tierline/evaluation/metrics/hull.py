"""The zero router: what coins alone reach.

RouterBench (Hu et al. 2024, section 3.2) takes single models as points (mean cost, mean quality) and calls the upper convex hull of these
points the zero router: every point on it is reached by a coin between two models, without looking at a query. The hull here is the
non-decreasing part: it runs from the cheapest model to the best one, and a dearer budget buys no less.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import numpy as np

from tierline.evaluation.metrics.bootstrap import Floats

ROUNDING = 1e-9


class Hull(msgspec.Struct, frozen=True):
    """The corners of the zero router, cheapest first: indices of models, their mean cost (rising) and quality (rising)."""

    models: tuple[int, ...]
    cost: tuple[float, ...]
    quality: tuple[float, ...]

    def mix(self, cost: float) -> Mapping[int, float]:
        """The best coin of at most this mean cost: model → share. Below the cheapest corner it is the cheapest model alone, since no
        mix costs less."""
        after = int(np.searchsorted(self.cost, cost, side="right"))
        if after == 0:
            return {self.models[0]: 1.0}
        if after == len(self.cost):
            return {self.models[-1]: 1.0}
        low, high = self.cost[after - 1], self.cost[after]
        share = (cost - low) / (high - low)
        mixed = {self.models[after - 1]: 1.0 - share, self.models[after]: share}
        return {model: part for model, part in mixed.items() if part > ROUNDING}

    def at(self, cost: float) -> float:
        """The quality of that coin."""
        return float(np.interp(cost, self.cost, self.quality))


def hull(cost: Floats, quality: Floats) -> Hull:
    """The corners from mean costs and qualities, a value a model; of two equal points the first one is kept."""
    order = sorted(range(len(cost)), key=lambda m: (cost[m], -quality[m], m))
    corners = [order[0]]
    while True:
        here = corners[-1]
        better = [m for m in order if quality[m] > quality[here] and cost[m] > cost[here]]
        if not better:
            return Hull(tuple(corners), tuple(float(cost[m]) for m in corners), tuple(float(quality[m]) for m in corners))
        corners.append(max(better, key=lambda m: ((quality[m] - quality[here]) / (cost[m] - cost[here]), cost[m])))


def concave(cost: Floats, quality: Floats) -> tuple[Floats, Floats]:
    """The non-decreasing upper hull of any points: (cost, quality) of its corners, cheapest first."""
    order = np.lexsort((-quality, cost))
    kept: list[tuple[float, float]] = []
    for c, q in zip(cost[order].tolist(), quality[order].tolist(), strict=True):
        if kept and (q <= kept[-1][1] or c == kept[-1][0]):
            continue
        while len(kept) > 1 and (q - kept[-2][1]) * (kept[-1][0] - kept[-2][0]) >= (kept[-1][1] - kept[-2][1]) * (c - kept[-2][0]):
            kept.pop()
        kept.append((c, q))
    corners = np.array(kept)
    return corners[:, 0], corners[:, 1]
