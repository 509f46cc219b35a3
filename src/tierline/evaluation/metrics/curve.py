"""Curves: what a router gives at every point at which it can be set.

A router that scores queries between two models is set by a threshold: queries with a higher score go to the strong model. One that predicts
every model's quality and cost is set by a price: each query goes to the model with the highest predicted quality − price · cost
(RouterBench's willingness to pay, turned over).
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from tierline.evaluation.document import Point
from tierline.evaluation.metrics.bootstrap import Floats

Places = NDArray[np.intp]

SHOWN = 101
"""Points of a curve in the document."""
PRICES = 120
"""Prices tried, from the predicted best of every query to the cheapest."""
_CELLS = 20_000_000


class Curve(msgspec.Struct, frozen=True):
    """Points in the order of rising share. `share` in [0, 1] of queries that do not go to the cheapest model of the curve, mean `quality`,
    mean `cost` (None where none is known), and the `threshold` that gives the point, NaN at the ends."""

    share: Floats
    quality: Floats
    cost: Floats | None
    threshold: Floats

    def shown(self) -> tuple[Point, ...]:
        """At most `SHOWN` of the points, evenly spread."""
        places = np.unique(np.linspace(0, len(self.share) - 1, SHOWN).astype(int)).tolist()
        return tuple(
            Point(
                float(self.share[i]),
                None if self.cost is None else float(self.cost[i]),
                float(self.quality[i]),
                None if np.isnan(self.threshold[i]) else float(self.threshold[i]),
            )
            for i in places
        )


def by_threshold(score: Floats, weak: Floats, strong: Floats, weak_cost: Floats | None, strong_cost: Floats | None) -> Curve:
    """Every threshold of a score, from nobody to everybody at the strong model. Queries of the same score go up together."""
    order = np.argsort(-score, kind="stable")
    ranked = score[order]
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    n = len(score)

    def walked(low: Floats, high: Floats) -> Floats:
        gained = np.cumsum((high - low)[order])[last] / n
        along: Floats = np.concatenate([[0.0], gained]) + low.mean()
        return along

    return Curve(
        share=np.concatenate([[0.0], (last + 1) / n]),
        quality=walked(weak, strong),
        cost=None if weak_cost is None or strong_cost is None else walked(weak_cost, strong_cost),
        threshold=np.concatenate([[np.nan], ranked[last]]),
    )


def by_price(good: Floats, expected: Floats, score: Floats, cost: Floats, same: Places | None = None, many: int = PRICES) -> Curve:
    """Every price, for predictions shaped (queries, models) of quality and cost, measured by `score` and `cost`. `same` numbers the
    queries' predictions, where many have the same ones: each is then looked at once."""
    cheapest, n = int(np.argmin(cost.mean(axis=0))), len(score)
    counts = np.ones(n)
    if same is not None:
        _, first, same, counts = _distinct(same)
        good, expected, score, cost = good[first], expected[first], _summed(score, same), _summed(cost, same)
    points, rows = [], np.arange(len(good))
    for price in prices(good, expected, many if good.size * many < _CELLS * 10 else many // 4):
        chosen = at_price(good, expected, price)
        share = float(counts[chosen != cheapest].sum()) / n
        points.append((share, float(score[rows, chosen].sum()) / n, float(cost[rows, chosen].sum()) / n, price))
    points.sort(key=lambda point: (point[2], point[1]))
    columns = np.array(points, dtype=np.float64)
    return Curve(columns[:, 0], columns[:, 1], columns[:, 2], columns[:, 3])


def _distinct(same: Places) -> tuple[Any, Places, Places, Floats]:
    names, first, number, counts = np.unique(same, return_index=True, return_inverse=True, return_counts=True)
    return names, first, number.reshape(-1), counts.astype(np.float64)


def _summed(cells: Floats, same: Places) -> Floats:
    """Sums of the rows that have the same number."""
    sums = np.empty((int(same.max()) + 1, cells.shape[1]))
    for m in range(cells.shape[1]):
        sums[:, m] = np.bincount(same, weights=cells[:, m])
    return sums


def prices(good: Floats, expected: Floats, many: int) -> list[float]:
    """Quality a dollar: none, then `many` prices, evenly spread on a logarithmic scale, up to one at which nobody leaves the cheapest."""
    spread = expected.max(axis=1) - expected.min(axis=1)
    spread = spread[spread > 0]
    gain = float((good.max(axis=1) - good.min(axis=1)).max(initial=0.0))
    if not len(spread) or gain <= 0:
        return [0.0]
    top = gain / float(spread.min()) * 1e3
    return [0.0, *np.geomspace(top * 1e-10, top, many).tolist()]


def at_price(good: Floats, expected: Floats, price: float) -> Places:
    """The model of each query at one price; of equally good ones the cheapest expected."""
    worth = good - price * expected
    best = worth.max(axis=1, keepdims=True)
    chosen: Places = np.where(worth >= best - 1e-12, expected, np.inf).argmin(axis=1)
    return chosen
