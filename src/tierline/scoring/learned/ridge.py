"""Ridge regression of many targets at once on sparse features, by conjugate gradients.

    minimise over w:  Σ_i m_i (x_iᵀw + b − y_i)² + penalty · |w|²          for each target, with its own mask m

Features are taken from their means, so that the offset b is the mean of the targets. A few steps are enough, and stopping early shrinks
in its own way (Hestenes and Stiefel 1952; as a regulariser: Hansen 1998).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

STEPS = 15

Floats32 = NDArray[np.float32]


def ridge(x: sparse.csr_matrix, y: Floats32, mask: Floats32 | None, penalty: Floats32, steps: int = STEPS) -> tuple[Floats32, Floats32]:
    """Weights shaped (features, targets) and offsets (targets). `mask` is 1 where a target was measured (None: everywhere); `penalty` has
    one value a target."""
    measured = np.ones_like(y) if mask is None else mask
    many = np.maximum(measured.sum(axis=0), 1.0)
    offset = (y * measured).sum(axis=0) / many
    middle = np.asarray(x.mean(axis=0), dtype=np.float32).reshape(-1)
    turned = x.T.tocsr()

    def forward(w: Floats32) -> Floats32:
        out: Floats32 = (x @ w - middle @ w) * measured
        return out

    def backward(r: Floats32) -> Floats32:
        out: Floats32 = turned @ r - middle[:, None] * r.sum(axis=0)
        return out

    w = _solved(forward, backward, (y - offset) * measured, penalty, steps, x.shape[1])
    return w, offset - middle @ w


def _solved(
    forward: Callable[[Floats32], Floats32], backward: Callable[[Floats32], Floats32], y: Floats32, penalty: Floats32, steps: int, many: int
) -> Floats32:
    w: Any = np.zeros((many, y.shape[1]), dtype=np.float32)
    left: Any = backward(y)
    direction = left.copy()
    size = (left * left).sum(axis=0)
    for _ in range(steps):
        ahead = forward(direction)
        curve = (ahead * ahead).sum(axis=0) + penalty * (direction * direction).sum(axis=0)
        step = np.where(size > 1e-12, size / np.maximum(curve, 1e-20), 0.0).astype(np.float32)
        w += step * direction
        left -= step * (backward(ahead) + penalty * direction)
        now = (left * left).sum(axis=0)
        direction = left + np.where(size > 1e-12, now / np.maximum(size, 1e-20), 0.0).astype(np.float32) * direction
        size = now
    solved: Floats32 = w
    return solved
