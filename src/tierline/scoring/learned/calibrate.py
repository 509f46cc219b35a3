"""Calibration by isotonic regression: what was predicted out of fold, held against what came.

Predictions of a model are pooled into bins of equal number, neighbours that fall are merged (pool adjacent violators: Ayer et al. 1955),
and each bin is shrunken to the identity by n / (n + SHRINK). Between bins the shift is interpolated, so that the order of texts is kept.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

KNOTS = 12
LEAST_IN_BIN = 40
SHRINK = 40.0

Floats = NDArray[np.float32]


def calibration(predicted: NDArray[np.float64], actual: NDArray[np.float64]) -> tuple[Floats, Floats]:
    """Knots and shifts, shaped (models, KNOTS), from cells shaped (texts, models); NaN where nothing was measured."""
    knots, shifts = np.zeros((predicted.shape[1], KNOTS), np.float32), np.zeros((predicted.shape[1], KNOTS), np.float32)
    for m in range(predicted.shape[1]):
        measured = np.isfinite(actual[:, m]) & np.isfinite(predicted[:, m])
        knots[m], shifts[m] = _of_model(predicted[measured, m], actual[measured, m])
    return knots, shifts


def _of_model(predicted: NDArray[np.float64], actual: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    bins = min(KNOTS, len(predicted) // LEAST_IN_BIN)
    if bins < 1:
        return np.linspace(0.0, 1.0, KNOTS), np.zeros(KNOTS)
    order = np.argsort(predicted, kind="stable")
    parts = np.array_split(order, bins)
    many = np.array([len(part) for part in parts], dtype=np.float64)
    at = np.array([predicted[part].mean() for part in parts])
    came = isotonic(np.array([actual[part].mean() for part in parts]), many)
    moved = (came - at) * many / (many + SHRINK)
    last = KNOTS - bins
    return np.concatenate([at, np.full(last, at[-1])]), np.concatenate([moved, np.full(last, moved[-1])])


def isotonic(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """The nearest values (weighted least squares) that never fall."""
    blocks: list[tuple[float, float, int]] = []
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        blocks.append((value, weight, 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (low, a, i), (high, b, j) = blocks[-2], blocks[-1]
            blocks[-2:] = [((low * a + high * b) / (a + b), a + b, i + j)]
    return np.concatenate([np.full(many, value) for value, _, many in blocks])
