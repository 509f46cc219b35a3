"""How alike two groupings of the same requests are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.intp]


def contingency(one: Sequence[object] | Labels, other: Sequence[object] | Labels) -> NDArray[np.float64]:
    """How many requests are in each pair of groups; shape (groups of one, groups of other)."""
    _, first = np.unique(np.asarray(one), return_inverse=True)
    _, second = np.unique(np.asarray(other), return_inverse=True)
    table = np.zeros((first.max() + 1, second.max() + 1))
    np.add.at(table, (first, second), 1.0)
    return table


def adjusted_rand(one: Sequence[object] | Labels, other: Sequence[object] | Labels) -> float:
    """Share of pairs on which they agree, less what chance gives: 1 for the same grouping, 0 for unrelated ones (Hubert and Arabie
    1985)."""
    table = contingency(one, other)
    pairs = [float((counts * (counts - 1.0) / 2.0).sum()) for counts in (table, table.sum(axis=1), table.sum(axis=0))]
    whole = table.sum() * (table.sum() - 1.0) / 2.0
    chance = pairs[1] * pairs[2] / whole if whole else 0.0
    most = (pairs[1] + pairs[2]) / 2.0
    return 1.0 if most == chance else float((pairs[0] - chance) / (most - chance))


def purity(found: Sequence[object] | Labels, true: Sequence[object] | Labels) -> float:
    """Share of requests that belong to the commonest true group of the group that they were put into."""
    table = contingency(found, true)
    return float(table.max(axis=1).sum() / table.sum())


def overlap(group: NDArray[np.bool_], other: Labels) -> float:
    """The best Jaccard overlap of one group with any of another grouping: 1 where it is found again as it is (Hennig 2007)."""
    inside = np.bincount(other[group], minlength=other.max() + 1).astype(float)
    union = group.sum() + np.bincount(other).astype(float) - inside
    return float((inside / np.maximum(union, 1.0)).max())
