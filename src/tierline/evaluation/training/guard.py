"""Where a trained scorer may route: only where it is shown to beat the coin of the same cost.

The advantage over the mix (`metrics/advantage`) is a mean over queries, and so falls into parts by task:

    a_i = (q_i − mix quality_i) − rate · (c_i − mix cost_i),      rate = (Q high − Q low) / (C high − C low)

where `low` and `high` are the two models of the mix and `rate` the quality that a dollar buys between them. A task's own mean of a_i is
drawn towards the mean over all tasks by how much the tasks truly differ (DerSimonian and Laird 1986; empirical Bayes), because most tasks
have few queries. A task is refused when it has fewer than `LEAST_LABELS` judged answers or `LEAST_QUERIES` queries with every model
measured, or when the 90 % interval of its mean holds zero; all are, when the 95 % interval of the whole does.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from tierline.evaluation.metrics.bootstrap import Floats
from tierline.evaluation.metrics.hull import Hull

LEAST_LABELS = 200
LEAST_QUERIES = 10
"""Queries with every model measured, without which nothing can be compared."""
Z = 1.96
"""Of the interval of the whole: 95 %."""
Z_TASK = 1.645
"""Of the intervals of tasks: 90 %, so that a loss passes for a gain once in twenty. The whole has passed before."""


class Verdict(msgspec.Struct, frozen=True):
    """About one task: its judged answers, the advantage with its 90 % interval (quality points), whether the scorer may route it, and why
    not."""

    labels: int
    queries: int
    advantage: float
    low: float
    high: float
    route: bool
    why: str = ""


def gains(quality: Floats, cost: Floats | None, score: Floats, costs: Floats | None, single: Hull | None, best: int) -> Floats:
    """a_i of each query. Without costs the coin is the best single model."""
    if cost is None or costs is None or single is None:
        over_best: Floats = quality - score[:, best]
        return over_best
    mix = single.mix(float(cost.mean()))
    mixed = sum(share * (score[:, model]) for model, share in mix.items())
    paid = sum(share * (costs[:, model]) for model, share in mix.items())
    low, high = min(mix, key=single.models.index), max(mix, key=single.models.index)
    between = float(costs[:, high].mean() - costs[:, low].mean())
    rate = float(score[:, high].mean() - score[:, low].mean()) / between if between > 0 else 0.0
    over: Floats = (quality - mixed) - rate * (cost - paid)
    return over


def verdicts(gain: Floats, task: NDArray[np.intp], labels: Sequence[int], least_labels: int = LEAST_LABELS) -> list[Verdict]:
    """One for each task; `labels` are the judged answers of each."""
    whole_low = float(gain.mean() - Z * _error(gain, gain)) if len(gain) > 1 else -1.0
    found = []
    means, errors, many = _by_task(gain, task, len(labels))
    mean, low, high = _shrunken(means, errors)
    for k, judged in enumerate(labels):
        why = ""
        if judged < least_labels:
            why = f"{judged} labels: fewer than {least_labels}"
        elif many[k] < LEAST_QUERIES:
            why = f"only {many[k]} queries were measured on all models"
        elif whole_low <= 0:
            why = "over all tasks the advantage is not shown to be above zero"
        elif low[k] <= 0:
            why = "its advantage is not shown to be above zero"
        found.append(Verdict(judged, int(many[k]), float(mean[k]), float(low[k]), float(high[k]), not why, why))
    return found


def _error(values: Floats, whole: Floats) -> float:
    """The standard error of a mean, never of less spread than a tenth of the whole's: ten equal gains are no certainty."""
    least = 0.01 * float(whole.var(ddof=1)) if len(whole) > 1 else 1.0
    spread = float(values.var(ddof=1)) if len(values) > 1 else float(whole.var(ddof=1)) if len(whole) > 1 else 1.0
    return float(np.sqrt(max(spread, least, 1e-12) / max(len(values), 1)))


def _by_task(gain: Floats, task: NDArray[np.intp], tasks: int) -> tuple[Floats, Floats, NDArray[np.intp]]:
    means, errors, many = np.zeros(tasks), np.full(tasks, 1.0), np.bincount(task, minlength=tasks)
    for k in range(tasks):
        if many[k]:
            inside = gain[task == k]
            means[k], errors[k] = inside.mean(), _error(inside, gain)
    return means, errors, many


def _shrunken(means: Floats, errors: Floats) -> tuple[Floats, Floats, Floats]:
    """Each mean with its interval, drawn towards the mean of all."""
    weight = 1.0 / errors**2
    overall = float((weight * means).sum() / weight.sum())
    spread = float((weight * (means - overall) ** 2).sum()) - (len(means) - 1)
    scale = float(weight.sum() - (weight**2).sum() / weight.sum())
    between = max(0.0, spread / scale) if scale > 0 else 0.0
    drawn = errors**2 / (errors**2 + between) if len(means) > 1 else np.zeros_like(errors)
    centre = drawn * overall + (1.0 - drawn) * means
    wide = Z_TASK * np.sqrt((1.0 - drawn) * errors**2 + drawn**2 / weight.sum())
    return centre, centre - wide, centre + wide
