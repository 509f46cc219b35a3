"""RouteLLM's figures for two models (Ong et al. 2024, section 3.1): how much of the gap between a weak and a strong model it recovers.

    PGR(x)  = (Q(x) − Q(weak)) / (Q(strong) − Q(weak))          at a share x of calls to the strong model
    APGR    = ∫₀¹ PGR(x) dx                                     by trapezoids = (AUC − AUC(weak)) / (AUC(strong) − AUC(weak))
    CPT(z)  = the least x at which PGR(x) ≥ z                   on straight lines between points

RouteLLM cuts the scores at ten quantiles; here every threshold is a point, which is the limit of theirs for many quantiles. A random router
has APGR 0.5 and CPT(z) = z; an oracle may exceed 1, since it beats the strong model.
"""

from __future__ import annotations

import numpy as np

from tierline.evaluation.metrics.curve import Curve

LEAST_GAP = 1e-9


def apgr(curve: Curve) -> float | None:
    """None where the strong model is not better than the weak one. The curve runs from share 0 (weak) to share 1 (strong)."""
    weak, strong = float(curve.quality[0]), float(curve.quality[-1])
    if strong - weak < LEAST_GAP:
        return None
    return (float(np.trapezoid(curve.quality, curve.share)) - weak) / (strong - weak)


def cpt(curve: Curve, z: float) -> float | None:
    """The least share that recovers `z` of the gap; None as for `apgr`."""
    weak, strong = float(curve.quality[0]), float(curve.quality[-1])
    if strong - weak < LEAST_GAP:
        return None
    wanted = weak + z * (strong - weak)
    after = int(np.argmax(curve.quality >= wanted - 1e-12))
    if after == 0:
        return 0.0
    x0, x1 = float(curve.share[after - 1]), float(curve.share[after])
    y0, y1 = float(curve.quality[after - 1]), float(curve.quality[after])
    return x0 + (x1 - x0) * (min(wanted, y1) - y0) / (y1 - y0)
