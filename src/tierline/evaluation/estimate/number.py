"""A number of the worksheet: its value, how far it may be off, and where it came from."""

from __future__ import annotations

import math
import zlib
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy import special

from tierline.evaluation.estimate.source import Source

Values = NDArray[np.float64]

ASSUMED_ANSWERS = 40.0
"""An assumed rate counts as if so many answers had been judged: 0.96 then means 0.89 to 0.99."""
ASSUMED_REQUESTS = 100.0
"""An assumed share of the traffic counts as if so many requests had been counted."""
ASSUMED_CV, LATENCY_CV, THINKING_CV = 0.25, 0.35, 0.6
"""How far an assumed amount may be off, as a coefficient of variation: tokens; seconds; and tokens thought, which may be none or
several times as many as are said."""

LOW, HIGH = 0.05, 0.95
"""The quantiles between which a number is shown to lie: nine times out of ten it does."""


class Number(msgspec.Struct, frozen=True, omit_defaults=True):
    """`low` to `high` hold it nine times out of ten. `like` is what it is drawn as, with `width`:

    rate     Beta(width · value, width · (1 − value)): as if `width` answers had been judged
    share    of all traffic: Gamma(width · value), then all shares made to add up to 1
    amount   lognormal about its value, `width` the coefficient of variation
    fixed    as it stands
    """

    value: float
    source: Source
    like: Literal["rate", "share", "amount", "fixed"] = "fixed"
    width: float = 0.0
    low: float = 0.0
    high: float = 0.0


def fixed(value: float, source: Source) -> Number:
    """A number that is what it is: a price, a bar."""
    return Number(value, source, low=value, high=value)


def rate(value: float, source: Source, weight: float | None = None) -> Number:
    """A probability; measured ones weigh as many answers as were judged."""
    return _ranged(Number(value, source, "rate", weight or float(source.n) or ASSUMED_ANSWERS))


def share(value: float, source: Source) -> Number:
    """A share of all traffic; `source.n` is the requests that were counted, of every task."""
    return _ranged(Number(value, source, "share", float(source.n) or ASSUMED_REQUESTS))


def amount(value: float, source: Source, cv: float = ASSUMED_CV) -> Number:
    """Tokens or seconds."""
    return _ranged(Number(value, source, "amount", cv if value > 0 else 0.0))


def quantile(number: Number, at: float) -> float:
    """Below which it lies with probability `at`."""
    value, width = number.value, number.width
    if number.like == "rate":
        a, b = _beta(value, width)
        return float(special.betaincinv(a, b, at))
    if number.like == "share":
        return float(special.gammaincinv(max(value * width, 0.5), at)) * value / max(value * width, 0.5)
    if number.like == "amount" and width > 0:
        mu, sigma = _log(value, width)
        return math.exp(mu + sigma * float(special.ndtri(at)))
    return value


def draws(number: Number, name: str, count: int, seed: int) -> Values:
    """So many values of it; the same for the same name and seed, whatever else is drawn."""
    dice = np.random.default_rng([seed, zlib.crc32(name.encode())])
    value, width = number.value, number.width
    if number.like == "rate":
        return dice.beta(*_beta(value, width), count)
    if number.like == "share":
        shape = max(value * width, 0.5)
        return dice.gamma(shape, 1.0, count) * value / shape
    if number.like == "amount" and width > 0:
        mu, sigma = _log(value, width)
        return np.exp(mu + sigma * dice.standard_normal(count))
    return np.full(count, value)


def _ranged(number: Number) -> Number:
    return msgspec.structs.replace(number, low=quantile(number, LOW), high=quantile(number, HIGH))


def _beta(value: float, weight: float) -> tuple[float, float]:
    """The two parameters; a rate of 0 or 1 is never quite certain: half an answer speaks against it."""
    inside = min(max(value, 0.5 / weight), 1.0 - 0.5 / weight) if weight > 1 else 0.5
    return inside * weight, (1.0 - inside) * weight


def _log(value: float, cv: float) -> tuple[float, float]:
    """Mean and deviation of the logarithm of a lognormal with this mean and coefficient of variation."""
    sigma = math.sqrt(math.log1p(cv * cv))
    return math.log(value) - sigma * sigma / 2, sigma
