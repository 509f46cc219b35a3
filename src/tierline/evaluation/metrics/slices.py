"""The same figures for parts of the queries: by task, data set, length and language. The worst part is named.

The advantage of a slice is that of `metrics/advantage` within it: against the mix of single models that costs the same there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tierline.evaluation.document import Estimate, Slice, Worst
from tierline.evaluation.metrics.advantage import advantage
from tierline.evaluation.metrics.bootstrap import Bootstrap, Floats
from tierline.evaluation.metrics.hull import hull
from tierline.evaluation.table import Table

LENGTHS: Mapping[str, float] = {"up to 100": 100, "101 to 300": 300, "301 to 1,000": 1_000, "1,001 to 3,000": 3_000, "over 3,000": np.inf}
"""Bands of a prompt's length in characters."""
NAMED = 30
"""Queries from which a slice may be called the worst, and has an advantage."""
MOST = 200
"""Slices of one dimension, the largest first."""
RESAMPLES = 200

Mask = NDArray[np.bool_]


def parts(table: Table) -> Iterator[tuple[str, str, Mask]]:
    """(dimension, name, which queries), for every dimension that has more than one part."""
    dimensions: list[tuple[str, Sequence[str]]] = [("task", table.task), ("dataset", table.dataset)]
    if table.length is not None and bool(table.length.any()):
        bands = np.array(list(LENGTHS))
        dimensions.append(("length", bands[np.searchsorted(np.array(list(LENGTHS.values())), table.length)].tolist()))
    if table.language is not None:
        dimensions.append(("language", table.language))
    for dimension, values in dimensions:
        names, places, counts = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
        if len(names) > 1:
            for number in np.argsort(-counts, kind="stable")[:MOST].tolist():
                yield dimension, str(names[number]) or "(none)", places.reshape(-1) == number


def slices(
    table: Table, quality: Floats, paid: Floats | None, chosen: NDArray[np.intp], bootstrap: Bootstrap, name: str
) -> dict[str, dict[str, Slice]]:
    """Dimension → name → figures of a router with these qualities and costs a query."""
    few = Bootstrap(bootstrap.seed, min(bootstrap.resamples, RESAMPLES))
    found: dict[str, dict[str, Slice]] = {}
    for dimension, part, which in parts(table):
        score = table.score[which]
        q, named = quality[which], f"{name}/{dimension}/{part}"
        gained = None
        if paid is not None and len(q) >= NAMED:
            cost = table.cost[which]
            single = hull(cost.mean(axis=0), score.mean(axis=0))
            over = advantage(q, paid[which], score, cost, single, table.models, few, named)
            gained = Estimate(over.value, over.low, over.high)
        found.setdefault(dimension, {})[part] = Slice(
            queries=len(q),
            quality=few.estimate(q[:, None], named, lambda means: means[:, 0], (0.0, 1.0)),
            cost=None if paid is None else float(paid[which].mean()),
            advantage=gained,
            models=shares(chosen[which], table.models),
        )
    return found


def shares(chosen: NDArray[np.intp], models: Sequence[str]) -> dict[str, float]:
    """Share of queries by model, of the models that are used."""
    counts = np.bincount(chosen, minlength=len(models)) / max(len(chosen), 1)
    return {model: float(share) for model, share in zip(models, counts, strict=True) if share > 0}


def worst(found: Mapping[str, Mapping[str, Slice]]) -> Worst | None:
    """The slice of the lowest advantage, of the lowest quality where there are no costs; None where none is large enough."""
    large = [
        (part.quality.value if part.advantage is None else part.advantage.value, dimension, name, part)
        for dimension, named in found.items()
        for name, part in named.items()
        if part.queries >= NAMED
    ]
    if not large:
        return None
    _, dimension, name, part = min(large, key=lambda one: one[:3])
    return Worst(dimension, name, part.queries, part.quality.value, None if part.advantage is None else part.advantage.value)
