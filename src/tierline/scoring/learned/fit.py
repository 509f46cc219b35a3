"""Fitting: texts with measured answers → a fitted scorer, and what it would have said of each text had it not seen it.

Everything that is chosen (sharpness, shrinkage, the shares of the heads, the calibration) is chosen on predictions that were made out of
fold; then all is fitted once more on everything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from tierline.scoring.learned.beliefs import Amount, Beliefs, Fitted, from_outputs, softmax
from tierline.scoring.learned.calibrate import KNOTS, calibration
from tierline.scoring.learned.design import Design, Scale, features, scale_of
from tierline.scoring.learned.ridge import ridge
from tierline.scoring.learned.table import counted, shrunken

Cells = NDArray[np.float64]
Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done and how much there is."""


def silent(what: str, done: int, total: int) -> None:
    """Progress that nobody watches."""
    del what, done, total


TASK_PENALTY = 1.0
HEAD_PENALTY = 10.0
AMOUNT_PENALTY = 3.0
SHARPNESS = (2.0, 3.0, 4.0, 6.0, 8.0, 10.0, 12.0, 16.0, 20.0, 25.0)
SHRINKAGE = (5.0, 20.0, 60.0, 200.0)
LEVELS = 21
AMOUNTS = ("cost", "output_tokens", "latency")
FULL_SHARE = 2_000.0
"""Labels at which a head's share has lost half of the doubt about it."""


class Examples(msgspec.Struct, frozen=True):
    """What is fitted on: a text a row. `task` is a place in `tasks`; `score` and the `amounts` (`cost`, `output_tokens`, `latency`) are
    shaped (texts, models), NaN where nothing was measured."""

    data: Design
    tasks: tuple[str, ...]
    task: NDArray[np.intp]
    models: tuple[str, ...]
    score: Cells
    amounts: Mapping[str, Cells]

    def take(self, rows: NDArray[np.intp]) -> Examples:
        """Some of the texts."""
        amounts = {name: cells[rows] for name, cells in self.amounts.items()}
        return Examples(self.data.take(rows), self.tasks, self.task[rows], self.models, self.score[rows], amounts)


class _Linear(msgspec.Struct, frozen=True):
    """One linear fit and its tables before shrinking."""

    scale: Scale
    weights: NDArray[np.float32]
    offset: NDArray[np.float32]
    sums: Cells
    many: Cells
    logs: Mapping[str, tuple[Cells, Cells]]

    def outputs(self, data: Design) -> NDArray[np.float32]:
        out: NDArray[np.float32] = features(data, self.scale) @ self.weights + self.offset
        return out


def fit(examples: Examples, fold: NDArray[np.intp], progress: Progress) -> tuple[Fitted, Beliefs]:
    """The fitted scorer, and its beliefs about each text from the other folds."""
    parts: list[tuple[NDArray[np.intp], _Linear, NDArray[np.float32]]] = []
    total = int(fold.max(initial=0)) + 1
    for number in range(total):
        progress("fitting", number, total + 1)
        inside, others = np.flatnonzero(fold == number), np.flatnonzero(fold != number)
        linear = _linear(examples.take(others))
        parts.append((inside, linear, linear.outputs(examples.data.take(inside))))
    progress("fitting", total, total + 1)
    sharpness = _sharpness(examples, parts)
    k = _shrinkage(examples, parts, sharpness)
    whole = _fitted(examples, _linear(examples), sharpness, k)
    held: _Held = [(rows, _fitted(examples, linear, sharpness, k), out) for rows, linear, out in parts]
    whole, held = _headed(examples, whole, held)
    raw = _gathered(examples, held)
    knots, shifts = calibration(raw.good.astype(np.float64), examples.score)
    whole = msgspec.structs.replace(whole, knots=knots, shifts=shifts)
    held = [(rows, msgspec.structs.replace(one, knots=knots, shifts=shifts), out) for rows, one, out in held]
    beliefs = _gathered(examples, held)
    levels = np.quantile(1.0 - beliefs.good.mean(axis=1), np.linspace(0.0, 1.0, LEVELS)).astype(np.float32)
    progress("fitting", total + 1, total + 1)
    return msgspec.structs.replace(whole, levels=levels, amounts=_corrected(examples, whole, beliefs)), beliefs


