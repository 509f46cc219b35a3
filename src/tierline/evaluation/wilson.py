"""The interval of a share, in one place: checks, judges, reviews and perturbations count the same way."""

from __future__ import annotations

import math

Z95 = 1.959963984540054
"""The 97.5th percentile of the normal distribution."""


def wilson(hits: float, count: float) -> tuple[float, float]:
    """Wilson's 95 % interval of a share (E. B. Wilson, 1927); (0, 1) of nothing."""
    if not count:
        return 0.0, 1.0
    share, z2 = hits / count, Z95 * Z95
    centre = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = Z95 / (1 + z2 / count) * math.sqrt(share * (1 - share) / count + z2 / (4 * count * count))
    return max(centre - half, 0.0), min(centre + half, 1.0)
