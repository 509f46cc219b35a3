"""A group's figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from tierline.evaluation.discover.asked import Asked
from tierline.evaluation.discover.document import Judged, Type
from tierline.evaluation.review.facts import quantiles
from tierline.evaluation.wilson import wilson

MOST_MODELS = 6
OWNED = 0.5
"""Of a type's requests, that have a task of the spec: then the type has it too."""


def measured(name: str, group: Sequence[Asked], requests: int, cost: float, tasks: frozenset[str]) -> Type:
    """The figures of one group among `requests`, which cost `cost` USD together; `tasks` are those of the spec."""
    size = len(group)
    own = sum(one.cost for one in group)
    p50, p95 = quantiles([one.latency for one in group if one.latency is not None])
    models = Counter(one.model for one in group if one.model)
    return Type(
        name,
        size,
        size / requests,
        own / size,
        own / cost if cost else 0.0,
        task=task_of(group, tasks),
        models={model: count / size for model, count in sorted(models.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_MODELS]},
        tokens_in=float(np.median([one.tokens_in for one in group])),
        tokens_out=float(np.median([one.tokens_out for one in group])),
        latency_p50=p50,
        latency_p95=p95,
        escalated=sum(one.escalated for one in group) / size,
        fell_back=sum(one.fell_back for one in group) / size,
        failed=sum(one.failed for one in group) / size,
        judged=judged_of([one.judged[1] for one in group if one.judged is not None]),
    )


def task_of(group: Sequence[Asked], tasks: frozenset[str]) -> str:
    """The task of the spec that at least half of the group has; empty for none."""
    counts = Counter(one.task for one in group if one.task in tasks)
    task, count = min(counts.items(), key=lambda pair: (-pair[1], pair[0]), default=("", 0))
    return task if count >= OWNED * len(group) else ""


def judged_of(good: Sequence[bool]) -> Judged | None:
    """The rate of answers that were judged; None where none was."""
    return Judged(len(good), sum(good), *wilson(sum(good), len(good))) if good else None
