"""A log as a table: the requests to which every model of the spec has an answer that was judged, because shadows answered beside.

Shadows are drawn by chance, so these requests stand for all that could have been drawn, and each model is seen on the same ones. Answers
that were asked for only because another was not good enough stand for hard requests, and are left aside."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np

from tierline.config.loaded import Loaded
from tierline.evaluation.datasets import Dataset, Reading, read
from tierline.evaluation.datasets.source import OfLogs
from tierline.evaluation.propose.measured import LEAST
from tierline.evaluation.routers.spec import SpecRouter
from tierline.evaluation.training.log_texts import with_log_texts
from tierline.postgres.connection import is_address
from tierline.types.errors import EvaluationFailure


def answered_beside(before: Loaded, where: Path | str) -> Dataset | None:
    """None where the log is no file, where no prompts are kept (`log_text`), or too few requests have an answer of every model that it
    shows."""
    if is_address(where):
        return None
    router, log = SpecRouter(before), Path(where)
    how = Reading(
        text=True,
        choose=lambda models: list(dict.fromkeys(router.matched(models).values())),
        sparse=True,
        logs=OfLogs(learning=True),
    )
    try:
        dataset = with_log_texts(read([log], how), [log])
    except EvaluationFailure:
        return None
    whole = np.flatnonzero(dataset.table.complete)
    if len(dataset.table.models) < 2 or len(whole) < 2 * LEAST:
        return None
    return msgspec.structs.replace(dataset, table=dataset.table.take(whole))
