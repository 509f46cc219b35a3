"""From units that were drawn into arms to one number for each, whose mean is what is asked: an arm's mean, or a difference of two.

For unit t with the value Y, drawn into arm A with the known shares π, and coefficients c (1 and −1 for a difference):

    y_t = Σ_k c_k · (m_k + 1(A = k) · (Y − m_k) / π_k)

m_k is the mean of arm k before t. Whatever m is, E[y_t | the past] = Σ c_k · E[Y(k)]: inverse propensity weighting with a centre, which
makes it nearly as precise as plain means and right where the shares moved while the experiment ran. Everything but Y and A is known
before t, so the y_t are what sequential tests need. (Howard, Ramdas, McAuliffe and Sekhon, "Time-uniform, nonparametric, nonasymptotic
confidence sequences", 2021, section 4.3; Waudby-Smith, Wu, Ramdas, Karampatziakis and Mineiro, "Anytime-valid off-policy inference for
contextual bandits", 2024.)"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Units(msgspec.Struct, frozen=True):
    """What was measured of units, in the order in which it became known: `values`, the index of each unit's arm, and the shares
    (unit × arm) of which it was drawn. `names` are the arms."""

    names: tuple[str, ...]
    values: Floats
    arms: npt.NDArray[np.int64]
    shares: Floats

    def count(self, name: str) -> int:
        """How many units an arm has."""
        return int(np.count_nonzero(self.arms == self.names.index(name)))

    def of(self, name: str) -> Floats:
        """The values of one arm."""
        return np.asarray(self.values[self.arms == self.names.index(name)])

    @property
    def moved(self) -> bool:
        """Whether the shares were not the same for all units."""
        return bool(len(self.shares)) and bool(np.any(np.abs(self.shares - self.shares[0]) > 1e-9))


class Contrast(msgspec.Struct, frozen=True):
    """One number a unit; `low` and `high` are what it could have been, `least` and `most` the ends of what their mean can be, `guess` a
    variance to begin with."""

    y: Floats
    low: Floats
    high: Floats
    least: float
    most: float
    guess: float

    @property
    def mean(self) -> float:
        """The estimate; NaN where nothing was measured."""
        return float(np.mean(self.y)) if len(self.y) else float("nan")


def contrast(units: Units, coefficients: Mapping[str, float], *, pool: Sequence[str] = (), bounded: bool = True) -> Contrast:
    """The numbers of a comparison, over the units of the named arms (and of those of `pool`) that each of them could have had, with
    their shares taken among these. `bounded`: the values are in [0, 1]; of others the bounds say nothing."""
    among = [units.names.index(name) for name in dict.fromkeys((*coefficients, *pool))]
    inside = np.isin(units.arms, among) & (units.shares[:, among] > 0).all(axis=1)
    values, arms, shares = units.values[inside], units.arms[inside], units.shares[inside]
    total = shares[:, among].sum(axis=1)
    y, centre = np.zeros(len(values)), np.zeros(len(values))
    low, high = np.full(len(values), np.inf), np.full(len(values), -np.inf)
    guess = 0.0
    for at in among:
        weight = coefficients.get(units.names[at], 0.0)
        here, share = arms == at, shares[:, at] / total
        mean = _before(values, here, 0.5 if bounded else 0.0)
        centre += weight * mean
        y += np.where(here, weight * (values - mean) / share, 0.0)
        ends = (weight * (0.0 - mean) / share, weight * (1.0 - mean) / share)
        low, high = np.minimum(low, np.minimum(*ends)), np.maximum(high, np.maximum(*ends))
        guess += weight**2 / (4.0 * float(share.mean())) if len(share) else 0.0
    least = sum(min(weight, 0.0) for weight in coefficients.values())
    most = sum(max(weight, 0.0) for weight in coefficients.values())
    return Contrast(y + centre, low + centre, high + centre, least, most, guess)


def _before(values: Floats, here: npt.NDArray[Any], first: float) -> Floats:
    """The mean of one arm's units before each unit, with `first` counted as one more."""
    mine = np.where(here, values, 0.0)
    return np.asarray((np.cumsum(mine) - mine + first) / (np.cumsum(here) - here + 1.0))
