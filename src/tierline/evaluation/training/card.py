"""The card of a trained scorer: where it came from, what it reached on queries that it had not seen, and where it may route."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from tierline.evaluation.datasets.decision_log import Heard
from tierline.evaluation.document import Document, Row
from tierline.evaluation.table import Table
from tierline.evaluation.training.guard import Verdict
from tierline.evaluation.training.learn import Learned, Learning, established, fingerprints

_FIGURES = (
    "quality",
    "quality_interval",
    "cost",
    "at",
    "models",
    "pair",
    "apgr",
    "cpt50",
    "cpt80",
    "aiq",
    "save_at",
    "advantage",
    "arena",
    "brier",
    "ece",
)
_OF_THE_SCORER = (*_FIGURES, "reliability", "curve", "worst_slice")


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """`data` is the fingerprint of texts, tasks, models and scores; `labels` the judged answers of each model, `new` the models that
    had too few to be measured; `tasks` the guard's verdicts; `reference` and `learned` the figures of rows of the evaluation, all of
    them on queries that the fold's own training had not seen. `settings` make the training repeatable. `heard`: of a decision log,
    whose labels these are and how its answers came to be asked for."""

    trained: str
    files: tuple[str, ...]
    data: str
    queries: int
    labels: Mapping[str, int]
    new: tuple[str, ...]
    tasks: Mapping[str, Verdict]
    reference: Mapping[str, Any]
    learned: Mapping[str, Any]
    unguarded: Mapping[str, Any]
    settings: Mapping[str, Any]
    licence: str = ""
    heard: Mapping[str, Any] | None = None


def card_of(
    learned: Learned,
    table: Table,
    document: Document,
    how: Learning,
    trained: str,
    files: Sequence[str],
    licence: str,
    heard: Heard | None = None,
) -> Card:
    """The card of what was trained on the whole table, `document` holding the figures by folds; `trained` is a date."""
    fitted, measured = learned.artifact.fitted, np.isfinite(table.score).sum(axis=0).tolist()
    sure = established(table)
    return Card(
        trained=trained,
        files=tuple(files),
        data=data_fingerprint(table),
        queries=len(table.query),
        labels=dict(zip(table.models, map(int, measured), strict=True)),
        new=tuple(model for model in table.models if model not in sure),
        tasks=learned.verdicts,
        reference={name: _kept(row, _FIGURES) for name, row in document.reference.items()},
        learned=_kept(document.routers["learned"], _OF_THE_SCORER),
        unguarded=_kept(document.routers["unguarded"], _FIGURES) if "unguarded" in document.routers else {},
        settings={
            "seed": how.seed,
            "keep": how.keep,
            "least_labels": how.least_labels,
            "sure": how.sure,
            "embedder": fitted.embedder,
            "folds": document.settings.get("folds"),
            "sharpness": fitted.sharpness,
            "level_share": fitted.level_share,
            "gap_share": fitted.gap_share,
        },
        licence=licence,
        heard=None if heard is None else msgspec.to_builtins(heard),
    )


def _kept(row: Row, names: Sequence[str]) -> dict[str, Any]:
    told = {name: msgspec.to_builtins(getattr(row, name)) for name in names}
    return {name: value for name, value in told.items() if value not in (None, "", {}, ())}


def data_fingerprint(table: Table) -> str:
    """Of what was trained on; the order of the rows makes no difference."""
    rows = zip(fingerprints(table.text or ()).tolist(), table.task, table.score.round(6).tolist(), strict=True)
    lines = sorted(repr(row) for row in rows)
    return hashlib.sha256("\n".join([repr(table.models), *lines]).encode()).hexdigest()
