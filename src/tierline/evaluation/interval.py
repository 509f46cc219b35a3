"""Intervals for means: what a sample says, and how little it says when it is small."""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy import special

LEVEL = 0.95
"""Share of repeats in which an interval is to hold the truth."""


class Figure(msgspec.Struct, frozen=True, omit_defaults=True):
    """A value with its 95 % interval. All three are None where nothing can be said; `why` then says why not. `rows` is what it rests on."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    rows: int = 0
    why: str = ""


def unknown(why: str, rows: int = 0) -> Figure:
    """No figure, and the reason."""
    return Figure(why=why, rows=rows)


def mean_of(values: NDArray[np.float64], *, bounds: tuple[float, float] | None = None, rows: int | None = None) -> Figure:
    """The mean with a two-sided 95 % interval: Student's t over the sample's variance, cut to `bounds` where they are known.

    Values that are all the same carry no variance of their own: between bounds the interval is then Wilson's for a share of 0 or 1
    (scaled to the bounds), without bounds there is none. One value alone gives no interval."""
    count = len(values)
    rows = count if rows is None else rows
    if count == 0:
        return unknown("no rows")
    mean = float(values.mean())
    if count == 1 and bounds is None:
        return Figure(mean, None, None, rows, "one row gives no interval")
    spread = float(values.std(ddof=1)) if count > 1 else 0.0
    if spread <= 1e-12 * max(1.0, abs(mean)):
        return _of_equal(mean, count, bounds, rows)
    half = float(special.stdtrit(count - 1, 0.5 + LEVEL / 2)) * spread / math.sqrt(count)
    return within(mean, half, bounds, rows)


def within(mean: float, half: float, bounds: tuple[float, float] | None, rows: int) -> Figure:
    """The mean ± half, cut to the bounds; a mean outside of them (a weighted one may be) is moved to the nearer bound."""
    low, high = mean - half, mean + half
    if bounds is not None:
        low, mean, high = (min(max(value, bounds[0]), bounds[1]) for value in (low, mean, high))
    return Figure(mean, low, high, rows)


def _of_equal(mean: float, count: int, bounds: tuple[float, float] | None, rows: int) -> Figure:
    if bounds is None:
        return Figure(mean, None, None, rows, "all values are the same: they give no interval")
    slack = wilson_slack(count) * (bounds[1] - bounds[0])
    return Figure(mean, max(bounds[0], mean - slack), min(bounds[1], mean + slack), rows)


def wilson_slack(count: float) -> float:
    """How far the truth may lie from a share that was 0 or 1 in all of `count` trials: z² / (n + z²), Wilson's interval (1927)."""
    z = float(special.ndtri(0.5 + LEVEL / 2))
    return z * z / (count + z * z) if count > 0 else 1.0