def _linear(examples: Examples) -> _Linear:
    """Tasks, level, gaps and amounts in one solution."""
    scale = scale_of(examples.data)
    tasks = len(examples.tasks)
    sums, many = counted(examples.score, examples.task, tasks)
    left = examples.score - shrunken(sums, many, SHRINKAGE[1])[examples.task]
    measured: NDArray[np.bool_] = np.isfinite(left)
    level = np.where(measured, left, 0.0).sum(axis=1) / np.maximum(measured.sum(axis=1), 1)
    gap = np.where(measured, left - level[:, None], 0.0)
    some = measured.sum(axis=1)
    targets = [np.eye(tasks)[examples.task], level[:, None], gap]
    masks = [np.ones((len(level), tasks)), (some > 0)[:, None], measured & (some > 1)[:, None]]
    penalty = [TASK_PENALTY] * tasks + [HEAD_PENALTY] * (1 + len(examples.models))
    logs = {}
    for name, cells in examples.amounts.items():
        logarithms = np.log(np.maximum(cells, 1e-12))
        logs[name] = counted(logarithms, examples.task, tasks)
        beyond = logarithms - shrunken(*logs[name], SHRINKAGE[1])[examples.task]
        there: NDArray[np.bool_] = np.isfinite(beyond)
        told = there.sum(axis=1)
        targets.append((np.where(there, beyond, 0.0).sum(axis=1) / np.maximum(told, 1))[:, None])
        masks.append((told > 0)[:, None])
        penalty.append(AMOUNT_PENALTY)
    y, mask = (np.hstack(parts).astype(np.float32) for parts in (targets, masks))
    x = features(examples.data, scale)
    used = np.flatnonzero(np.append(scale.idf > 0, np.ones(x.shape[1] - len(scale.idf), dtype=bool)))
    weights = np.zeros((x.shape[1], y.shape[1]), dtype=np.float32)
    weights[used], offset = ridge(x[:, used], y, mask, np.array(penalty, dtype=np.float32))
    return _Linear(scale, weights, offset, sums, many, logs)


def _fitted(examples: Examples, linear: _Linear, sharpness: float, k: float) -> Fitted:
    models = len(examples.models)
    table = shrunken(linear.sums, linear.many, k)
    amounts = {}
    for name, (sums, many) in linear.logs.items():
        unknown = many.sum(axis=0) == 0
        amounts[name] = Amount(np.where(unknown, np.nan, shrunken(sums, many, k)).astype(np.float32), np.ones(models, np.float32))
    overall = linear.sums.sum(axis=0) / np.maximum(linear.many.sum(axis=0), 1.0)
    return Fitted(
        tasks=examples.tasks,
        models=examples.models,
        idf=linear.scale.idf,
        form_mean=linear.scale.mean,
        form_spread=linear.scale.spread,
        weights=linear.weights,
        offset=linear.offset,
        sharpness=sharpness,
        table=np.clip(table, 0.0, 1.0).astype(np.float32),
        labels=(linear.many + np.minimum(k, linear.many.sum(axis=0))).astype(np.float32),
        overall=overall.astype(np.float32),
        level_share=0.0,
        gap_share=0.0,
        knots=np.tile(np.linspace(0.0, 1.0, KNOTS, dtype=np.float32), (models, 1)),
        shifts=np.zeros((models, KNOTS), np.float32),
        levels=np.linspace(0.0, 1.0, LEVELS, dtype=np.float32),
        amounts=amounts,
    )


_Held = Sequence[tuple[NDArray[np.intp], Fitted, NDArray[np.float32]]]


