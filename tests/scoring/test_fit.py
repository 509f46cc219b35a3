"""The parts of fitting: tables that are shrunken, calibration that never turns an order round, a solver that solves."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from tierline.scoring.learned.beliefs import calibrated
from tierline.scoring.learned.calibrate import calibration, isotonic
from tierline.scoring.learned.ridge import ridge
from tierline.scoring.learned.table import counted, shrunken

rates = st.lists(st.floats(0, 1), min_size=1, max_size=30)


@given(rates)
def test_isotonic_values_never_fall_and_keep_their_mean(values: list[float]) -> None:
    found = isotonic(np.array(values), np.ones(len(values)))
    assert bool((np.diff(found) >= -1e-12).all())
    assert np.isclose(found.mean(), np.mean(values))


@given(st.integers(0, 1000))
def test_calibration_keeps_the_order_of_texts(seed: int) -> None:
    chance = np.random.default_rng(seed)
    said = chance.random((600, 1))
    knots, shifts = calibration(said, (chance.random((600, 1)) < said**2).astype(float))
    raw = np.sort(chance.random((50, 1)), axis=0).astype(np.float32)
    assert bool((np.diff(calibrated(raw, knots, shifts), axis=0) >= -1e-6).all())


def test_calibration_takes_back_what_was_promised_too_much() -> None:
    chance = np.random.default_rng(0)
    said = chance.random((4_000, 1))
    came = (chance.random((4_000, 1)) < said * 0.5).astype(float)
    told = calibrated(said.astype(np.float32), *calibration(said, came))
    assert abs(float(told.mean() - came.mean())) < 0.04
    assert abs(float(np.abs(told - said * 0.5).mean())) < 0.06


def test_a_model_that_nobody_measured_is_left_as_it_was_said() -> None:
    said = np.linspace(0, 1, 100)[:, None]
    assert np.allclose(calibrated(said.astype(np.float32), *calibration(said, np.full((100, 1), np.nan))), said, atol=1e-6)


def test_a_cell_with_few_labels_stands_near_what_task_and_model_say_apart() -> None:
    task = np.repeat([0, 1], 200)
    score = np.tile(np.where(task == 0, 0.9, 0.3)[:, None], (1, 3))
    score[3:200, 2], score[200:, 2] = np.nan, np.nan
    table = shrunken(*counted(score, task, 2), 20.0)
    assert np.allclose(table[:, :2], [[0.9, 0.9], [0.3, 0.3]], atol=0.1)
    assert table[0, 2] > 0.75
    assert table[1, 2] < 0.6


def test_the_solver_finds_what_the_normal_equations_say() -> None:
    chance = np.random.default_rng(1)
    x = chance.normal(size=(80, 6)).astype(np.float32)
    y = (x @ chance.normal(size=(6, 2)) + 0.1 * chance.normal(size=(80, 2))).astype(np.float32)
    mask = (chance.random((80, 2)) < 0.7).astype(np.float32)
    weights, offset = ridge(sparse.csr_matrix(x), y, mask, np.array([0.5, 2.0], np.float32), steps=60)
    for j, penalty in enumerate((0.5, 2.0)):
        inside = mask[:, j] > 0
        centred, middle = x[inside] - x.mean(axis=0), y[inside, j].mean()
        exact = np.linalg.solve(centred.T @ centred + penalty * np.eye(6), centred.T @ (y[inside, j] - middle))
        assert np.allclose(weights[:, j], exact, atol=1e-3)
        assert np.isclose(offset[j], middle - x.mean(axis=0) @ exact, atol=1e-3)
