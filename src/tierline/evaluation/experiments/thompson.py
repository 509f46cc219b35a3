"""Shares by Thompson sampling: each arm gets the probability with which it is the best, and never less than the floor."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np

from tierline.evaluation.experiments.contrast import Units

DRAWS = 4000
"""Draws of the posteriors; the error of a share is below one percent."""


def thompson(units: Units, running: Sequence[str], floor: float, total: float) -> dict[str, float]:
    """The shares of the arms that run, which add up to `total`.

    The posterior of an arm's pass rate is Beta(1 + Σ value, 1 + Σ (1 − value)) over its units. With K arms and the probability P_k of
    being the best, share_k = total · (floor + (1 − K · floor) · P_k). The draws begin at a seed made from the counts: the same
    evidence gives the same shares in every worker. (Thompson 1933; Chapelle and Li, "An empirical evaluation of Thompson sampling",
    2011.)"""
    counts = [_passes(units, arm) for arm in running]
    seed = int.from_bytes(hashlib.blake2b(repr((list(running), counts)).encode(), digest_size=8).digest(), "big")
    dice = np.random.default_rng(seed)
    drawn = np.stack([dice.beta(1.0 + passed, 1.0 + failed, DRAWS) for passed, failed in counts])
    best = np.bincount(np.argmax(drawn, axis=0), minlength=len(running)) / DRAWS
    spread = max(1.0 - len(running) * floor, 0.0)
    least = min(floor, 1.0 / len(running))
    return {arm: total * (least + spread * float(chance)) for arm, chance in zip(running, best, strict=True)}


def moved(now: Mapping[str, float], wanted: Mapping[str, float], by: float = 0.01) -> bool:
    """Whether any share is to change by enough to be worth an entry."""
    return any(abs(now.get(arm, 0.0) - share) >= by for arm, share in wanted.items())


def _passes(units: Units, arm: str) -> tuple[float, float]:
    values = units.of(arm)
    return round(float(values.sum()), 6), round(float(len(values) - values.sum()), 6)
