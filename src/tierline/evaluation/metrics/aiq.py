"""AIQ, average improvement in quality (RouterBench, Hu et al. 2024, section 3.3):

    AIQ = 1 / (c_max − c_min) · ∫ R(c) dc      from c_min to c_max

R is the non-decreasing convex hull of the router's points (cost, quality): what it reaches when a coin may mix its settings. c_min and
c_max are the mean costs of the cheapest and the dearest single model, the same for every router of a table. Right of its last point R
stays level; left of its first one nothing is affordable, and R is 0.
"""

from __future__ import annotations

import numpy as np

from tierline.evaluation.metrics.bootstrap import Floats
from tierline.evaluation.metrics.hull import concave


def aiq(cost: Floats, quality: Floats, c_min: float, c_max: float) -> float | None:
    """None where all models cost the same."""
    if c_max <= c_min:
        return None
    corners, heights = concave(cost, quality)
    start = min(max(float(corners[0]), c_min), c_max)
    grid = np.unique(np.concatenate([[start, c_max], corners[(corners > start) & (corners < c_max)]]))
    return float(np.trapezoid(np.interp(grid, corners, heights), grid)) / (c_max - c_min)
