"""A table → a trained scorer with its operating point and the guard's verdicts, everything chosen on folds of that table alone."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from tierline.evaluation.cross_validate import folds
from tierline.evaluation.metrics.bootstrap import Floats
from tierline.evaluation.metrics.curve import PRICES, at_price, prices
from tierline.evaluation.metrics.hull import hull
from tierline.evaluation.table import Table
from tierline.evaluation.training.guard import LEAST_LABELS, Verdict, gains, verdicts
from tierline.scoring.learned.artifact import Artifact
from tierline.scoring.learned.beliefs import Beliefs
from tierline.scoring.learned.design import Design
from tierline.scoring.learned.fit import Examples, Progress, fit, silent
from tierline.types.errors import EvaluationFailure

INNER = 4
LEAST_QUERIES = 20
ESTABLISHED = 0.5
"""The share of queries that a model must be measured on to take part in choosing the operating point and in the guard."""


class Learning(msgspec.Struct, frozen=True):
    """How to train: the seed of the folds, the share of the best single model's quality to keep at the operating point, the labels that the
    guard asks of a task, whether texts are embedded (the extra `embed`), and by how many standard errors that quality is to be kept."""

    seed: int = 0
    keep: float = 0.99
    least_labels: int = LEAST_LABELS
    embed: bool = False
    sure: float = 0.0


class Learned(msgspec.Struct, frozen=True):
    """A trained scorer, and the guard's verdict on each of its tasks."""

    artifact: Artifact
    verdicts: Mapping[str, Verdict]


def learn(table: Table, data: Design, how: Learning, progress: Progress = silent) -> Learned:
    """Trained on the whole table, whose texts `data` holds in the same order; raises EvaluationFailure when there is too little."""
    table, data = _measured(table, data)
    if len(table.query) < LEAST_QUERIES:
        raise EvaluationFailure(f"only {len(table.query)} queries have a score: training needs {LEAST_QUERIES} at least")
    fold = folds(table, INNER, np.random.default_rng([how.seed, 1]))
    if not fold.any():
        raise EvaluationFailure("all queries have the same words: there is nothing to learn from")
    examples = examples_of(table, data)
    fitted, beliefs = fit(examples, fold, progress)
    price, best, found = _judged(examples, table, beliefs, how)
    return Learned(
        Artifact(
            fitted=fitted,
            route=tuple(verdict.route for verdict in found),
            best=best,
            price=price,
            seen=fingerprints(table.text or ()),
            card={},
        ),
        dict(zip(fitted.tasks, found, strict=True)),
    )


def _measured(table: Table, data: Design) -> tuple[Table, Design]:
    rows = np.flatnonzero(np.isfinite(table.score).any(axis=1))
    return (table, data) if len(rows) == len(table.query) else (table.take(rows), data.take(rows))


def examples_of(table: Table, data: Design) -> Examples:
    """The table as the fit eats it: amounts that nobody measured are left out."""
    names, places = np.unique(np.asarray(table.task, dtype=str), return_inverse=True)
    amounts = {name: cells for name in ("cost", "output_tokens", "latency") if (cells := getattr(table, name)) is not None}
    known = {name: np.where(cells > 0, cells, np.nan) for name, cells in amounts.items()}
    return Examples(
        data,
        tuple(str(name) for name in names),
        places.reshape(-1).astype(np.intp),
        table.models,
        table.score,
        {name: cells for name, cells in known.items() if np.isfinite(cells).any()},
    )


def established(table: Table) -> list[str]:
    """The models that enough queries measured. Where fewer than two reach that, as in a log, the largest set that enough queries measured
    together, and all models where there is none."""
    measured: NDArray[np.bool_] = np.isfinite(table.score)
    share = measured.mean(axis=0)
    sure = [model for model, part in zip(table.models, share.tolist(), strict=True) if part >= ESTABLISHED]
    return sure if len(sure) > 1 else _together(table, measured) or sure or list(table.models)


def _together(table: Table, measured: NDArray[np.bool_]) -> list[str]:
    """The pair of models that most queries measured both of, and each further model with which enough queries are left."""
    both = measured.T.astype(np.int64) @ measured
    np.fill_diagonal(both, 0)
    if not both.size or both.max() < LEAST_QUERIES:
        return []
    chosen = [int(place) for place in np.unravel_index(both.argmax(), both.shape)]
    for place in np.argsort(-measured.sum(axis=0), kind="stable").tolist():
        if place not in chosen and measured[:, [*chosen, place]].all(axis=1).sum() >= LEAST_QUERIES:
            chosen.append(place)
    return [table.models[place] for place in sorted(chosen)]


def _judged(examples: Examples, table: Table, beliefs: Beliefs, how: Learning) -> tuple[float, int, list[Verdict]]:
    """The price of the operating point, the best single model's place, and the verdicts."""
    places = np.array([table.models.index(model) for model in established(table)])
    part = table.only([table.models[m] for m in places])
    rows = np.flatnonzero(part.complete)
    labels = np.bincount(examples.task, weights=np.isfinite(examples.score).sum(axis=1), minlength=len(examples.tasks)).astype(int).tolist()
    if len(rows) < 2:
        best = int(places[np.nan_to_num(np.nanmean(part.score, axis=0)).argmax()])
        why = "no two models were measured on the same queries"
        return 0.0, best, [Verdict(n, 0, 0.0, -1.0, 1.0, False, why) for n in labels]
    part = part.take(rows)
    good = beliefs.good[np.ix_(rows, places)].astype(np.float64)
    costs = part.cost if part.has_costs else np.zeros_like(part.score)
    expected = beliefs.amounts["cost"][np.ix_(rows, places)].astype(np.float64) if part.has_costs else costs
    quality = part.score.mean(axis=0)
    best = int(np.lexsort((costs.mean(axis=0), -quality))[0])
    price = cautious_price(good, expected, part.score, costs, best, how.keep, how.sure)
    chosen = at_price(good, expected, price)
    at = np.arange(len(rows))
    single = hull(costs.mean(axis=0), quality) if part.has_costs else None
    gain = gains(part.score[at, chosen], costs[at, chosen], part.score, costs, single, best)
    return price, int(places[best]), verdicts(gain, examples.task[rows], labels, how.least_labels)


def cautious_price(good: Floats, expected: Floats, score: Floats, cost: Floats, best: int, target: float, errors: float = 0.0) -> float:
    """The price of the least cost that keeps `target` of the best single model's quality by so many standard errors of the
    difference; where none does, that of the highest quality."""
    rows, single = np.arange(len(score)), score[:, best]
    found = []
    for price in prices(good, expected, PRICES):
        chosen = at_price(good, expected, price)
        over = score[rows, chosen] - target * single
        sure = float(over.mean()) - errors * float(over.std(ddof=1)) / np.sqrt(len(over)) >= 0.0
        found.append((not sure, float(cost[rows, chosen].mean()) if sure else -float(over.mean()), price))
    return min(found)[2]


def fingerprints(texts: Sequence[str]) -> NDArray[np.uint64]:
    """A number for the words of each text: spaces and capitals make no difference."""
    digests = [hashlib.blake2b(" ".join(text.lower().split()).encode("utf-8", "surrogatepass"), digest_size=8).digest() for text in texts]
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)
