"""A spec before a table: its prompts as questions, and what each model of the fleet would have given."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tierline.evaluation.simulate.workload import of_table
from tierline.evaluation.sweep.questions import Questions, questions
from tierline.evaluation.sweep.sweep import Outcomes
from tierline.evaluation.table import Table
from tierline.routing.router import Router
from tierline.types.errors import EvaluationFailure
from tierline.types.view import NO_VIEW


def offered(router: Router, table: Table, matched: Mapping[str, str]) -> tuple[Questions, Outcomes, list[str]]:
    """The questions, the outcomes in the fleet's order, and the ids, of the queries on which every model of the spec was measured.

    `matched`: model of the spec → model of the table. Raises EvaluationFailure where a model of the spec is not in the table, for a
    sweep may send requests to any of them."""
    missing = [name for name in router.policy.fleet.names if name not in matched]
    if missing:
        raise EvaluationFailure(
            f"the data have no answers of {', '.join(missing)}: a sweep needs every model of the spec, so take them out of a copy of it"
        )
    columns = [table.models.index(matched[name]) for name in router.policy.fleet.names]
    known = np.flatnonzero(~np.isnan(table.score[:, columns] + table.cost[:, columns]).any(axis=1))
    if not len(known):
        raise EvaluationFailure("no query was measured, with score and cost, on every model of the spec")
    compared = table.take(known)
    asked = questions(router, ((one.features, one.scores, NO_VIEW) for one in of_table(router, compared)))
    return asked, Outcomes(compared.score[:, columns].T.copy(), compared.cost[:, columns].T.copy()), list(compared.query)
