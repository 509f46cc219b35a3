"""Has a mix shifted? The population stability index of a stretch against the same hours of the four weeks before, with its significance.

    PSI = Σ (p − q) · log(p / q)            of the shares p of the stretch and q of the reference
    G   = 2 Σ observed · log(observed / expected)     over both, as in a two-sample test

Stretches of an hour, six hours, a day and three days are looked at. Shares differ from week to week by more than chance: G of a stretch
against the same one a week before, over the reference, says by how much (φ), and G/φ is judged by an F distribution with as many degrees
of freedom as φ was measured with (Rao and Scott's correction, with φ estimated)."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import fdtrc

from tierline.watch.course import Course
from tierline.watch.evidence import Floats
from tierline.watch.stretches import QUARTER, REFERENCE, WEEK, before, same_hours, trailing

SPANS = (1, 6, 24, 72)
"""Hours of the stretches."""

WEEKS = REFERENCE // WEEK
EACH = 10.0
"""Requests for each part of the mix that a stretch needs."""

DISPERSION, BLOCKS = 3.0, 3.0
"""φ before it is known, and the number of stretches that this weighs."""

_HALF = 0.5


def shifted(counts: Floats, *, alpha: float, window: float, least: float) -> Course:
    """The course of one mix: `counts` by part and hour. `alpha` is the number of false alarms that are accepted in a quarter, `window` the
    longest stretch in seconds, `least` the smallest PSI worth telling."""
    counts = _pooled(counts)
    spans = [span for span in SPANS if span == 1 or span * 3600 <= window]
    hours = np.arange(counts.shape[1], dtype=np.float64)
    score, since = np.zeros(hours.shape), np.zeros(hours.shape)
    now, sure = np.zeros(hours.shape), np.zeros(hours.shape)
    recent, error = np.zeros(hours.shape), np.full(hours.shape, np.inf)
    for span in spans if len(counts) > 1 else ():
        there = trailing(counts, span)
        past = same_hours(there, 0, WEEK, WEEKS)
        freedom = len(counts) - 1
        spread, blocks = _spread(there, past, span, freedom)
        moved = _psi(there, past, spread * freedom)
        enough = (there.sum(axis=0) >= EACH * len(counts)) & (hours >= 2 * WEEK + span)
        chance = fdtrc(freedom, blocks * freedom, _g(there, past) / freedom / spread)
        looks = min(QUARTER, 8 * QUARTER / span) * len(spans)
        weight = np.log(np.maximum(chance, 1e-300)) / math.log(alpha / looks)
        found = np.where(enough & (moved >= least), weight, 0.0)
        better = found > score
        score, since = np.where(better, found, score), np.where(better, hours - span + 1, since)
        now, sure = np.where(better, moved, now), np.where(better, 1.0 - chance, sure)
        if span <= 24:
            recent, error = np.where(enough, moved, recent), np.where(enough, 0.0, error)
    none = np.zeros(hours.shape)
    return Course(score, since, none, now, sure, recent, none, error)


def moved_most(counts: Floats, since: int, hour: int) -> tuple[int, float, float]:
    """The part of a mix whose share has moved most since an hour: its place, and its share before and since."""
    there = counts[:, since : hour + 1].sum(axis=1)
    length = hour + 1 - since
    past = sum(counts[:, max(since - WEEK * turn, 0) : max(since - WEEK * turn + length, 0)].sum(axis=1) for turn in range(1, WEEKS + 1))
    p, q = there / max(there.sum(), 1.0), past / max(np.sum(past), 1.0)
    place = int(np.argmax(np.abs(p - q)))
    return place, float(q[place]), float(p[place])


def began(counts: Floats, place: int, hour: int, first: int) -> int:
    """In which hour from `first` on the share of one part most likely began to move."""
    total = counts.sum(axis=0)
    past = same_hours(counts, 0, WEEK, WEEKS)
    share = past[place] / np.maximum(past.sum(axis=0), 1.0)
    gap = counts[place] - share * total
    variance = np.maximum(share * (1.0 - share) * total, 1e-6)
    tail, spread = np.cumsum(gap[hour : first - 1 if first else None : -1]), np.cumsum(variance[hour : first - 1 if first else None : -1])
    return hour - int(np.argmax(np.square(tail) / spread))


def _pooled(counts: Floats) -> Floats:
    """With the parts that are rare put together: a percent of all."""
    share = counts.sum(axis=1) / max(float(counts.sum()), 1.0)
    rare = share < 0.01
    if rare.sum() < 2:
        return counts[share > 0] if not rare.all() else counts
    return np.vstack([counts[~rare], counts[rare].sum(axis=0, keepdims=True)])


def _g(one: Floats, other: Floats) -> Floats:
    a, b = one.sum(axis=0), other.sum(axis=0)
    whole = one + other
    every = np.maximum(a + b, 1.0)
    return np.asarray(2.0 * (_xlog(one, whole * a / every) + _xlog(other, whole * b / every)))


def _xlog(observed: Floats, expected: Floats) -> Floats:
    return np.asarray(np.where(observed > 0, observed * np.log(np.maximum(observed, 1.0) / np.maximum(expected, 1e-12)), 0.0).sum(axis=0))


def _psi(one: Floats, other: Floats, noise: Floats) -> Floats:
    """The index, less what chance alone brings to it."""
    a, b = one.sum(axis=0), other.sum(axis=0)
    p, q = (one + _HALF) / (a + _HALF * len(one)), (other + _HALF) / (b + _HALF * len(other))
    plain = ((p - q) * np.log(p / q)).sum(axis=0)
    return np.asarray(np.maximum(plain - noise * (1.0 / np.maximum(a, 1.0) + 1.0 / np.maximum(b, 1.0)), 0.0))


def _spread(there: Floats, past: Floats, span: int, freedom: int) -> tuple[Floats, Floats]:
    """φ at each hour, from what ended a week and more ago, and the number of stretches that it was measured with. What varies between
    stretches weighs the more the more requests they hold, so φ is taken to grow with them, where that says more."""
    week_before = before(there, WEEK)
    a, b, c = there.sum(axis=0), week_before.sum(axis=0), past.sum(axis=0)
    enough = (a > 0) & (b > 0)
    against = np.where(enough, _g(there, week_before) / freedom, 0.0)
    blocks = before(trailing(enough * 1.0, REFERENCE), WEEK) / span
    said = before(trailing(against, REFERENCE), WEEK) / span
    pairs = before(trailing(np.where(enough, _together(a, b), 0.0), REFERENCE), WEEK) / span
    plain = (said + BLOCKS * DISPERSION) / (blocks + BLOCKS)
    between = np.maximum(plain - 1.0, 0.0) / np.maximum(2.0 * pairs / np.maximum(blocks, 1e-9), 1e-9)
    weeks = np.maximum((same_hours((a > 0) * 1.0, 0, WEEK, WEEKS)), 1.0)
    grown = np.where(pairs > 0, 1.0 + between * (1.0 + 1.0 / weeks) * _together(a, c), plain)
    return np.maximum(np.maximum(plain, grown), 1.0), blocks + BLOCKS


def _together(a: Floats, b: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 / np.maximum(a, 1.0) + 1.0 / np.maximum(b, 1.0)))
