"""Has the rate of an event risen? An always-valid test against what the same hours usually bring.

For each hour the usual chance q of the event is worked out from the four weeks that ended a week (or a window) ago, so that a drift is not
its own yardstick for as long as it is looked for: the rate of each stratum, times how this hour of the day and this day of the week differ.
From every hour on, gamblers bet that the odds have grown (`evidence.odds_bets`); their mean capital is a supermartingale while the rate is
q at most. A quarter has 2160 hours to begin in, so an alarm needs the capital

    2160 · subjects / false alarms that are accepted

Requests of one hour or day are alike beyond chance; the variance of whole days and of four hours against the binomial one is measured over
the reference, and the bets are taken to its inverse power: that many fewer requests count."""

from __future__ import annotations

import math

import numpy as np

from tierline.watch.course import Course
from tierline.watch.evidence import Floats, mixed, odds_bets
from tierline.watch.stretches import QUARTER, REFERENCE, WEEK, before, by_day, lengths, same_hours, trailing

LEAST_EVENTS = 8.0
"""Events of a stretch below which nothing is told: a handful shows nobody anything."""

PRIOR_EVENTS = 10.0
"""Events that the overall rate weighs against the rate of a stratum, of an hour of the day and of a day of the week."""

CAUTIOUS = 2.5
"""Standard errors of the reference by which the usual rate is set higher."""

DISPERSION, BLOCKS = 1.5, 6.0
"""The variance against the binomial one before it is known, and the number of days that this weighs."""

_TINY = 1e-9


def rising(n: Floats, events: Floats, *, alpha: float, window: float, least: float, target: float | None = None) -> Course:
    """The course of one subject. `n` and `events` are requests and those with the event, by stratum and hour; `alpha` the false alarms that
    are accepted in a quarter, `window` in seconds, `least` the smallest rise worth telling. With a `target` the event may be as frequent as
    that, and nothing is learnt from the past."""
    total, happened = n.sum(axis=0), events.sum(axis=0)
    lag = WEEK * math.ceil(window / 3600 / WEEK)
    if target is None:
        usual, shaky, known = _usual(n, events, lag)
    else:
        usual, shaky, known = np.full(total.shape, target), np.zeros(total.shape), np.ones(total.shape)
    usual = np.clip(usual, 1e-5, 1.0 - 1e-5)
    spread = np.maximum(_dispersion(total, happened, usual, known, lag), 1.0)
    cautious = np.clip(usual * (1.0 + CAUTIOUS * np.sqrt(spread) * shaky), 1e-5, 1.0 - 1e-5)
    bets = np.where(known > 0, odds_bets(happened, total, cautious) / spread, 0.0)
    needed = math.log(QUARTER / alpha)
    best = np.full(total.shape, -np.inf)
    since, was, now = np.zeros(total.shape), np.zeros(total.shape), np.zeros(total.shape)
    expected = usual * total
    hours = np.arange(len(total), dtype=np.float64)
    for length in lengths(window):
        requests = np.maximum(trailing(total, length), _TINY)
        found, due = trailing(happened, length), trailing(expected, length)
        there = (found >= LEAST_EVENTS) & ((found - due) / requests >= least) & (before(known, length - 1) > 0)
        capital = np.where(there, mixed(trailing(bets, length)), -np.inf)
        better = capital > best
        best = np.where(better, capital, best)
        since = np.where(better, hours - length + 1, since)
        was, now = np.where(better, due / requests, was), np.where(better, found / requests, now)
    day = np.maximum(trailing(total, 24), _TINY)
    expected_now, recent = trailing(expected, 24) / day, trailing(happened, 24) / day
    level = np.maximum(recent, expected_now)
    error = np.where((known > 0) & (day >= 1.0), np.sqrt(spread * level * (1.0 - np.minimum(level, 1.0)) / day), np.inf)
    sure = -np.expm1(-np.maximum(best, 0.0))
    return Course(best / needed, since, was, now, sure, recent, expected_now, error)


def _usual(n: Floats, events: Floats, lag: int) -> tuple[Floats, Floats, Floats]:
    """The usual rate of each hour, its relative standard error, and whether a week at least is known of it."""
    base_n = before(trailing(n, REFERENCE), lag)
    base_events = before(trailing(events, REFERENCE), lag)
    whole_n, whole_events = base_n.sum(axis=0), base_events.sum(axis=0)
    overall = (whole_events + 0.5) / (whole_n + 1.0)
    rate = (base_events + PRIOR_EVENTS * overall) / (base_n + PRIOR_EVENTS)
    total = n.sum(axis=0)
    mean = np.where(total > 0, (rate * n).sum(axis=0) / np.maximum(total, 1.0), overall)
    of_hour = _factor(events, rate, n, lag, 24, REFERENCE // 24)
    of_day = _factor(by_day(events), rate, by_day(n), lag, WEEK, REFERENCE // WEEK)
    known = np.where((np.arange(len(total)) >= lag + WEEK) & (whole_n > 0), 1.0, 0.0)
    return mean * of_hour * of_day, 1.0 / np.sqrt(whole_events + 1.0), known


def _factor(events: Floats, rate: Floats, n: Floats, lag: int, step: int, count: int) -> Floats:
    """By which factor such hours differ from what the strata's rates let one expect."""
    found = same_hours(events.sum(axis=0), lag, step, count)
    due = (rate * same_hours(n, lag, step, count)).sum(axis=0)
    return np.asarray((found + PRIOR_EVENTS) / (due + PRIOR_EVENTS))


def _dispersion(n: Floats, events: Floats, usual: Floats, known: Floats, lag: int) -> Floats:
    """The variance of stretches against the binomial one, over the reference: of four hours or of a day, whichever is more."""
    found: Floats = np.ones(n.shape)
    variance, residual = usual * (1.0 - usual) * n * known, (events - usual * n) * known
    for length in (4, 24):
        due = trailing(variance, length)
        part = np.where(due > 0.5, np.square(trailing(residual, length)) / np.maximum(due, 0.5), 0.0)
        blocks = before(trailing(np.where(due > 0.5, 1.0, 0.0), REFERENCE), lag) / length
        said = before(trailing(np.asarray(part, dtype=np.float64), REFERENCE), lag) / length
        found = np.maximum(found, (said + BLOCKS * DISPERSION) / (blocks + BLOCKS))
    return found
