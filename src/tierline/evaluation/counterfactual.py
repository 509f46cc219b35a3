"""What another policy would have given, from the log of the one that ran.

Every row i has what was done (aᵢ), the probability with which the logging policy did it (pᵢ), what came of it (rᵢ) and the probability
πᵢ with which the new policy does the same. The weight is wᵢ = πᵢ / pᵢ. Over n rows on which the log supports the new policy:

    IPS     V = (1/n) Σ wᵢ rᵢ                                             (Horvitz and Thompson, 1952)
    SNIPS   V = Σ wᵢ rᵢ / Σ wᵢ                                            (Hájek, 1971; Swaminathan and Joachims, 2015)
    DR      V = (1/n) Σ [ m(xᵢ, bᵢ) + wᵢ (rᵢ − m(xᵢ, aᵢ)) ]               (Robins et al., 1994; Dudík, Langford and Li, 2011)

with bᵢ what the new policy does at the row's own draw, and m a model of r that was not fitted on row i. IPS and DR are unbiased when the
propensities are right; SNIPS is consistent. Intervals are normal ones over the terms' own variance (for SNIPS by the delta method).
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy import special

from tierline.evaluation.interval import LEVEL, Figure, mean_of, unknown, wilson_slack, within

Vector = NDArray[np.float64]

CLIP = 1_000.0
"""The largest weight. A row that the log had made a thousand times likelier than its propensity says is a mistake, not evidence."""


class Weights(msgspec.Struct, frozen=True):
    """How much the log has to say. `effective` is Kish's effective sample size (Σw)²/Σw²; `largest` the greatest weight, `mean` the
    mean weight (1 where the propensities are right), `mean_error` its standard error, `clipped` how many weights were cut to `CLIP`."""

    rows: int
    effective: float
    largest: float
    mean: float
    mean_error: float
    clipped: int

    @property
    def doubtful(self) -> bool:
        """The mean weight is further from 1 than four standard errors: the logged propensities do not fit what was done."""
        return self.rows > 1 and abs(self.mean - 1.0) > 4.0 * self.mean_error + 1e-9


class Value(msgspec.Struct, frozen=True):
    """One quantity under the new policy, by three estimators, what the log itself gave on the same rows, and the difference."""

    logged: Figure
    ips: Figure
    snips: Figure
    dr: Figure
    change: Figure
    """New minus logged, by the doubly robust estimator, paired row by row."""
    weights: Weights


class Sample(msgspec.Struct, frozen=True):
    """Rows with support, shaped (n,): the weights, what came of each, and what the model says of what was done and of what would be."""

    weight: Vector
    reward: Vector
    of_done: Vector
    of_new: Vector


def clip(weight: Vector, most: float = CLIP) -> tuple[Vector, int]:
    """The weights cut to `most`, and how many were."""
    over = weight > most
    return np.where(over, most, weight), int(over.sum())


def diagnose(weight: Vector, clipped: int = 0) -> Weights:
    """What the weights say about the evidence."""
    count = len(weight)
    total, squares = float(weight.sum()), float((weight**2).sum())
    error = float(weight.std(ddof=1)) / math.sqrt(count) if count > 1 else 0.0
    return Weights(
        count, total * total / squares if squares else 0.0, float(weight.max(initial=0.0)), total / count if count else 0.0, error, clipped
    )


def ips(sample: Sample, bounds: tuple[float, float] | None = None) -> Figure:
    """Inverse propensity score: unbiased, and as wide as the weights are uneven."""
    return _or_none(sample, mean_of(sample.weight * sample.reward, bounds=bounds), bounds)


def snips(sample: Sample, bounds: tuple[float, float] | None = None) -> Figure:
    """Self-normalised: a weighted mean, so it stays between the least and the greatest outcome. The variance is that of the ratio,
    Σ wᵢ² (rᵢ − V)² / (Σ wᵢ)²."""
    total = float(sample.weight.sum())
    if total <= 0:
        return unknown("no row did what the new policy does", len(sample.weight))
    value = float((sample.weight * sample.reward).sum()) / total
    count = len(sample.weight)
    variance = float((sample.weight**2 * (sample.reward - value) ** 2).sum()) / total**2
    if variance <= 1e-24:
        return _or_none(sample, Figure(value, value, value, count), bounds)
    effective = diagnose(sample.weight).effective
    half = float(special.stdtrit(max(effective - 1.0, 1.0), 0.5 + LEVEL / 2)) * math.sqrt(variance * effective / max(effective - 1.0, 0.5))
    return within(value, half, bounds, count)


def doubly_robust(sample: Sample, bounds: tuple[float, float] | None = None) -> Figure:
    """The model's word, corrected by what was seen: right when either the propensities or the model are."""
    return _or_none(sample, mean_of(_robust_terms(sample), bounds=bounds), bounds)


def evaluate(sample: Sample, bounds: tuple[float, float] | None = None, clipped: int = 0) -> Value:
    """Every estimator over the same rows."""
    span = None if bounds is None else (bounds[0] - bounds[1], bounds[1] - bounds[0])
    change = mean_of(_robust_terms(sample) - sample.reward, bounds=span)
    if np.array_equal(sample.weight, np.ones_like(sample.weight)) and np.array_equal(sample.of_new, sample.of_done):
        change = Figure(0.0, 0.0, 0.0, len(sample.weight))
    return Value(
        logged=mean_of(sample.reward, bounds=bounds),
        ips=ips(sample, bounds),
        snips=snips(sample, bounds),
        dr=doubly_robust(sample, bounds),
        change=change,
        weights=diagnose(sample.weight, clipped),
    )


def _robust_terms(sample: Sample) -> Vector:
    terms: Vector = sample.of_new + sample.weight * (sample.reward - sample.of_done)
    return terms


def _or_none(sample: Sample, found: Figure, bounds: tuple[float, float] | None) -> Figure:
    """Nothing where no row did what the new policy does; a wide interval where those that did all gave the same."""
    if not (sample.weight > 0).any():
        return unknown("no row did what the new policy does", len(sample.weight))
    if found.value is None or bounds is None:
        return found
    seen = sample.reward[sample.weight > 0]
    if (seen == seen[0]).all() and float(seen[0]) in bounds:
        slack = wilson_slack(diagnose(sample.weight).effective) * (bounds[1] - bounds[0])
        low = found.value if found.low is None else found.low
        high = found.value if found.high is None else found.high
        return Figure(
            found.value, max(bounds[0], min(low, found.value - slack)), min(bounds[1], max(high, found.value + slack)), found.rows
        )
    return found


def needed(half: float, deviation: float, share: float) -> int:
    """How many labelled requests give the difference between what is explored and what is not with an interval of ± `half`.

    n = (z · σ / half)² · (1/s + 1/(1 − s)), for outcomes of standard deviation σ of which the share s is explored."""
    z = float(special.ndtri(0.5 + LEVEL / 2))
    return math.ceil((z * deviation / half) ** 2 * (1.0 / share + 1.0 / (1.0 - share)))
