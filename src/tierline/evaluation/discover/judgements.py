"""How good each model's answers to a group of requests were, as far as anybody looked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from tierline.evaluation.discover.asked import Asked
from tierline.evaluation.review.facts import GOOD
from tierline.evaluation.table import Table


class Answers(msgspec.Struct, frozen=True):
    """Measured answers of a table (model → good or not), by query and by task."""

    by_query: Mapping[str, Mapping[str, bool]] = {}
    by_task: Mapping[str, Mapping[str, Sequence[bool]]] = {}


NO_ANSWERS = Answers()


def answers_of(table: Table, matched: Mapping[str, str]) -> Answers:
    """`matched`: model of the spec → model of the table."""
    by_query: dict[str, dict[str, bool]] = {}
    by_task: dict[str, dict[str, list[bool]]] = {}
    for name, there in matched.items():
        column = table.score[:, table.models.index(there)]
        for row in np.flatnonzero(~np.isnan(column)).tolist():
            good = bool(column[row] >= GOOD)
            by_query.setdefault(table.query[row], {})[name] = good
            by_task.setdefault(table.task[row], {}).setdefault(name, []).append(good)
    return Answers(by_query, by_task)


def judgements(group: Sequence[Asked], task: str, answers: Answers) -> dict[str, list[bool]]:
    """By model: what was said of its answers to these requests, in the log and in a table of the same requests; where a table has none of
    them, what it has of their task."""
    found: dict[str, list[bool]] = {}
    for one in group:
        measured = answers.by_query.get(one.id, {})
        for model, good in measured.items():
            found.setdefault(model, []).append(good)
        if one.judged is not None and one.judged[0] not in measured:
            found.setdefault(one.judged[0], []).append(one.judged[1])
    for model, said in answers.by_task.get(task, {}).items():
        if task and model not in found:
            found[model] = list(said)
    return found
