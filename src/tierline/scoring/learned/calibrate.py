"""Calibration: what was predicted out of fold, held against what came, first by a line and then by isotonic regression.

    line        came ≈ mean + slope · (predicted − mean)       the slope drawn towards 1 by its own uncertainty
    isotonic    predictions pooled into bins of equal number, neighbours that fall merged (pool adjacent violators: Ayer et al. 1955), each
                bin drawn towards the line by n / (n + shrink)

Between bins the shift is interpolated, so that the order of texts is kept. Many models and few labels want more shrinking, since a bin's
noise sets models wrongly against one another: `chosen` takes the one that predicts the gaps between models best on the other folds.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tierline.scoring.learned.beliefs import calibrated

KNOTS = 12
LEAST_IN_BIN = 40
SHRINK = (40.0, 160.0, 640.0, 1e9)
SLOPE_SPREAD = 0.15
"""How far slopes truly lie from 1, about."""

Floats = NDArray[np.float32]
Cells = NDArray[np.float64]


def calibration(predicted: Cells, actual: Cells, shrink: float = SHRINK[0]) -> tuple[Floats, Floats]:
    """Knots and shifts, shaped (models, KNOTS), from cells shaped (texts, models); NaN where nothing was measured."""
    knots, shifts = np.zeros((predicted.shape[1], KNOTS), np.float32), np.zeros((predicted.shape[1], KNOTS), np.float32)
    for m in range(predicted.shape[1]):
        measured = np.isfinite(actual[:, m]) & np.isfinite(predicted[:, m])
        knots[m], shifts[m] = _of_model(predicted[measured, m], actual[measured, m], shrink)
    return knots, shifts


def chosen(predicted: Cells, actual: Cells, fold: NDArray[np.intp]) -> float:
    """The shrinkage whose calibration, made on the other folds, has the least squared error of the gaps between models."""
    measured = np.isfinite(actual)

    def error(shrink: float) -> float:
        lost = 0.0
        for number in range(int(fold.max(initial=0)) + 1):
            inside = fold == number
            told = calibrated(predicted[inside].astype(np.float32), *calibration(predicted[~inside], actual[~inside], shrink))
            left = np.where(measured[inside], actual[inside] - told, 0.0)
            many = measured[inside].sum(axis=1, keepdims=True)
            level = left.sum(axis=1, keepdims=True) / np.maximum(many, 1) if actual.shape[1] > 1 else 0.0
            lost += float((np.where(measured[inside], left - level, 0.0) ** 2).sum())
        return lost

    return min(SHRINK, key=error)


def _of_model(predicted: Cells, actual: Cells, shrink: float) -> tuple[Cells, Cells]:
    bins = min(KNOTS, len(predicted) // LEAST_IN_BIN)
    if bins < 1:
        return np.linspace(0.0, 1.0, KNOTS), np.zeros(KNOTS)
    parts = np.array_split(np.argsort(predicted, kind="stable"), bins)
    many = np.array([len(part) for part in parts], dtype=np.float64)
    at = np.array([predicted[part].mean() for part in parts])
    came = isotonic(np.array([actual[part].mean() for part in parts]), many)
    line = _line(predicted, actual, at)
    held = float(many.mean())
    moved = line - at + (came - line) * held / (held + shrink)
    last = KNOTS - bins
    return np.concatenate([at, np.full(last, at[-1])]), np.concatenate([moved, np.full(last, moved[-1])])


def _line(predicted: Cells, actual: Cells, at: Cells) -> Cells:
    """What the line says at these predictions; it never falls."""
    middle, spread = predicted.mean(), float(predicted.var())
    if spread < 1e-9:
        flat: Cells = at + actual.mean() - middle
        return flat
    slope = float(((predicted - middle) * (actual - actual.mean())).mean()) / spread
    doubt = float((actual - predicted).var()) / len(predicted) / spread
    slope = 1.0 + (slope - 1.0) * SLOPE_SPREAD**2 / (SLOPE_SPREAD**2 + doubt)
    line: Cells = actual.mean() + max(slope, 0.0) * (at - middle)
    return line


def isotonic(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """The nearest values (weighted least squares) that never fall."""
    blocks: list[tuple[float, float, int]] = []
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        blocks.append((value, weight, 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (low, a, i), (high, b, j) = blocks[-2], blocks[-1]
            blocks[-2:] = [((low * a + high * b) / (a + b), a + b, i + j)]
    return np.concatenate([np.full(many, value) for value, _, many in blocks])
