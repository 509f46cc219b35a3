"""Escalations: are more first answers not good enough?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from tierline.config.alerts import Watch
from tierline.watch.course import Verdict
from tierline.watch.past import Past, chosen, grouped
from tierline.watch.rate import rising
from tierline.watch.subject import Subject, Told, called, moment, of_course, percent, spoken

_REQUESTS, _ESCALATIONS = 0, 4


def subjects(past: Past, watch: Watch) -> Iterator[Subject]:
    """All requests, with their tasks as strata, and each task."""
    tasks = grouped(chosen(past.cells, watch), 1)
    found = ({"": list(tasks.values())} if tasks else {}) | {called("task", task): [counts] for task, counts in tasks.items()}
    for name, strata in found.items():
        n, climbed = np.array([counts[_REQUESTS] for counts in strata]), np.array([counts[_ESCALATIONS] for counts in strata])
        course = rising(n, climbed, alpha=watch.alpha / len(found), window=watch.window, least=watch.threshold, target=watch.target)
        yield of_course(name, course, partial(_told, past, name))


def _told(past: Past, name: str, verdict: Verdict, _: int) -> Told:
    figures = f"from {percent(verdict.was)} to {percent(verdict.now)} since {moment(past.at(verdict.since))}"
    what = f"requests that escalate, of {spoken(name)}, went {figures}"
    return Told(
        what, "see which validator rejects and whose answers: tierline log stats; then the pass rate of those models", verdict.since
    )
