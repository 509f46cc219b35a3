"""The settings that nobody beats."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def front(quality: NDArray[np.float64], cost: NDArray[np.float64]) -> NDArray[np.int64]:
    """The places of the Pareto front, cheapest first: no other is at least as good and as cheap, and better in one of the two. Of
    equals the first counts."""
    order = np.lexsort((np.arange(len(cost)), -quality, cost))
    best = np.maximum.accumulate(quality[order])
    before = np.concatenate(([-np.inf], best[:-1]))
    found: NDArray[np.int64] = order[quality[order] > before]
    return found
