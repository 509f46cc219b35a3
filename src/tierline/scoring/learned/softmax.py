"""Softmax regression on sparse features, by conjugate gradients from a solution of ridge regression.

    minimise over w, b:  − Σ_i log softmax(x_iᵀw + b)[task_i] + penalty / 2 · |w|²

Directions are those of Polak and Ribière (1969, kept non-negative); along each, the length of the step is found by Newton's method inside
a bracket, which costs no product with the features. The ridge solution, drawn out as far as pays, is the first step.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from tierline.scoring.learned.beliefs import softmax

STEPS = 20
NEWTON = 5
_MOST = 1e3

Floats32 = NDArray[np.float32]


def softmax_regression(
    x: sparse.csr_matrix, task: NDArray[np.intp], w: Floats32, b: Floats32, penalty: float, steps: int = STEPS
) -> tuple[Floats32, Floats32]:
    """Weights shaped (features, tasks) and offsets, from those of ridge regression on the tasks' indicators."""
    turned = x.T.tocsr()
    at = np.arange(len(task))
    weights: Any = np.zeros_like(w)
    offset: Any = np.log(np.maximum(np.bincount(task, minlength=len(b)), 0.5)).astype(np.float32)
    logits = np.tile(offset, (len(task), 1))
    direction, shift = w, b - b.mean()
    before: Any = None
    for step in range(steps + 1):
        ahead = x @ direction + shift
        length = _length(logits, ahead, at, task, penalty, float((weights * direction).sum()), float((direction * direction).sum()))
        weights = weights + length * direction
        offset = offset + length * shift
        logits = logits + length * ahead
        if step == steps:
            break
        left = -softmax(logits)
        left[at, task] += 1.0
        rise, rise_b = turned @ left - np.float32(penalty) * weights, left.sum(axis=0)
        size = float((rise * rise).sum() + (rise_b * rise_b).sum())
        if size < 1e-9:
            break
        turn = 0.0
        if before is not None:
            old, old_b, old_size = before
            turn = max(0.0, (size - float((rise * old).sum() + (rise_b * old_b).sum())) / old_size)
            direction, shift = rise + np.float32(turn) * direction, rise_b + np.float32(turn) * shift
        else:
            direction, shift = rise, rise_b
        before = rise, rise_b, size
    return weights.astype(np.float32), offset.astype(np.float32)


def _length(logits: Floats32, ahead: Floats32, at: Any, task: NDArray[np.intp], penalty: float, across: float, size: float) -> np.float32:
    """The step along `ahead` at which the loss is least."""
    length, low, high = 0.0, 0.0, _MOST
    for _ in range(NEWTON):
        chance = softmax(logits + np.float32(length) * ahead)
        mean = (chance * ahead).sum(axis=1)
        slope = float((ahead[at, task] - mean).sum()) - penalty * (across + length * size)
        curve = float((chance * ahead * ahead).sum() - (mean * mean).sum()) + penalty * size
        low, high = (length, high) if slope > 0 else (low, length)
        length += slope / max(curve, 1e-9)
        if not low <= length <= high:
            length = 2.0 * low + 0.1 if high == _MOST else (low + high) / 2.0
    return np.float32(low if low > 0 else length)
