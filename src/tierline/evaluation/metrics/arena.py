"""RouterArena's score (Lu et al. 2025, section 4.1):

    S = (1 + β) · A · K / (β · A + K),      K = (log₂ c_max − log₂ c) / (log₂ c_max − log₂ c_min)

A is the mean score, c the USD of a thousand queries, cut to [c_min, c_max] = [0.0044, 200]; β = 0.1. The bounds are those of the paper, so
that figures can be held against its leaderboard (there they are in percent).
"""

from __future__ import annotations

import math

BETA = 0.1
C_MIN, C_MAX = 0.0044, 200.0


def arena_score(quality: float, cost: float) -> float:
    """From a mean score in [0, 1] and the mean USD of a query; 0 where quality or cheapness is none at all."""
    thousand = min(max(cost * 1000.0, C_MIN), C_MAX)
    cheap = (math.log2(C_MAX) - math.log2(thousand)) / (math.log2(C_MAX) - math.log2(C_MIN))
    below = BETA * quality + cheap
    return (1.0 + BETA) * quality * cheap / below if below > 0 else 0.0
