"""How long answers take: quantiles of the recent past, in which what is old fades.

A sample loses half its weight in `HALF_LIFE` seconds and a share with every sample after it, so that a busy model is known by its last
few hundred calls and a quiet one by its last minutes. When all have faded, nothing is known any more: a model that was slow gets its
chance again. Samples are kept as weights of geometric classes, so memory is bounded and a quantile is exact to within 2.5 %.
"""

from __future__ import annotations

import math

from tierline.types.view import Latency

HALF_LIFE = 180.0
REMEMBERED = 500
"""After so many further samples one has lost all but a third of its weight, however fast they came."""

_GROWTH = 1.05
_LOG_GROWTH = math.log(_GROWTH)
_SHORTEST = 1e-4
_LONGEST = 1e5
_KNOWN = 0.5
"""The weight of all samples, in fresh ones, below which nothing is known."""
_RESCALE = 1e12
_MOMENT = 0.05
"""Seconds in which nothing fades."""
_WORKED_OUT = 5.0
"""Seconds that quantiles are kept while no sample comes: they fade slowly."""
_TOGETHER = 256
"""Samples wait for one another up to so many."""

NOTHING = Latency(0.0, 0.0, 0)


class Recent:
    """Fading samples of one quantity, in seconds. Times given as `now` never go back."""

    __slots__ = ("_at", "_fresh", "_known", "_known_until", "_sum", "_unit", "_weights")

    def __init__(self) -> None:
        self._weights: dict[int, float] = {}
        self._fresh: list[tuple[float, float]] = []  # taken, and not among the weights yet
        self._sum = 0.0
        self._unit = 1.0  # the weight of a fresh sample: instead of every old one shrinking, each new one is heavier
        self._at = 0.0
        self._known = NOTHING
        self._known_until = 0.0

    def add(self, now: float, seconds: float) -> None:
        """Take one sample. It is added up when it is asked for, or with its neighbours."""
        self._fresh.append((now, seconds))
        if len(self._fresh) >= _TOGETHER:
            self._add_up()

    def _add_up(self) -> None:
        for now, seconds in self._fresh:
            self._take(now, seconds)
        self._fresh.clear()

    def _take(self, now: float, seconds: float) -> None:
        self._fade(now)
        self._unit *= 1 + 1 / REMEMBERED
        place = round(math.log(min(max(seconds, _SHORTEST), _LONGEST)) / _LOG_GROWTH)
        self._weights[place] = self._weights.get(place, 0.0) + self._unit
        self._sum += self._unit

    def quantiles(self, now: float) -> Latency:
        """Median, 95th percentile and on how many fresh samples' worth they rest; all zero while nothing is known."""
        if self._fresh:
            self._add_up()
        elif now < self._known_until:
            return self._known
        self._fade(now)
        self._known, self._known_until = NOTHING, now + _WORKED_OUT
        if self._sum >= _KNOWN * self._unit:
            ordered = sorted(self._weights.items())
            fresh = max(round(self._sum / self._unit), 1)
            self._known = Latency(self._at_share(ordered, 0.5), self._at_share(ordered, 0.95), fresh)
        return self._known

    def _at_share(self, ordered: list[tuple[int, float]], share: float) -> float:
        wanted, passed = self._sum * share, 0.0
        for place, weight in ordered:
            passed += weight
            if passed >= wanted:
                return math.exp(place * _LOG_GROWTH)
        return math.exp(ordered[-1][0] * _LOG_GROWTH)

    def _fade(self, now: float) -> None:
        if now - self._at < _MOMENT:
            return
        self._unit *= 2 ** min((now - self._at) / HALF_LIFE, 100.0) if self._sum else 1.0
        self._at = now
        if self._unit > _RESCALE:
            unit, self._unit = self._unit, 1.0
            self._weights = {place: kept for place, weight in self._weights.items() if (kept := weight / unit) > 1e-9}
            self._sum = sum(self._weights.values())
