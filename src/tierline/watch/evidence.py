"""Evidence that may be looked at after every unit: the logarithms of mixtures that are martingales where nothing has changed.

Under its null hypothesis each is the capital of a gambler who began with 1, so it ever reaches x with a chance of 1/x at most (Ville).
Every function takes numbers or arrays alike."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ODDS = (1.15, 1.3, 1.5, 2.0, 3.0, 6.0)
"""Factors by which the odds of an event may have grown: the mixture bets on each of them alike."""


def normal_mixture(z: float | Floats, t: float | Floats, rho: float | Floats) -> Floats:
    """Robbins' normal mixture for a sum z of t standardised numbers whose mean is 0:

        log M = ρz² / (2(tρ + 1)) − ½·log(tρ + 1)

    ρ is the variance of the prior on the mean, and makes the mixture strongest at about 1/ρ numbers times some."""
    scale = np.asarray(t) * rho + 1.0
    return np.asarray(rho * np.square(z) / (2.0 * scale) - 0.5 * np.log(scale))


def coin_mixture(k: float, n: float, q: float, a: float, b: float) -> float:
    """The mixture over a Beta(a, b) of the coins that k heads in n throws could come from, against the coin q:

    log M = log [B(a + k, b + n − k) / B(a, b)] − k·log q − (n − k)·log(1 − q)"""
    mixed = math.lgamma(a + k) + math.lgamma(b + n - k) - math.lgamma(a + b + n)
    base = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    return mixed - base - k * math.log(q) - (n - k) * math.log(1.0 - q)


def odds_bets(events: Floats, n: Floats, q: Floats, odds: Sequence[float] = ODDS) -> Floats:
    """What a bet on each factor θ gains in each hour, from n requests of which `events` had the event that each has with the odds of q:

        log L_θ = events · log θ − n · log(1 + q(θ − 1))

    Sums of it over hours are the logarithm of a likelihood ratio, a martingale however q goes from hour to hour; where the true chance is
    below q a supermartingale. One row for each θ."""
    theta = np.asarray(odds)[:, None]
    return np.asarray(events * np.log(theta) - n * np.log1p(q * (theta - 1.0)))


def mixed(bets: Floats) -> Floats:
    """The logarithm of the mean of what the bets of the first axis have come to."""
    most = bets.max(axis=0)
    return np.asarray(most + np.log(np.mean(np.exp(bets - most), axis=0)))
