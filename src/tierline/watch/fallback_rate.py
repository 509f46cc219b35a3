"""Fallbacks: do providers fail more often?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from tierline.config.alerts import Watch
from tierline.watch.course import Verdict
from tierline.watch.past import Past, chosen, grouped
from tierline.watch.rate import rising
from tierline.watch.subject import Subject, Told, called, moment, of_course, percent, spoken

_REQUESTS, _FALLBACKS = 0, 3
_CALLS, _FAILED = 0, 1


def subjects(past: Past, watch: Watch) -> Iterator[Subject]:
    """All requests, with their tasks as strata: how many fell back; and each model: how many of its calls the provider failed."""
    strata = list(grouped(chosen(past.cells, watch), 1).values())
    models = grouped(chosen(past.calls, watch), 2)
    alpha = watch.alpha / (1 + len(models))
    if strata:
        n, fell = np.array([counts[_REQUESTS] for counts in strata]), np.array([counts[_FALLBACKS] for counts in strata])
        course = rising(n, fell, alpha=alpha, window=watch.window, least=watch.threshold, target=watch.target)
        yield of_course("", course, partial(_told, past, ""))
    for model, counts in models.items():
        name = called("model", model)
        n, failed = counts[_CALLS][None], counts[_FAILED][None]
        course = rising(n, failed, alpha=alpha, window=watch.window, least=watch.threshold, target=watch.target)
        yield of_course(name, course, partial(_told, past, name))


def _told(past: Past, name: str, verdict: Verdict, _: int) -> Told:
    what = f"calls of {spoken(name)} that the provider failed" if name else "requests that fell back to another model"
    figures = f"{what} went from {percent(verdict.was)} to {percent(verdict.now)} since {moment(past.at(verdict.since))}"
    todo = "see by which error (tierline log stats --by error) and the provider's status page; a pin moves its traffic away: tierline pin"
    return Told(figures, todo, verdict.since)
