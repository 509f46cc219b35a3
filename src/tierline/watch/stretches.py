"""Sums over stretches of hours, for every hour at once. Arrays run over hours along their last axis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tierline.watch.evidence import Floats

WEEK = 168
"""Hours of a week."""

REFERENCE = 4 * WEEK
"""Hours that something is compared with."""

QUARTER = 90 * 24
"""Hours, and so looks, of a quarter."""

LENGTHS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 36, 48, 72, 96, 120, 144, 168, 216, 264, 336)
"""Hours of the stretches that are looked at."""


def lengths(window: float) -> Sequence[int]:
    """Those of the stretches that are no longer than a window, in seconds; the shortest at least."""
    return [hours for hours in LENGTHS if hours == 1 or hours * 3600 <= window]


def trailing(numbers: Floats, hours: int) -> Floats:
    """For each hour the sum over so many hours that end with it; fewer at the beginning."""
    sums = np.cumsum(numbers, axis=-1)
    sums[..., hours:] -= sums[..., :-hours].copy() if hours < sums.shape[-1] else 0.0
    return np.asarray(sums)


def before(numbers: Floats, hours: int) -> Floats:
    """Each hour's number from so many hours ago; 0 where nothing was yet."""
    moved = np.zeros_like(numbers)
    if hours < numbers.shape[-1]:
        moved[..., hours:] = numbers[..., : numbers.shape[-1] - hours]
    return moved


def same_hours(numbers: Floats, lag: int, step: int, count: int) -> Floats:
    """For each hour h the sum over h − lag − step, h − lag − 2·step, … , so many of them."""
    return np.asarray(sum((before(numbers, lag + step * turn) for turn in range(1, count + 1)), np.zeros_like(numbers)))


def by_day(numbers: Floats) -> Floats:
    """For each hour the sum over its day; the last day may be short."""
    hours = numbers.shape[-1]
    padded = np.zeros((*numbers.shape[:-1], -(-hours // 24) * 24))
    padded[..., :hours] = numbers
    days = padded.reshape((*numbers.shape[:-1], -1, 24)).sum(axis=-1)
    return np.repeat(days, 24, axis=-1)[..., :hours]
