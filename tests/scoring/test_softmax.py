"""Softmax regression: it finds what it should, from whatever it starts."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from tierline.scoring.learned.beliefs import softmax
from tierline.scoring.learned.softmax import softmax_regression

PENALTY = 0.5


def problem(seed: int) -> tuple[np.ndarray, np.ndarray]:
    chance = np.random.default_rng(seed)
    x = chance.normal(size=(200, 6)).astype(np.float32)
    logits = 2.0 * x @ chance.normal(size=(6, 4))
    return x, (logits + chance.gumbel(size=logits.shape)).argmax(axis=1)


def test_it_ends_where_the_loss_no_longer_falls() -> None:
    x, task = problem(1)
    w, b = softmax_regression(sparse.csr_matrix(x), task, np.zeros((6, 4), np.float32), np.zeros(4, np.float32), PENALTY, steps=80)
    left = np.eye(4)[task] - softmax(x @ w + b)
    assert np.abs(x.T @ left - PENALTY * w).max() < 0.05
    assert np.abs(left.sum(axis=0)).max() < 0.05


def test_where_it_starts_makes_no_difference_to_where_it_ends() -> None:
    x, task = problem(2)
    start = np.random.default_rng(3).normal(size=(6, 4)).astype(np.float32)
    ends = [
        softmax_regression(sparse.csr_matrix(x), task, first, np.zeros(4, np.float32), PENALTY, steps=80)[0]
        for first in (start, np.zeros_like(start))
    ]
    assert np.allclose(*ends, atol=0.02)


def test_tasks_that_are_told_apart_by_one_word_are_told_apart() -> None:
    x = np.eye(3, dtype=np.float32)[np.arange(60) % 3]
    w, b = softmax_regression(sparse.csr_matrix(x), np.arange(60) % 3, np.zeros((3, 3), np.float32), np.zeros(3, np.float32), 0.03)
    assert softmax(x @ w + b)[np.arange(60), np.arange(60) % 3].min() > 0.9
