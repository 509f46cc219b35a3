"""Seconds over the course: quantiles of what is drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import special

from evaluation.estimate.specs import desk
from tierline.evaluation.estimate.fill import worksheet_of
from tierline.evaluation.estimate.latency import NINETY_FIVE, Stream, quantiles, seconds_of
from tierline.evaluation.estimate.paths import Call
from tierline.evaluation.estimate.paths import Path as Course


def stream(folder: Path, paths: list[Course], chances: list[float], hits: float = 0.0) -> Stream:
    row = worksheet_of(desk(folder)).rows[0]
    scale = dict.fromkeys("abc", np.ones(1))
    return Stream(1.0, paths, np.array(chances)[:, None], row, scale, {}, (), hits, 0.02)


def one(model: str) -> tuple[Call, ...]:
    return (Call(model, "first", "yes"),)


def test_one_call_has_the_models_own_quantiles(tmp_path: Path) -> None:
    made = stream(tmp_path, [Course((one("a"),), 0, False)], [1.0])
    believed = made.row.models["a"]
    found = quantiles([(1.0, seconds_of(made, 4096, 1, 0))], (0.5, 0.95))
    assert found[0].tolist() == pytest.approx([believed.latency_p50.value, believed.latency_p95.value], rel=0.01)


def test_quantiles_of_two_calls_in_a_row_do_not_add(tmp_path: Path) -> None:
    made = stream(tmp_path, [Course((one("a"), one("a")), 1, False)], [1.0])
    p95 = float(quantiles([(1.0, seconds_of(made, 8192, 1, 0))], (0.95,))[0, 0])
    believed = made.row.models["a"]
    sigma = np.log(believed.latency_p95.value / believed.latency_p50.value) / NINETY_FIVE
    places = believed.latency_p50.value * np.exp(sigma * special.ndtri((np.arange(1500) + 0.5) / 1500))
    exact = float(np.quantile(places[:, None] + places[None, :], 0.95))
    assert p95 == pytest.approx(exact, rel=0.02)
    assert p95 < 2 * believed.latency_p95.value


def test_calls_side_by_side_last_as_long_as_the_longest(tmp_path: Path) -> None:
    both = Course(((Call("a", "branch", "yes"), Call("a", "branch", "yes")),), 0, False)
    made = stream(tmp_path, [both], [1.0])
    median = float(quantiles([(1.0, seconds_of(made, 8192, 1, 0))], (0.5,))[0, 0])
    believed = made.row.models["a"]
    sigma = np.log(believed.latency_p95.value / believed.latency_p50.value) / NINETY_FIVE
    assert median == pytest.approx(believed.latency_p50.value * np.exp(sigma * special.ndtri(0.5**0.5)), rel=0.02)


def test_what_a_tool_answers_takes_no_model(tmp_path: Path) -> None:
    made = stream(tmp_path, [Course((one("c"),), 0, False)], [1.0], hits=0.4)
    found = seconds_of(made, 1000, 1, 0)
    assert (found == 0.02).mean() == pytest.approx(0.4, abs=0.002)


def test_a_mixture_is_drawn_by_the_shares_of_its_parts(tmp_path: Path) -> None:
    slow = np.full((1, 500), 9.0)
    fast = np.full((1, 2000), 1.0)
    assert quantiles([(0.9, fast), (0.1, slow)], (0.5, 0.89, 0.91))[0].tolist() == [1.0, 1.0, 9.0]
