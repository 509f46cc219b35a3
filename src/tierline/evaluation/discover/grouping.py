"""The points in groups: Ward's hierarchy over a draw of them (Ward 1963) begins, means of all of them finish it (Buckshot: Cutting et al.
1992). Nothing is left to chance but the draw.

How many groups: the number from 2 to 20 whose cut of the hierarchy has the best mean silhouette (Rousseeuw 1987); of those within one
standard error of the best, the greatest."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import pdist, squareform

from tierline.evaluation.discover.agreement import Labels
from tierline.evaluation.discover.vectors import Points

MOST_TYPES = 20
BEGUN_WITH = 1_500
"""Points that the hierarchy is made of."""
FITTED_WITH = 20_000
"""Points that the means are made of."""
ROUNDS = 25
CHUNK = 20_000
SAME = 1e-9


class Grouping(msgspec.Struct, frozen=True):
    """Middles of the groups, shape (groups, dimensions), and the silhouette of every number that was tried."""

    middles: Points
    silhouettes: Mapping[int, float]

    def of(self, points: Points) -> Labels:
        """The group of each point: the nearest middle."""
        return np.concatenate([_nearest(points[at : at + CHUNK], self.middles) for at in range(0, len(points), CHUNK)])


def grouped(points: Points, many: int | None = None) -> Grouping:
    """Groups of points, which stand in the order of their draw; `many` of them, or as many as the rule says."""
    begun = points[:BEGUN_WITH]
    if len(begun) < 3 or float(np.ptp(begun, axis=0).max()) < SAME:
        return Grouping(points.mean(axis=0, keepdims=True), {})
    apart = pdist(begun.astype(np.float64))
    tree = linkage(apart, method="ward")
    silhouettes: dict[int, float] = {}
    if many is None:
        many, silhouettes = _best(tree, squareform(apart), min(MOST_TYPES, len(np.unique(begun, axis=0))))
    first = fcluster(tree, many, criterion="maxclust") - 1
    return Grouping(_means(points[:FITTED_WITH], _middles(begun, first)), silhouettes)


def _best(tree: NDArray[np.float64], apart: NDArray[np.float64], most: int) -> tuple[int, dict[int, float]]:
    found: dict[int, tuple[float, float]] = {}
    for many in range(2, most + 1):
        values = silhouette(apart, fcluster(tree, many, criterion="maxclust") - 1)
        found[many] = float(values.mean()), float(values.std() / len(values) ** 0.5)
    mean, error = max(found.values())
    many = max((many for many, (value, _) in found.items() if value >= mean - error), default=1)
    return many, {many: round(value, 4) for many, (value, _) in found.items()}


def silhouette(apart: NDArray[np.float64], groups: Labels) -> NDArray[np.float64]:
    """Of each point: (b − a) / max(a, b), a its mean distance to its own group, b to the nearest other; 0 where it is alone."""
    count = np.bincount(groups)
    sums = apart @ np.eye(len(count))[groups]
    own = np.arange(len(groups))
    alone, typical = count[groups] == 1, float(apart.mean())
    a = sums[own, groups] / np.maximum(count[groups] - 1, 1)
    others = sums / count
    others[own, groups] = np.inf
    b = others.min(axis=1)
    values: NDArray[np.float64] = np.where(alone, 0.0, (b - a) / np.maximum(np.maximum(a, b), max(typical, 1e-12)))
    return values


def _means(points: Points, middles: Points) -> Points:
    """Lloyd's rounds from these middles (1982), until nothing moves; a group that loses all its points keeps its middle."""
    groups = _nearest(points, middles)
    for _ in range(ROUNDS):
        middles = _middles(points, groups, middles)
        moved = _nearest(points, middles)
        if np.array_equal(moved, groups):
            break
        groups = moved
    return middles


def _middles(points: Points, groups: Labels, otherwise: Points | None = None) -> Points:
    many = len(otherwise) if otherwise is not None else int(groups.max()) + 1
    count = np.bincount(groups, minlength=many)
    sums = np.zeros((many, points.shape[1]), dtype=np.float64)
    for group in range(many):
        if count[group]:
            sums[group] = points[groups == group].mean(axis=0, dtype=np.float64)
        elif otherwise is not None:
            sums[group] = otherwise[group]
    return sums.astype(np.float32)


def _nearest(points: Points, middles: Points) -> Labels:
    nearest: Labels = np.argmin((middles * middles).sum(axis=1) - 2.0 * (points @ middles.T), axis=1)
    return nearest