def _gathered(examples: Examples, held: _Held) -> Beliefs:
    """The beliefs of all folds, each about its own texts."""
    told = [(rows, from_outputs(one, out)) for rows, one, out in held]
    many = len(examples.task)

    def whole(part: Callable[[Beliefs], Any]) -> Any:
        cells = np.zeros((many, *part(told[0][1]).shape[1:]), dtype=np.float32)
        for rows, beliefs in told:
            cells[rows] = part(beliefs)
        return cells

    amounts = {name: whole(partial(_amount, name)) for name in examples.amounts}
    return Beliefs(
        whole(lambda one: one.task), whole(lambda one: one.good), whole(lambda one: one.bound), whole(lambda one: one.difficulty), amounts
    )


def _amount(name: str, beliefs: Beliefs) -> NDArray[np.float32]:
    return beliefs.amounts[name]


def _sharpness(examples: Examples, parts: Sequence[tuple[NDArray[np.intp], _Linear, NDArray[np.float32]]]) -> float:
    """The one of least log loss."""
    tasks = len(examples.tasks)

    def loss(sharpness: float) -> float:
        lost = 0.0
        for rows, _, out in parts:
            chance = softmax(np.float32(sharpness) * out[:, :tasks])
            lost -= float(np.log(np.maximum(chance[np.arange(len(rows)), examples.task[rows]], 1e-9)).sum())
        return lost

    return min(SHARPNESS, key=loss)


def _shrinkage(examples: Examples, parts: Sequence[tuple[NDArray[np.intp], _Linear, NDArray[np.float32]]], sharpness: float) -> float:
    """The one of least squared error of the gap between models."""
    tasks = len(examples.tasks)

    def error(k: float) -> float:
        lost = 0.0
        for rows, linear, out in parts:
            told = softmax(np.float32(sharpness) * out[:, :tasks]) @ shrunken(linear.sums, linear.many, k)
            lost += float(np.nansum(_gaps(examples.score[rows] - told) ** 2))
        return lost

    return min(SHRINKAGE, key=error)


def _gaps(cells: Cells) -> Cells:
    """Cells from the mean of their row."""
    measured = np.isfinite(cells)
    level = np.where(measured, cells, 0.0).sum(axis=1) / np.maximum(measured.sum(axis=1), 1)
    gaps: Cells = cells - level[:, None]
    return gaps


def _headed(examples: Examples, whole: Fitted, held: _Held) -> tuple[Fitted, _Held]:
    """With the share of each head: how much of what it says came true out of fold, never more than all of it and shrunken by its labels."""
    tasks, models = len(examples.tasks), len(examples.models)
    sums = np.zeros(4)
    for rows, one, out in held:
        left = examples.score[rows] - from_outputs(one, out).good
        measured = np.isfinite(left)
        level = np.where(measured, left, 0.0).sum(axis=1) / np.maximum(measured.sum(axis=1), 1)
        gap = np.where(measured, left - level[:, None], 0.0)
        said_level, said_gap = out[:, tasks], np.where(measured, out[:, tasks + 1 : tasks + 1 + models], 0.0)
        sums += [(said_level * level).sum(), (said_level**2).sum(), (said_gap * gap).sum(), (said_gap**2).sum()]
    doubt = len(examples.task) / (len(examples.task) + FULL_SHARE / 4)
    shares = {
        "level_share": float(np.clip(sums[0] / max(sums[1], 1e-12), 0.0, 1.0)) * doubt,
        "gap_share": float(np.clip(sums[2] / max(sums[3], 1e-12), 0.0, 1.0)) * doubt,
    }
    return msgspec.structs.replace(whole, **shares), [(rows, msgspec.structs.replace(one, **shares), out) for rows, one, out in held]


def _corrected(examples: Examples, whole: Fitted, beliefs: Beliefs) -> dict[str, Amount]:
    """Amounts whose mean is the mean that was measured."""
    corrected = {}
    for name, amount in whole.amounts.items():
        cells, said = examples.amounts[name], beliefs.amounts[name]
        there = np.isfinite(cells) & np.isfinite(said)
        measured, expected = (np.where(there, part, 0.0).sum(axis=0) for part in (cells, said))
        factor = np.where(expected > 0, measured / np.maximum(expected, 1e-30), 1.0)
        corrected[name] = msgspec.structs.replace(amount, correction=np.clip(factor, 0.2, 5.0).astype(np.float32))
    return corrected
