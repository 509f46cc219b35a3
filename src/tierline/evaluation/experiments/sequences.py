"""Intervals and tests that hold at every moment at once: one may look after each unit, and stop at any time.

`Bounded` bets against a mean, `Asymptotic` mixes over a normal; `quantile` is for a quantile. None of them needs the number of units to
be fixed before."""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec
import numpy as np

from tierline.evaluation.experiments.contrast import Contrast, Floats
from tierline.watch.evidence import coin_mixture, normal_mixture

CAUTION = 0.5
"""The greatest part of its capital that a bet may lose."""

_STEPS = 40
_GREAT = 600.0
_TINY = 1e-12


class Interval(msgspec.Struct, frozen=True):
    """An estimate with the bounds of its always-valid interval; infinite, where nothing is known yet."""

    value: float
    low: float
    high: float

    @property
    def known(self) -> bool:
        """Whether anything was measured."""
        return not math.isnan(self.value)


UNKNOWN = Interval(math.nan, -math.inf, math.inf)


class Bounded:
    """The mean of numbers with known bounds, by betting: predictable plug-in hedged capital.

    Against the mean m, a gambler who begins with 1 and puts λ_t on y_t has

        K⁺_t(m) = Π (1 + λ⁺_i · (y_i − m)),        λ⁺_i = min(λ_i, c / (m − low_i))
        K⁻_t(m) = Π (1 − λ⁻_i · (y_i − m)),        λ⁻_i = min(λ_i, c / (high_i − m))
        λ_t = √(2 · log(2/α) / (σ²_{t−1} · t · log(1 + t)))

    with σ² the variance so far. If m is the mean, each is a nonnegative martingale and reaches 2/α at any time with a chance of α/2 at
    most (Ville), so the m that neither has refuted by then are an interval that holds at all times at once. (Waudby-Smith and Ramdas,
    "Estimating means of bounded random variables by betting", JRSS B 2024, theorem 3; with bounds that may change from unit to unit.)"""

    def __init__(self, numbers: Contrast, alpha: float) -> None:
        self._n = numbers
        self._alpha = alpha
        y = numbers.y
        t = np.arange(1, len(y) + 1)
        means = np.cumsum(y) / t
        spread = numbers.guess + np.cumsum((y - means) ** 2)
        variance = np.concatenate(([numbers.guess], spread[:-1] / t[1:]))[: len(y)]
        self._bet = np.sqrt(2.0 * math.log(2.0 / alpha) / (np.maximum(variance, 1e-12) * t * np.log1p(t)))

    def evidence_above(self, mean: float) -> float:
        """The e-value against "the mean is at most `mean`": the gambler's greatest capital so far. Under it, it ever reaches x with a
        chance of 1/x at most."""
        return _most(self._above(mean))

    def evidence_below(self, mean: float) -> float:
        """The same against "the mean is at least `mean`"."""
        return _most(self._below(mean))

    def paths(self, mean: float) -> tuple[Floats, Floats]:
        """The logarithms of both gamblers' capital after each unit: against "at most `mean`", and against "at least `mean`"."""
        return self._above(mean), self._below(mean)

    def interval(self) -> Interval:
        """What is not refuted, at 1 − α, and the estimate itself: evidence that was strong once may leave even that out. A weighted mean
        that lies outside of what it can be is told as the nearer end."""
        y = self._n.y
        if not len(y):
            return UNKNOWN
        value, limit = self._n.mean, 2.0 / self._alpha
        low = _edge(self._n.least, value, lambda m: self.evidence_above(m) >= limit)
        high = _edge(self._n.most, value, lambda m: self.evidence_below(m) >= limit)
        return Interval(min(max(value, self._n.least), self._n.most), low, high)

    def _above(self, mean: float) -> Floats:
        room = np.maximum(mean - self._n.low, _TINY)
        return _capital(np.minimum(self._bet, CAUTION / room) * (self._n.y - mean))

    def _below(self, mean: float) -> Floats:
        room = np.maximum(self._n.high - mean, _TINY)
        return _capital(-np.minimum(self._bet, CAUTION / room) * (self._n.y - mean))


