"""The evaluation: data and routers → the document with every figure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from tierline.evaluation.cross_validate import FOLDS, folds
from tierline.evaluation.datasets import Dataset
from tierline.evaluation.datasets.decision_log import Logged
from tierline.evaluation.document import REFERENCES, Confusion, Data, Document, Interval, ModelFigures, Row
from tierline.evaluation.field import Field, field_of
from tierline.evaluation.figures import NO_COSTS, row_of
from tierline.evaluation.metrics.bootstrap import RESAMPLES, Bootstrap
from tierline.evaluation.metrics.confusion import confusion, needed_by_scores
from tierline.evaluation.reference import references, without
from tierline.evaluation.routers.routing import Evaluated, Progress, Routing, silent
from tierline.evaluation.routers.spec import SpecRouter, tier_of
from tierline.evaluation.routers.task_mean import TaskMeanRouter
from tierline.evaluation.table import Table

LOG_ONLY = "a log shows only the models that were asked: `tierline replay` estimates what others would have given"
LABELS_ONLY = "the data hold tier labels and no scores"
NAMES_NO_TIER = "the router names no tier"


class Settings(msgspec.Struct, frozen=True):
    """What makes an evaluation repeatable, and the routers that it is about (`candidates`), which the gate judges."""

    seed: int = 0
    folds: int = FOLDS
    resamples: int = RESAMPLES
    candidates: tuple[str, ...] = ()


def evaluate(dataset: Dataset, routers: Sequence[Evaluated], settings: Settings, progress: Progress = silent) -> Document:
    """Every figure of every router; raises EvaluationFailure where a router cannot be asked. Pure but for the routers."""
    whole = dataset.table
    if not dataset.comparable:
        why = LOG_ONLY if dataset.logged is not None else LABELS_ONLY
        rows = {router.name: _with_confusion(without(Row(), why), router, whole, None, progress) for router in routers}
        return _document(dataset, None, {name: without(Row(), why) for name in REFERENCES}, rows, settings)
    table = whole.take(whole.complete)
    bootstrap = Bootstrap(settings.seed, settings.resamples)
    field = field_of(table, folds(table, settings.folds, bootstrap.generator("folds")), bootstrap)
    reference = references(field, progress)
    rows = {}
    for router in routers:
        if isinstance(router, TaskMeanRouter):
            rows[router.name] = reference["task_mean"]
            continue
        routing = router.route(table, field.fold, bootstrap.generator(f"router/{router.name}"), progress)
        rows[router.name] = _with_confusion(row_of(router.name, routing, field), router, whole, (routing, table), progress)
    return _document(dataset, field, reference, rows, settings)


def _document(dataset: Dataset, field: Field | None, reference: Mapping[str, Row], rows: Mapping[str, Row], settings: Settings) -> Document:
    logged = {} if dataset.logged is None else {"logged": _logged(dataset.logged, Bootstrap(settings.seed, settings.resamples))}
    return Document(
        data=_data(dataset, field),
        reference=reference,
        routers={**rows, **logged},
        candidates=settings.candidates,
        settings={"seed": settings.seed, "folds": settings.folds, "resamples": settings.resamples},
        why=_why(dataset, field),
    )


def _why(dataset: Dataset, field: Field | None) -> dict[str, str]:
    """What the whole document lacks."""
    if field is None:
        return {"reference": LOG_ONLY if dataset.logged is not None else LABELS_ONLY}
    return {} if field.costs is not None else {"cost": NO_COSTS}


def _data(dataset: Dataset, field: Field | None) -> Data:
    table = dataset.table
    compared = table if field is None else field.table
    measured = np.isfinite(table.score).sum(axis=0).tolist()
    return Data(
        files=tuple(path.name for path in dataset.files),
        queries=len(table.query),
        compared=0 if field is None else len(compared.query),
        cells=dataset.cells,
        models={
            model: ModelFigures(
                measured=measured[m],
                quality=None if field is None else float(field.quality[m]),
                cost=None if field is None or field.cost is None else float(field.cost[m]),
            )
            for m, model in enumerate(table.models)
        },
        tasks=_counted(compared.task),
        datasets=_counted(compared.dataset),
        findings=dataset.findings,
    )


def _counted(values: Sequence[str]) -> dict[str, int]:
    return {name or "(none)": count for name, count in Counter(values).most_common()}


def _logged(logged: Logged, bootstrap: Bootstrap) -> Row:
    """What was, as the log has it: quality over the answers that were judged, cost and latency over all."""
    judged = logged.quality[np.isfinite(logged.quality)]
    said = bootstrap.estimate(judged[:, None], "quality/logged", lambda means: means[:, 0], (0.0, 1.0)) if len(judged) else None
    paid = bootstrap.estimate(logged.cost[:, None], "cost/logged", lambda means: means[:, 0], (0.0, max(float(logged.cost.max()), 1e-300)))
    many = len(logged.quality)
    row = Row(
        quality=None if said is None else said.value,
        quality_interval=None if said is None else Interval(said.low, said.high),
        cost=paid.value,
        cost_interval=Interval(paid.low, paid.high),
        latency=float(logged.latency.mean()),
        at=f"as it was: {len(judged):,} of {many:,} answers were judged",
        models={model: count / many for model, count in logged.models.items()},
        save_at={"100": None, "99": None, "95": None},
        cascade=logged.cascade,
    )
    row = without(row, LOG_ONLY)
    return row if said is not None else msgspec.structs.replace(row, why={**row.why, "quality": "no answer was judged"})


def _with_confusion(row: Row, router: Evaluated, whole: Table, asked: tuple[Routing, Table] | None, progress: Progress) -> Row:
    """The row with its tiers: against labels where the data have any, else against the lowest tier that reaches the best score."""
    if not isinstance(router, SpecRouter):
        return msgspec.structs.replace(row, why={**row.why, "confusion": NAMES_NO_TIER})
    found: Confusion | None = None
    tiers = tuple(router.loaded.spec.tiers)
    if whole.label is not None:
        labelled = whole.take(np.array([bool(label) for label in whole.label]))
        chance = np.random.default_rng(0)
        routing = router.route(labelled, np.zeros(len(labelled.query), dtype=np.intp), chance, progress)
        found = confusion(labelled.label or (), routing.tier or (), tiers, "labels")
    elif asked is not None and asked[0].tier is not None:
        routing, table = asked
        found = confusion(needed_by_scores(table.score, tier_of(router, table.models), tiers), asked[0].tier, tiers, "scores")
    why = row.why if found is not None else {**row.why, "confusion": f"no label is one of the spec's tiers ({', '.join(tiers)})"}
    return msgspec.structs.replace(
        row, confusion=found, why={key: text for key, text in why.items() if found is None or key != "confusion"}
    )
