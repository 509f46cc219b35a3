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
from scipy import sparse
from scipy.optimize import nnls

from tierline.scoring.learned.beliefs import Amount, Beliefs, Fitted, from_outputs, softmax
from tierline.scoring.learned.calibrate import KNOTS, calibration, chosen
from tierline.scoring.learned.design import FORM_WEIGHT, Design, Scale, features, scale_of
from tierline.scoring.learned.form import FORM
from tierline.scoring.learned.grams import BUCKETS
from tierline.scoring.learned.ridge import ridge
from tierline.scoring.learned.softmax import softmax_regression
from tierline.scoring.learned.table import counted, shrunken

Cells = NDArray[np.float64]
Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done and how much there is."""


def silent(what: str, done: int, total: int) -> None:
    """Progress that nobody watches."""
    del what, done, total


TASK_PENALTY = 1.0
SOFTMAX_PENALTY = 0.03
SOFTMAX_STEPS = 12
FIRST_STEPS = 2
"""Of ridge regression, from whose solution the softmax starts."""
TASK_FORM = 1.0 / 3.0
"""Of the weight of the facts of form, where tasks are told apart: words tell more there."""
HEAD_PENALTY = 40.0
AMOUNT_PENALTY = 3.0
SHARPNESS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0, 2.5)
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
    """One linear fit and its tables before shrinking. `embedded`, shaped (embedding, models), and `middle` tell the gaps from the embedding
    alone."""

    scale: Scale
    weights: NDArray[np.float32]
    offset: NDArray[np.float32]
    sums: Cells
    many: Cells
    logs: Mapping[str, tuple[Cells, Cells]]

    embedded: NDArray[np.float32]
    middle: NDArray[np.float32]


class _Part(msgspec.Struct, frozen=True):
    """What was fitted on the other folds, and what it says of the texts at the places `rows`: its outputs, and beside them the gaps
    that the embedding alone tells (zeros where there is none)."""

    rows: NDArray[np.intp]
    linear: _Linear
    out: NDArray[np.float32]
    gaps: NDArray[np.float32]


def _part(examples: Examples, rows: NDArray[np.intp], linear: _Linear) -> _Part:
    data = examples.data.take(rows)
    x = features(data, linear.scale)
    gaps = x[:, x.shape[1] - len(linear.embedded) :] @ linear.embedded + linear.middle
    return _Part(rows, linear, x @ linear.weights + linear.offset, gaps.astype(np.float32))


def fit(examples: Examples, fold: NDArray[np.intp], progress: Progress) -> tuple[Fitted, Beliefs]:
    """The fitted scorer, and its beliefs about each text from the other folds."""
    parts = []
    total = int(fold.max(initial=0)) + 1
    for number in range(total):
        progress("fitting", number, total + 1)
        parts.append(_part(examples, np.flatnonzero(fold == number), _linear(examples.take(np.flatnonzero(fold != number)))))
    progress("fitting", total, total + 1)
    sharpness = _sharpness(examples, parts)
    k = _shrinkage(examples, parts, sharpness)
    linear = _linear(examples)
    held: _Held = [(part.rows, _fitted(examples, part.linear, sharpness, k), part.out) for part in parts]
    shares = _shares(examples, held, parts)
    whole = _shared(_fitted(examples, linear, sharpness, k), linear, shares)
    held = [
        (rows, _shared(one, part.linear, shares), _told(part, len(examples.tasks), shares))
        for (rows, one, _), part in zip(held, parts, strict=True)
    ]
    raw = _gathered(examples, held)
    said = raw.good.astype(np.float64)
    knots, shifts = calibration(said, examples.score, chosen(said, examples.score, fold))
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
    penalty = [0.0] * tasks + [HEAD_PENALTY] * (1 + len(examples.models))
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
    bare = len(scale.idf) + len(scale.mean)
    used = np.flatnonzero(np.append(scale.idf > 0, np.ones(x.shape[1] - len(scale.idf), dtype=bool)))
    weights, offset = np.zeros((x.shape[1], y.shape[1]), dtype=np.float32), np.zeros(y.shape[1], dtype=np.float32)
    tight = np.array(penalty, dtype=np.float32)
    words = used[used < bare]
    weights[words, tasks:], offset[tasks:] = ridge(x[:, words], y[:, tasks:], mask[:, tasks:], tight[tasks:])
    weights[used, :tasks], offset[:tasks] = _tasks(x[:, used], used, y[:, :tasks], examples.task)
    embedded = np.zeros((x.shape[1] - bare, len(examples.models)), dtype=np.float32)
    middle = np.zeros(len(examples.models), dtype=np.float32)
    if x.shape[1] > bare:
        gaps = slice(tasks + 1, tasks + 1 + len(examples.models))
        embedded, middle = ridge(x[:, bare:].tocsr(), y[:, gaps], mask[:, gaps], tight[gaps])
    return _Linear(scale, weights, offset, sums, many, logs, embedded, middle)


def _tasks(
    x: sparse.csr_matrix, places: NDArray[np.intp], indicators: NDArray[np.float32], task: NDArray[np.intp]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weights and offsets of the tasks: ridge regression, then softmax regression from there, facts of form being weighed less."""
    tasks = indicators.shape[1]
    if tasks == 1:
        return np.zeros((x.shape[1], 1), np.float32), np.zeros(1, np.float32)
    weigh = np.where((places >= BUCKETS) & (places < BUCKETS + FORM), TASK_FORM, 1.0).astype(np.float32)
    weighed = (x @ sparse.diags(weigh)).tocsr().astype(np.float32)
    first, offset = ridge(weighed, indicators, None, np.full(tasks, TASK_PENALTY, np.float32), FIRST_STEPS)
    weights, offset = softmax_regression(weighed, task, first, offset, SOFTMAX_PENALTY, SOFTMAX_STEPS)
    return weights * weigh[:, None], offset


