"""Prompts: has a task been given another system prompt?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tierline.config.alerts import Watch
from tierline.watch.course import QUIET, Verdict
from tierline.watch.news import news
from tierline.watch.past import Past, Values
from tierline.watch.subject import Subject, Told, called, moment, percent, spoken


def subjects(past: Past, watch: Watch) -> Iterator[Subject]:
    """Each task. A prompt is known by the digest of its template, with the parts that change taken out."""
    tasks: dict[str, list[Values]] = {}
    for (route, task), values in sorted(past.prompts.items()):
        if (not watch.routes or route in watch.routes) and (not watch.tasks or task in watch.tasks):
            tasks.setdefault(task, []).append(values)
    for task, tables in tasks.items():
        values, name = _together(tables), called("task", task)
        yield Subject(
            name,
            partial(_look, values, watch),
            partial(_told, past, watch, name, values),
        )


def _look(values: Values, watch: Watch, hour: int, moved: tuple[float, float] | None, floor: int) -> Verdict:
    found = news(values, hour, watch.window, watch.threshold)
    if moved is not None:
        return QUIET if found is not None else Verdict("calm", hour, 0.0, 0.0, 1.0)
    if found is None or found.since < floor:
        return QUIET
    return Verdict("firing", found.since, 0.0, found.share, 1.0)


def _told(past: Past, watch: Watch, name: str, values: Values, verdict: Verdict, hour: int) -> Told:
    found = news(values, hour, watch.window, watch.threshold)
    which = "" if found is None else f" (its digest is {found.value[:12]}, that of the usual one {found.before[:12]})"
    when = moment(past.at(verdict.since))
    what = f"{percent(verdict.now)} of the requests of {spoken(name)} have a system prompt that is new since {when}{which}"
    return Told(
        what, "what was measured of the task was measured with the old prompt: have its pass rate and routing measured again", verdict.since
    )


def _together(tables: list[Values]) -> Values:
    if len(tables) == 1:
        return tables[0]
    return [{value: sum(t.get(value, 0.0) for t in hours) for value in set().union(*hours)} for hours in zip(*tables, strict=True)]
