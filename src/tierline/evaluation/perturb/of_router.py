"""The robustness of a router that is being evaluated: it is asked again, in the changed words.

A router that only scores queries stands at the median of its scores: what is above goes to the model of the best mean score, the rest to
the cheapest.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from tierline.evaluation.cross_validate import folds
from tierline.evaluation.document import Document, Row
from tierline.evaluation.metrics.bootstrap import Bootstrap
from tierline.evaluation.perturb.pairs import Pairs
from tierline.evaluation.perturb.robustness import Robustness, robustness
from tierline.evaluation.routers.given import GivenRouter
from tierline.evaluation.routers.routing import Evaluated, Progress, Routing, silent
from tierline.evaluation.table import Table
from tierline.types.errors import EvaluationFailure

GIVEN = "its choices are given by query, so other words change nothing"


def with_robustness(
    document: Document, table: Table, routers: Sequence[Evaluated], pairs: Pairs | None = None, progress: Progress = silent
) -> Document:
    """The document with the robustness of these routers in their rows, over the queries of `table`. `document.settings` give the seed and
    the folds. Raises EvaluationFailure where the data have no prompts."""
    if table.text is None or not any(table.text):
        raise EvaluationFailure("--robust changes the words of prompts, and the data have none")
    bootstrap = Bootstrap(int(document.settings["seed"]), int(document.settings["resamples"]))
    fold = folds(table, int(document.settings["folds"]), bootstrap.generator("folds"))
    rows = dict(document.routers)
    for router in routers:
        row = rows[router.name]
        if isinstance(router, GivenRouter):
            rows[router.name] = msgspec.structs.replace(row, why={**row.why, "flip_rate": GIVEN})
        else:
            rows[router.name] = _with(row, _of(router, table, fold, bootstrap, pairs, progress))
    return msgspec.structs.replace(document, routers=rows)


def _with(row: Row, told: Robustness) -> Row:
    why = {name: reason for name, reason in row.why.items() if name != "flip_rate"}
    return msgspec.structs.replace(row, flip_rate=told.flip_rate, robustness=msgspec.to_builtins(told), why=why)


def _of(
    router: Evaluated, table: Table, fold: NDArray[np.intp], bootstrap: Bootstrap, pairs: Pairs | None, progress: Progress
) -> Robustness:
    cut: float | None = None

    def choose(rows: Sequence[int], texts: Sequence[str]) -> list[str]:
        nonlocal cut
        places = np.asarray(rows, dtype=np.intp)
        asked = reworded(table.take(places), texts)
        routing = router.route(asked, fold[places], bootstrap.generator(f"router/{router.name}"), progress)
        if routing.choice is None and routing.score is not None and cut is None:
            cut = float(np.median(routing.score))
        return _names(routing, table, cut)

    return robustness(table, choose, bootstrap.seed, pairs)


def reworded(table: Table, texts: Sequence[str]) -> Table:
    """The same queries in other words."""
    words = np.array([len(text.split()) for text in texts], dtype=np.int64)
    length = np.array([len(text) for text in texts], dtype=np.int64)
    return msgspec.structs.replace(table, text=list(texts), words=words, length=length)


def _names(routing: Routing, table: Table, cut: float | None) -> list[str]:
    """The model of each query; empty where the table has it not."""
    if routing.choice is not None:
        return [table.models[place] if place >= 0 else "" for place in routing.choice]
    if routing.score is None or cut is None:
        raise EvaluationFailure("--robust needs a router that chooses or scores")
    strong = table.models[int(np.nanargmax(np.nanmean(table.score, axis=0)))]
    means = np.nanmean(table.cost, axis=0) if table.has_costs else np.nanmean(table.score, axis=0)
    weak = table.models[int(np.nanargmin(means))]
    return [strong if score > cut else weak for score in routing.score]