def tell_tasks(data: Design, task: NDArray[np.intp], tasks: int, asked: Design) -> NDArray[np.float32]:
    """The task classifier alone: trained on texts whose tasks are known, the logits of others, shaped (texts, tasks)."""
    scale = scale_of(data)
    x = features(data, scale)
    used = np.flatnonzero(np.append(scale.idf > 0, np.ones(x.shape[1] - len(scale.idf), dtype=bool)))
    weights, offset = _tasks(x[:, used], used, np.eye(tasks, dtype=np.float32)[task], task)
    out: NDArray[np.float32] = features(asked, scale)[:, used] @ weights + offset
    return out


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
        form_weight=FORM_WEIGHT,
        embedder=examples.data.embedder,
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


def _sharpness(examples: Examples, parts: Sequence[_Part]) -> float:
    """The one of least log loss."""
    tasks = len(examples.tasks)

    def loss(sharpness: float) -> float:
        lost = 0.0
        for part in parts:
            chance = softmax(np.float32(sharpness) * part.out[:, :tasks])
            lost -= float(np.log(np.maximum(chance[np.arange(len(chance)), examples.task[part.rows]], 1e-9)).sum())
        return lost

    return min(SHARPNESS, key=loss)


def _shrinkage(examples: Examples, parts: Sequence[_Part], sharpness: float) -> float:
    """The one of least squared error of the gap between models."""
    tasks = len(examples.tasks)

    def error(k: float) -> float:
        lost = 0.0
        for part in parts:
            told = softmax(np.float32(sharpness) * part.out[:, :tasks]) @ shrunken(part.linear.sums, part.linear.many, k)
            lost += float(np.nansum(_gaps(examples.score[part.rows] - told) ** 2))
        return lost

    return min(SHRINKAGE, key=error)


def _gaps(cells: Cells) -> Cells:
    """Cells from the mean of their row."""
    measured = np.isfinite(cells)
    level = np.where(measured, cells, 0.0).sum(axis=1) / np.maximum(measured.sum(axis=1), 1)
    gaps: Cells = cells - level[:, None]
    return gaps


class _Shares(msgspec.Struct, frozen=True):
    """How much of what a head says is believed: of the level, of the gaps told by words and of those told by the embedding."""

    level: float
    words: float
    vectors: float


def _shares(examples: Examples, held: _Held, parts: Sequence[_Part]) -> _Shares:
    """How much of what they said came true out of fold (least squares), never less than nothing nor more than all of it, and shrunken by
    the number of texts."""
    tasks, models = len(examples.tasks), len(examples.models)
    level, said, came = np.zeros(2), np.zeros((2, 2)), np.zeros(2)
    for (rows, one, out), part in zip(held, parts, strict=True):
        left = examples.score[rows] - from_outputs(one, out).good
        measured = np.isfinite(left)
        mean = np.where(measured, left, 0.0).sum(axis=1) / np.maximum(measured.sum(axis=1), 1)
        gap = np.where(measured, left - mean[:, None], 0.0)
        told = out[:, tasks].astype(np.float64)
        level += [(told * mean).sum(), (told**2).sum()]
        heads = [np.where(measured, cells, 0.0).astype(np.float64) for cells in (out[:, tasks + 1 : tasks + 1 + models], part.gaps)]
        said += [[(one * other).sum() for other in heads] for one in heads]
        came += [(one * gap).sum() for one in heads]
    words, vectors = (
        nnls(said + 1e-12 * np.eye(2), came)[0].tolist() if said[1, 1] > 0 else (max(came[0], 0.0) / max(said[0, 0], 1e-12), 0.0)
    )
    doubt = len(examples.task) / (len(examples.task) + FULL_SHARE / 4)
    return _Shares(
        *(min(max(float(share), 0.0), 1.0) * doubt for share in (level[0] / max(level[1], 1e-12), words, vectors)),
    )


def _shared(one: Fitted, linear: _Linear, shares: _Shares) -> Fitted:
    """With these shares. The gaps that the embedding tells are added to those that the words tell, so that one head is left."""
    tasks, models = one.table.shape
    gaps = slice(tasks + 1, tasks + 1 + models)
    weights, offset = one.weights.copy(), one.offset.copy()
    weights[:, gaps] *= np.float32(shares.words)
    offset[gaps] *= np.float32(shares.words)
    weights[len(weights) - len(linear.embedded) :, gaps] += np.float32(shares.vectors) * linear.embedded
    offset[gaps] += np.float32(shares.vectors) * linear.middle
    return msgspec.structs.replace(one, weights=weights, offset=offset, level_share=shares.level, gap_share=1.0)


def _told(part: _Part, tasks: int, shares: _Shares) -> NDArray[np.float32]:
    """The outputs of a fold, of a scorer with these shares."""
    out = part.out.copy()
    gaps = slice(tasks + 1, tasks + 1 + part.gaps.shape[1])
    out[:, gaps] = np.float32(shares.words) * out[:, gaps] + np.float32(shares.vectors) * part.gaps
    return out


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
