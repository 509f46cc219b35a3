"""RouterArena's optimality (Lu et al. 2025, section 4.1, as its code has counted since May 2026):

    selection = queries where the router chose the cheapest model that is right / queries where any model is right
    cost      = Σ cost of that model / Σ cost of the router's,   over queries where the router is right
    accuracy  = Σ the router's score / Σ the best score,         over queries where any model is right

"Right" is a score of 1. Of several cheapest models any will do.
"""

from __future__ import annotations

import numpy as np

from tierline.evaluation.document import Optimality
from tierline.evaluation.metrics.bootstrap import Floats

RIGHT = 1.0 - 1e-9


def optimality(quality: Floats, paid: Floats | None, score: Floats, cost: Floats | None) -> Optimality:
    """From a router's score and cost a query and the table's; None where there is nothing to divide by, or no cost."""
    possible = score.max(axis=1) >= RIGHT
    best = float(score.max(axis=1)[possible].sum())
    accuracy = float(quality[possible].sum()) / best if best > 0 else None
    if paid is None or cost is None or not possible.any():
        return Optimality(None, None, accuracy)
    cheapest = np.where(score >= RIGHT, cost, np.inf).min(axis=1)
    right = quality >= RIGHT
    chose = right & (paid <= cheapest * (1 + 1e-9))
    spent = float(paid[right].sum())
    return Optimality(float(chose[possible].mean()), float(cheapest[right].sum()) / spent if spent > 0 else None, accuracy)
