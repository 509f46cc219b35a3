"""Quality: has the pass rate of a model or a task fallen?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from tierline.config.alerts import Watch
from tierline.watch.course import Course, Verdict
from tierline.watch.evidence import Floats
from tierline.watch.past import Past, chosen, grouped
from tierline.watch.rate import rising
from tierline.watch.subject import Subject, Told, called, moment, of_course, percent, spoken

_JUDGED, _REJECTED = 2, 3


def subjects(past: Past, watch: Watch) -> Iterator[Subject]:
    """Each model, with its tasks as strata, so that being given harder tasks is no drop; and each task, whoever answers it."""
    table = {name: counts for name, counts in chosen(past.calls, watch).items() if counts[_JUDGED].any()}
    models = {
        called("model", model): list(grouped({name: counts for name, counts in table.items() if name[2] == model}, 1).values())
        for model in sorted({name[2] for name in table})
    }
    found = models | {called("task", task): [counts] for task, counts in grouped(table, 1).items()}
    for name, strata in found.items():
        yield of_course(name, _course(strata, watch, len(found)), partial(_told, past, name))


def _course(strata: list[Floats], watch: Watch, count: int) -> Course:
    judged, rejected = np.array([counts[_JUDGED] for counts in strata]), np.array([counts[_REJECTED] for counts in strata])
    target = None if watch.target is None else 1.0 - watch.target
    course = rising(judged, rejected, alpha=watch.alpha / count, window=watch.window, least=watch.threshold, target=target)
    return course._replace(was=1.0 - course.was, now=1.0 - course.now, recent=1.0 - course.recent, usual=1.0 - course.usual)


def _told(past: Past, name: str, verdict: Verdict, _: int) -> Told:
    what = (
        f"the pass rate of {spoken(name)} fell from {percent(verdict.was)} to {percent(verdict.now)} since {moment(past.at(verdict.since))}"
    )
    if name.startswith("model/"):
        todo = (
            "look at its rejected answers; was its version, a prompt or a validator changed? Pin another model while you look: tierline pin"
        )
    else:
        todo = "look at the task's rejected answers and at who gave them; if one model gave most, see its own pass rate"
    return Told(what, todo, verdict.since)