def _capital(gains: Floats) -> Floats:
    """The logarithm of what these gains make of 1, after each of them."""
    return np.asarray(np.cumsum(np.log1p(np.maximum(gains, _TINY - 1.0))))


def _most(capital: Floats) -> float:
    """The greatest capital of a path; 1, with which it began, where it never grew."""
    return math.exp(min(max(float(capital.max(initial=0.0)), 0.0), _GREAT))


def _edge(refuted: float, kept: float, is_refuted: Callable[[float], bool]) -> float:
    """The last value towards `kept` that is still refuted, from the end of what is possible."""
    if not is_refuted(refuted):
        return refuted
    for _ in range(_STEPS):
        middle = 0.5 * (refuted + kept)
        if is_refuted(middle):
            refuted = middle
        else:
            kept = middle
    return refuted


class Asymptotic:
    """The mean of numbers without known bounds, for many of them:

        mean ± σ · √(2 · (tρ² + 1) / (t²ρ²) · log(√(tρ² + 1) / α))

    Robbins' normal mixture with the measured σ in the true one's place: it holds at all times at once, as far as the central limit
    theorem does by then. (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform central limit theory and asymptotic confidence
    sequences", Annals of Statistics 2024, theorem 2.2.) ρ makes it narrowest at about `best_at` units."""

    def __init__(self, numbers: Contrast, alpha: float, best_at: int = 500) -> None:
        self._alpha = alpha
        self._y = numbers.y
        said = -2.0 * math.log(alpha)
        self._rho = (said + math.log(said) + 1.0) / best_at  # ρ²
        self._sigma = float(np.std(self._y)) if len(self._y) else 0.0

    def evidence_above(self, mean: float) -> float:
        """The mixture's e-value against "the mean is at most `mean`", at this moment; 1 where the numbers do not speak against it."""
        return self._evidence(mean) if len(self._y) and float(np.mean(self._y)) > mean else 1.0

    def evidence_below(self, mean: float) -> float:
        """The same against "the mean is at least `mean`"."""
        return self._evidence(mean) if len(self._y) and float(np.mean(self._y)) < mean else 1.0

    def _evidence(self, mean: float) -> float:
        z = float(np.sum(self._y - mean)) / max(self._sigma, 1e-12)
        return math.exp(min(max(float(normal_mixture(z, len(self._y), self._rho)), 0.0), _GREAT))

    def interval(self) -> Interval:
        """What is not refuted, at 1 − α."""
        t, rho = len(self._y), self._rho
        if not t:
            return UNKNOWN
        half = self._sigma * math.sqrt(2.0 * (t * rho + 1.0) / (t * t * rho) * math.log(math.sqrt(t * rho + 1.0) / self._alpha))
        value = float(np.mean(self._y))
        return Interval(value, value - half, value + half)


def quantile(values: Floats, q: float, alpha: float) -> Interval:
    """The q-quantile of numbers that are alike, at all times at once.

    Of n numbers K lie at or below the true quantile x, and P(value ≤ x) = q. The mixture over a Beta(a, b) of the coins that K could
    come from, M = B(a + K, b + n − K) / (B(a, b) · q^K · (1 − q)^(n − K)), is a martingale; the K with M < 1/α remain, and the numbers of
    those ranks bound the quantile. (Robbins 1970; Howard and Ramdas, "Sequential estimation of quantiles", 2022, theorem 3.) The prior
    weighs as ten numbers."""
    n = len(values)
    if not n:
        return UNKNOWN
    ordered = np.sort(values)
    a, b = 10.0 * q, 10.0 * (1.0 - q)
    kept = [k for k in range(n + 1) if coin_mixture(k, n, q, a, b) < math.log(1.0 / alpha)]
    first, last = kept[0], kept[-1]
    low = -math.inf if first == 0 else float(ordered[first - 1])
    high = math.inf if last >= n else float(ordered[last])
    return Interval(float(np.quantile(ordered, q)), low, high)
