"""Cost: does a request cost more than it used to, or than it may?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from tierline.config.alerts import Watch
from tierline.watch.course import Verdict
from tierline.watch.mean import rising
from tierline.watch.past import Past, chosen, grouped
from tierline.watch.subject import Subject, Told, called, moment, of_course, spoken

_REQUESTS, _COST, _SQUARES = 0, 1, 2


def subjects(past: Past, watch: Watch) -> Iterator[Subject]:
    """All requests, with their tasks as strata, so that another mix of tasks is no rise; each task; and each tier, with its tasks as
    strata, where a rise stands out that the dearest requests hide. Against a target, all that the watch looks at together."""
    table = {name: counts for name, counts in chosen(past.cells, watch).items() if counts[_COST].any()}
    tasks = grouped(table, 1)
    found = {"": list(tasks.values())} if tasks else {}
    if watch.target is None:
        found |= {called("task", task): [counts] for task, counts in tasks.items()}
        for tier in sorted({name[2] for name in table}):
            found[called("tier", tier)] = list(grouped({name: counts for name, counts in table.items() if name[2] == tier}, 1).values())
    for name, strata in found.items():
        n, total, squares = (np.array([counts[field] for counts in strata]) for field in (_REQUESTS, _COST, _SQUARES))
        alpha, least = watch.alpha / len(found), watch.threshold if watch.target is None else 0.0
        course = rising(n, total, squares, alpha=alpha, window=watch.window, least=least, target=watch.target)
        yield of_course(name, course, partial(_told, past, name, watch.target is not None))


def _told(past: Past, name: str, told: bool, verdict: Verdict, _: int) -> Told:
    more = f" ({verdict.now / verdict.was - 1:+.0%})" if verdict.was > 0 else ""
    against = f"against a target of {verdict.was:.6f} USD" if told else f"against {verdict.was:.6f} USD before"
    what = f"a request of {spoken(name)} costs {verdict.now:.6f} USD {against}{more}, since {moment(past.at(verdict.since))}"
    todo = "see where the money goes: tierline log stats --by model and --by tier; longer prompts, dearer models, retries or a price?"
    return Told(what, todo, verdict.since)
