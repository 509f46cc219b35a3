"""Latency: does the service level's budget burn?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tierline.config.alerts import Watch
from tierline.watch.burn import burning
from tierline.watch.course import Verdict
from tierline.watch.past import Past, chosen, grouped
from tierline.watch.subject import Subject, Told, called, moment, of_course, percent, spoken

_TIMED, _LATE = 5, 6


def subjects(past: Past, watch: Watch) -> Iterator[Subject]:
    """Each task that has a latency budget."""
    tasks = {task: counts for task, counts in grouped(chosen(past.cells, watch), 1).items() if counts[_TIMED].any()}
    target = 0.95 if watch.target is None else watch.target
    for task, counts in tasks.items():
        name = called("task", task)
        course = burning(counts[_TIMED], counts[_LATE], alpha=watch.alpha / len(tasks), window=watch.window, target=target)
        yield of_course(name, course, partial(_told, past, name))


def _told(past: Past, name: str, verdict: Verdict, _: int) -> Told:
    burn = verdict.now / max(verdict.was, 1e-9)
    what = (
        f"{percent(verdict.now)} of the requests of {spoken(name)} took longer than their latency budget since "
        f"{moment(past.at(verdict.since))}; {percent(verdict.was)} may, so the budget burns {burn:.1f} times as fast as it should"
    )
    return Told(
        what, "see which model is slow (tierline log stats --by model) and move its traffic: a pin, or load: {target: …}", verdict.since
    )
