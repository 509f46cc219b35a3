"""The table of task × model, shrunken towards what task and model say apart.

    prior[t, m]  = overall + shrunken effect of t + shrunken effect of m          effects by alternating means, n / (n + k)
    table[t, m]  = (Σ values + k · prior[t, m]) / (n[t, m] + k)

A model with few labels of its own thus stands on its few labels and on how hard each task is for all others.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Cells = NDArray[np.float64]

EFFECT = 5.0
"""Labels that an effect is shrunken by."""
ROUNDS = 4


def counted(values: Cells, task: NDArray[np.intp], tasks: int) -> tuple[Cells, Cells]:
    """Sums and numbers of the measured values of each task and model, shaped (tasks, models)."""
    measured = np.isfinite(values)
    sums, many = np.zeros((tasks, values.shape[1])), np.zeros((tasks, values.shape[1]))
    np.add.at(sums, task, np.where(measured, values, 0.0))
    np.add.at(many, task, measured.astype(np.float64))
    return sums, many


def shrunken(sums: Cells, many: Cells, k: float) -> Cells:
    """The table, from sums and numbers."""
    total = many.sum()
    overall = sums.sum() / max(total, 1.0)
    of_task, of_model = np.zeros(sums.shape[0]), np.zeros(sums.shape[1])
    for _ in range(ROUNDS):
        of_model = (sums - many * (overall + of_task[:, None])).sum(axis=0) / (many.sum(axis=0) + EFFECT)
        of_task = (sums - many * (overall + of_model[None, :])).sum(axis=1) / (many.sum(axis=1) + EFFECT)
    prior = overall + of_task[:, None] + of_model[None, :]
    table: Cells = (sums + k * prior) / (many + k)
    return table
