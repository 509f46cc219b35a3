"""Does a service level's budget burn? Several windows at once: a fast burn is told within an hour, a slow one within days.

With a target of 95 % within the latency budget, 5 % may be late. A burn of 6 means that 30 % are. An alarm needs the burn of a window and
of a short one at its end (so that what is over is not told), and that chance cannot explain it: if the share that is late were no more
than allowed, n requests with a share of p late came with a chance of exp(−n·KL(p ‖ allowed)) at most (Chernoff), and that many chances are
taken in a quarter. Late requests come in clusters, so each counts for less."""

from __future__ import annotations

import math

import numpy as np

from tierline.watch.course import Course
from tierline.watch.evidence import Floats
from tierline.watch.stretches import QUARTER, trailing

BURNS = ((1, 1, 14.4), (6, 1, 6.0), (24, 2, 3.0), (72, 6, 1.0))
"""Hours of the window, of the short window at its end, and the burn that both must show."""

DISPERSION = 2.0
"""How much more late requests vary than if each came by itself."""

LEAST_REQUESTS = 20.0


def burning(n: Floats, late: Floats, *, alpha: float, window: float, target: float) -> Course:
    """The course of one subject: requests and those that were late, by hour; `alpha` the false alarms that are accepted in a quarter,
    `window` in seconds, `target` the share that is to be in time."""
    allowed = 1.0 - target
    burns = [burn for burn in BURNS if burn[0] == 1 or burn[0] * 3600 <= window]
    needed = math.log(QUARTER * len(burns) / alpha)
    hours = np.arange(len(n), dtype=np.float64)
    score, since, now = np.zeros(len(n)), np.zeros(len(n)), np.zeros(len(n))
    for length, short, burn in burns:
        many, few = np.maximum(trailing(n, length), 1e-9), np.maximum(trailing(n, short), 1e-9)
        share, lately = trailing(late, length) / many, trailing(late, short) / few
        most = min(burn * allowed, 0.5 + 0.5 * allowed)
        there = (share > most) & (lately > most) & (many >= LEAST_REQUESTS)
        found = np.where(there, many / DISPERSION * _divergence(share, allowed) / needed, 0.0)
        better = found > score
        score, since = np.where(better, found, score), np.where(better, hours - length + 1, since)
        now = np.where(better, share, now)
    day = np.maximum(trailing(n, 6), 1e-9)
    recent = trailing(late, 6) / day
    error = np.where(day >= LEAST_REQUESTS, np.sqrt(DISPERSION * np.maximum(recent, allowed) / day), np.inf)
    was = np.full(len(n), allowed)
    return Course(score, since, was, now, -np.expm1(-score * needed), recent, was, error)


def _divergence(share: Floats, allowed: float) -> Floats:
    p = np.clip(share, 1e-9, 1.0 - 1e-9)
    return np.asarray(np.where(p > allowed, p * np.log(p / allowed) + (1.0 - p) * np.log((1.0 - p) / (1.0 - allowed)), 0.0))
