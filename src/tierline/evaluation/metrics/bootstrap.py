"""95 % intervals by resampling queries.

A resample draws as many queries as there are, with replacement; every column of it is drawn together, so that differences between routers
are paired by query. The interval is the 2.5 % and 97.5 % quantile of the resampled figure (Efron 1979, the percentile method), then

    widened for small samples: half-widths times t(0.975, n − 1) / 1.96 · √(n / (n − 1))    (Hesterberg 2015, section 5.3)
    never narrower than 3 / n on either side    (the rule of three: Hanley and Lippman-Hand 1983)

so that ten equal answers do not pass for certainty. Above `UNITS` queries, they are dealt at random into `UNITS` groups of equal size, and
groups are drawn: time and memory then grow with the queries only through one sum.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from tierline.evaluation.document import Estimate

Floats = NDArray[np.float64]

RESAMPLES = 1000
UNITS = 5_000
_CHUNK = 5_000_000


class Bootstrap:
    """Resamples for one evaluation. The same seed, name and queries give the same interval, whatever else is computed."""

    def __init__(self, seed: int, resamples: int = RESAMPLES) -> None:
        self.seed = seed
        self.resamples = resamples

    def generator(self, name: str) -> np.random.Generator:
        """Chance of its own for what is called `name`."""
        return np.random.default_rng([self.seed, zlib.crc32(name.encode())])

    def means(self, columns: Floats, name: str) -> Floats:
        """Resampled means of columns shaped (queries, k) → (resamples, k)."""
        chance = self.generator(name)
        sums, sizes = _dealt(columns, chance)
        units = len(sizes)
        out = np.empty((self.resamples, columns.shape[1]))
        step = max(1, _CHUNK // units)
        for start in range(0, self.resamples, step):
            many = min(step, self.resamples - start)
            drawn = chance.integers(0, units, size=(many, units)) + np.arange(many)[:, None] * units
            counts = np.bincount(drawn.ravel(), minlength=many * units).reshape(many, units).astype(np.float64)
            out[start : start + many] = (counts @ sums) / (counts @ sizes)[:, None]
        return out

    def estimate(self, columns: Floats, name: str, figure: Callable[[Floats], Floats], bounds: tuple[float, float]) -> Estimate:
        """`figure` of the columns' means (shaped (…, k) → (…)) with its interval, within `bounds`. Needs at least one query."""
        value = float(figure(columns.mean(axis=0)[None, :])[0])
        return interval(value, figure(self.means(columns, name)), len(columns), bounds)


def interval(value: float, resampled: Floats, n: int, bounds: tuple[float, float]) -> Estimate:
    """The interval of a figure with so many queries, as said above; one query alone says nothing, so its interval is `bounds`."""
    if n < 2:
        return Estimate(value, *bounds)
    low, high = (float(end) for end in np.quantile(resampled, (0.025, 0.975)))
    wider = float(stdtrit(n - 1, 0.975)) / 1.959964 * float(np.sqrt(n / (n - 1)))
    span = (bounds[1] - bounds[0]) if np.isfinite(bounds).all() else 0.0
    least = 3.0 / n * min(1.0, span)
    low, high = value - max((value - low) * wider, least), value + max((high - value) * wider, least)
    return Estimate(value, max(min(low, value), bounds[0]), min(max(high, value), bounds[1]))


def _dealt(columns: Floats, chance: np.random.Generator) -> tuple[Floats, Floats]:
    """Sums and sizes of the units that are drawn: single queries, or groups of them dealt at random."""
    n = len(columns)
    if n <= UNITS:
        return columns, np.ones(n)
    dealt = chance.permutation(n) % UNITS
    sums = np.empty((UNITS, columns.shape[1]))
    for k in range(columns.shape[1]):
        sums[:, k] = np.bincount(dealt, weights=columns[:, k], minlength=UNITS)
    return sums, np.bincount(dealt, minlength=UNITS).astype(np.float64)
