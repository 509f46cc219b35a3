"""How well predicted pass rates hold.

Brier = mean (p − s)²                                       (Brier 1950; s may be any score in [0, 1])
ECE   = Σ over bins n_b / n · |mean p in b − mean s in b|   (Naeini et al. 2015; ten bins of equal width, the last one closed)
"""

from __future__ import annotations

import numpy as np

from tierline.evaluation.document import Bin, Reliability
from tierline.evaluation.metrics.bootstrap import Floats

BINS = 10


def reliability(predicted: Floats, actual: Floats) -> Reliability | None:
    """Of predictions in [0, 1] against scores, of any shape; a NaN prediction was not made. None where none was."""
    made = np.isfinite(predicted)
    p, s = predicted[made], actual[made]
    if not len(p):
        return None
    place = np.clip((p * BINS).astype(int), 0, BINS - 1)
    counts = np.bincount(place, minlength=BINS)
    mean_p = np.bincount(place, weights=p, minlength=BINS) / np.maximum(counts, 1)
    mean_s = np.bincount(place, weights=s, minlength=BINS) / np.maximum(counts, 1)
    bins = tuple(Bin(b / BINS, (b + 1) / BINS, float(mean_p[b]), float(mean_s[b]), int(counts[b])) for b in range(BINS) if counts[b])
    ece = float((counts / len(p) * np.abs(mean_p - mean_s)).sum())
    return Reliability(float(((p - s) ** 2).mean()), ece, bins)
