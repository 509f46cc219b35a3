"""Has the mean of a number risen? Robbins' normal mixture over what exceeds the usual, with the variance of whole days.

The usual mean of each hour is worked out as in `rate`: the mean of each stratum over the four weeks that ended a week (or a window) ago,
times how this hour of the day and this day of the week differ. What a request's number exceeds it by is summed from every hour on; the
variance of a request is that of the numbers themselves, or that of four hours or a whole day against them, whichever is more."""

from __future__ import annotations

import math

import numpy as np

from tierline.watch.course import Course
from tierline.watch.evidence import Floats, normal_mixture
from tierline.watch.stretches import QUARTER, REFERENCE, WEEK, before, by_day, lengths, same_hours, trailing

LEAST_REQUESTS = 30.0
"""Requests of a stretch below which its mean says nothing."""

PRIOR_REQUESTS = 100.0
"""Requests that the overall mean weighs against that of a stratum, of an hour of the day and of a day of the week."""

CAUTIOUS = 2.0
"""Standard errors of the reference by which the usual mean is set higher."""

DISPERSION, BLOCKS = 1.5, 6.0
"""The variance of days against that of requests before it is known, and the number of days that this weighs."""

BEST_AT = 5000.0
"""Requests at which the mixture is strongest."""


def rising(n: Floats, total: Floats, squares: Floats, *, alpha: float, window: float, least: float, target: float | None = None) -> Course:
    """The course of one subject. `n`, `total` and `squares` are requests, the sum of their numbers and of its squares, by stratum and hour;
    `alpha` the false alarms that are accepted in a quarter, `window` in seconds, `least` the smallest rise worth telling, as a share. With
    a `target` the mean may be as high as that, and nothing is learnt from the past but the variance."""
    requests, spent = n.sum(axis=0), total.sum(axis=0)
    lag = WEEK * math.ceil(window / 3600 / WEEK)
    expected, shaky, known = _expected(n, total, lag)
    if target is not None:
        expected, shaky, known = target * requests, np.zeros(requests.shape), np.where(np.cumsum(requests) >= LEAST_REQUESTS, 1.0, 0.0)
    variance = np.maximum(_variance(n, total, squares, lag, pooled=target is not None), 1e-24)
    variance = variance * np.maximum(_dispersion(spent - expected, requests, variance, known, lag, told=target is None), 1.0)
    usual = expected / np.maximum(requests, 1.0)
    cautious = expected + CAUTIOUS * np.sqrt(variance) * shaky * requests
    needed = math.log(QUARTER / alpha)
    rho = (2.0 * needed + math.log(2.0 * needed) + 1.0) / BEST_AT
    best = np.full(requests.shape, -np.inf)
    since, was, now = np.zeros(requests.shape), np.zeros(requests.shape), np.zeros(requests.shape)
    hours = np.arange(len(requests), dtype=np.float64)
    for length in lengths(window):
        many = np.maximum(trailing(requests, length), 1.0)
        above = trailing(spent - cautious, length) / np.sqrt(np.maximum(trailing(requests * variance, length) / many, 1e-24))
        found, due = trailing(spent, length) / many, trailing(expected, length) / many
        there = (many >= LEAST_REQUESTS) & (above > 0) & (found - due >= least * due) & (before(known, length - 1) > 0)
        strength = np.where(there, normal_mixture(above, many, rho), -np.inf)
        better = strength > best
        best, since = np.where(better, strength, best), np.where(better, hours - length + 1, since)
        was, now = np.where(better, due, was), np.where(better, found, now)
    day = np.maximum(trailing(requests, 24), 1.0)
    error = np.where((known > 0) & (day >= LEAST_REQUESTS), np.sqrt(variance / day), np.inf)
    usual_now = trailing(usual * requests, 24) / day
    sure = -np.expm1(-np.maximum(best, 0.0))
    return Course(best / needed, since, was, now, sure, trailing(spent, 24) / day, usual_now, error)


def _expected(n: Floats, total: Floats, lag: int) -> tuple[Floats, Floats, Floats]:
    """The usual sum of each hour, the relative weight of the reference's error (one over the root of its requests), and whether a week at
    least is known of it."""
    base_n, base_total = before(trailing(n, REFERENCE), lag), before(trailing(total, REFERENCE), lag)
    whole = base_n.sum(axis=0)
    overall = base_total.sum(axis=0) / np.maximum(whole, 1.0)
    mean = (base_total + PRIOR_REQUESTS * overall) / (base_n + PRIOR_REQUESTS)
    of_hour = _factor(total, mean, n, lag, 24, REFERENCE // 24, overall)
    of_day = _factor(by_day(total), mean, by_day(n), lag, WEEK, REFERENCE // WEEK, overall)
    known = np.where((np.arange(n.shape[1]) >= lag + WEEK) & (whole > 0), 1.0, 0.0)
    return (mean * n).sum(axis=0) * of_hour * of_day, 1.0 / np.sqrt(whole + 1.0), known


def _factor(total: Floats, mean: Floats, n: Floats, lag: int, step: int, count: int, overall: Floats) -> Floats:
    found = same_hours(total.sum(axis=0), lag, step, count)
    due = (mean * same_hours(n, lag, step, count)).sum(axis=0)
    prior = np.maximum(PRIOR_REQUESTS * overall, 1e-24)
    return np.asarray((found + prior) / (due + prior))


def _variance(n: Floats, total: Floats, squares: Floats, lag: int, *, pooled: bool) -> Floats:
    """The variance of one request within its stratum, over the reference; over everything so far where nothing else is learnt."""
    if pooled:
        whole = np.maximum(np.cumsum(n.sum(axis=0)), 1.0)
        mean = np.cumsum(total.sum(axis=0)) / whole
        return np.asarray(np.cumsum(squares.sum(axis=0)) / whole - np.square(mean))
    base_n = np.maximum(before(trailing(n, REFERENCE), lag), 1e-9)
    base_total, base_squares = before(trailing(total, REFERENCE), lag), before(trailing(squares, REFERENCE), lag)
    within = base_squares - np.square(base_total) / base_n
    return np.asarray(within.sum(axis=0) / np.maximum(base_n.sum(axis=0), 1.0))


def _dispersion(residual: Floats, requests: Floats, variance: Floats, known: Floats, lag: int, *, told: bool) -> Floats:
    """The variance of stretches against that of their requests: of four hours or of a day, whichever is more. Against a target the residual
    is no chance, so what is assumed stands."""
    if not told:
        return np.full(requests.shape, DISPERSION)
    found: Floats = np.ones(requests.shape)
    for length in (4, 24):
        due = trailing(requests * variance * known, length)
        there = (due > 0) & (trailing(requests, length) >= LEAST_REQUESTS)
        part = np.where(there, np.square(trailing(residual * known, length)) / np.maximum(due, 1e-24), 0.0)
        blocks = before(trailing(np.where(there, 1.0, 0.0), REFERENCE), lag) / length
        said = before(trailing(np.asarray(part, dtype=np.float64), REFERENCE), lag) / length
        found = np.maximum(found, (said + BLOCKS * DISPERSION) / (blocks + BLOCKS))
    return found
