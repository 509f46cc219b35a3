"""What a fitted scorer holds, and what it believes about texts: one text or many, by the same arithmetic.

outputs   = features · weights + offset                columns: a task each, the level, a model's gap each, an amount each
p(task)   = softmax(sharpness · task columns)
P(good)   = calibrated( Σ p(task) · table[task, model] + level_share · level + gap_share · gap[model] )
bound     = P(good) − CAUTION · √( P(good) (1 − P(good)) / labels behind it )
amount    = exp( Σ p(task) · log table[task, model] + level of the amount ) · correction[model]
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from tierline.scoring.learned.form import form
from tierline.scoring.learned.grams import WORDS, grams

Floats = NDArray[np.float32]

EMBED_WEIGHT = 2.0
CAUTION = 1.0
"""Standard errors that the bound lies below the estimate."""
FORM_LIMIT = 3.0
LEAST = 1e-9


class Amount(msgspec.Struct, frozen=True):
    """USD, seconds or tokens of a model's answer: `table` of mean logarithms shaped (tasks, models), and `correction` a model, which makes
    the mean of what is expected the mean of what was measured. A model without any measured amount is NaN."""

    table: Floats
    correction: Floats


class Fitted(msgspec.Struct, frozen=True, kw_only=True):
    """A fitted scorer. `idf` a bucket, `form_mean` and `form_spread` a fact of form, which weighs `form_weight`; `weights` shaped
    (features, outputs) and `offset`; `embedder` names the model whose vectors are the last features, empty where there are none.

    `table` and `labels` are shaped (tasks, models): shrunken pass rates and how many labels are behind each, `overall` a model's pass rate
    over all tasks. `knots` and `shifts` are shaped (models, knots): at a raw pass rate of `knots` the calibration adds `shifts`.
    `easier`: the share of training texts that were easier, at each of the rising `levels` of one minus the mean pass rate."""

    tasks: tuple[str, ...]
    models: tuple[str, ...]
    idf: Floats
    form_mean: Floats
    form_spread: Floats
    weights: Floats
    offset: Floats
    sharpness: float
    table: Floats
    labels: Floats
    overall: Floats
    level_share: float
    gap_share: float
    knots: Floats
    shifts: Floats
    levels: Floats
    amounts: Mapping[str, Amount]
    form_weight: float
    embedder: str = ""


class Beliefs(msgspec.Struct, frozen=True):
    """About texts, a row each: `task` shaped (texts, tasks); `good` and its lower `bound` shaped (texts, models); `difficulty` a text;
    `amounts` by name, shaped (texts, models), NaN for a model of which none was measured."""

    task: Floats
    good: Floats
    bound: Floats
    difficulty: Floats
    amounts: Mapping[str, Floats]


def believe(fitted: Fitted, text: str, vector: Floats | None = None) -> Beliefs:
    """About one text, with its vector where the scorer has an embedder."""
    return from_outputs(fitted, outputs(fitted, text, vector)[None, :])


def outputs(fitted: Fitted, text: str, vector: Floats | None = None) -> Floats:
    """The linear outputs of one text."""
    found, counts = grams(text)
    weighted = counts * fitted.idf.take(found)
    part = int(np.searchsorted(found, WORDS))
    _to_length_one(weighted[:part])
    _to_length_one(weighted[part:])
    told = form(text)[: len(fitted.form_mean)]
    facts = fitted.form_weight * np.clip((told - fitted.form_mean) / fitted.form_spread, -FORM_LIMIT, FORM_LIMIT)
    after = len(fitted.idf) + len(facts)
    out: Floats = weighted @ fitted.weights.take(found, axis=0) + facts @ fitted.weights[len(fitted.idf) : after] + fitted.offset
    if vector is not None:
        out += (np.float32(EMBED_WEIGHT) * vector) @ fitted.weights[after:]
    return out


def _to_length_one(part: Floats) -> None:
    part /= max(float(np.sqrt(part @ part)), 1e-6)


def from_outputs(fitted: Fitted, out: Floats) -> Beliefs:
    """About many texts, from their linear outputs shaped (texts, outputs)."""
    tasks, models = fitted.table.shape
    chance = softmax(fitted.sharpness * out[:, :tasks])
    raw = chance @ fitted.table + fitted.level_share * out[:, tasks : tasks + 1] + fitted.gap_share * out[:, tasks + 1 : tasks + 1 + models]
    good = calibrated(raw, fitted.knots, fitted.shifts)
    spread = np.sqrt(good * (1.0 - good) / np.maximum(chance @ fitted.labels, 1.0))
    hardness = 1.0 - good.mean(axis=1)
    difficulty = np.interp(hardness, fitted.levels, np.linspace(0.0, 1.0, len(fitted.levels))).astype(np.float32)
    amounts = {
        name: np.exp(chance @ amount.table + out[:, tasks + 1 + models + place, None]) * amount.correction
        for place, (name, amount) in enumerate(fitted.amounts.items())
    }
    return Beliefs(chance, good, np.maximum(good - CAUTION * spread, 0.0), difficulty, amounts)


def softmax(logits: Floats) -> Floats:
    """Rows that are probabilities."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    out: Floats = raised / raised.sum(axis=1, keepdims=True)
    return out


def calibrated(raw: Floats, knots: Floats, shifts: Floats) -> Floats:
    """Raw pass rates shaped (texts, models), each moved by its model's own shifts and cut to [0, 1]."""
    after = np.clip((raw[:, :, None] > knots).sum(axis=2), 1, knots.shape[1] - 1)
    model = np.arange(len(knots))
    low, high = knots[model, after - 1], knots[model, after]
    share = np.clip((raw - low) / np.maximum(high - low, LEAST), 0.0, 1.0)
    moved = raw + shifts[model, after - 1] + share * (shifts[model, after] - shifts[model, after - 1])
    out: Floats = np.clip(moved, 0.0, 1.0)
    return out
