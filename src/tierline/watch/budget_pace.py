"""Budgets: will one be used up before its period ends?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tierline.config.alerts import Watch
from tierline.watch.course import QUIET, Verdict
from tierline.watch.past import Budgeted, Past
from tierline.watch.subject import Subject, Told, called, moment, spoken

EARLY = 0.3
"""By how much more a projection has to overrun while nothing is used than when all is: early ones are guesses."""

LEAST_USED = 0.1
"""The share of its limit that has to be used before anything is said."""


def subjects(past: Past, watch: Watch) -> Iterator[Subject]:
    """Each paced budget, as it stands in the last hour."""
    for budget in past.budgets:
        name = called("budget", budget.name)
        yield Subject(
            name,
            partial(_look, budget, watch),
            partial(_told, name, budget),
        )


def overrun(budget: Budgeted, threshold: float) -> bool:
    """Whether a budget is projected to be overrun by more than its threshold, and than a projection so early may be wrong."""
    left = max(1.0 - budget.used / budget.limit, 0.0)
    return budget.used >= LEAST_USED * budget.limit and budget.projected > budget.limit * (1.0 + max(threshold, EARLY * left))


def _look(budget: Budgeted, watch: Watch, hour: int, moved: tuple[float, float] | None, _: int) -> Verdict:
    if moved is not None:
        over = budget.projected <= budget.limit
        return Verdict("calm", hour, budget.limit, budget.projected, 1.0) if over else QUIET
    if not overrun(budget, watch.threshold):
        return QUIET
    sure = min(1.0, 0.5 + 0.5 * budget.used / budget.limit)
    return Verdict("firing", hour, budget.limit, budget.projected, sure)


def _told(name: str, budget: Budgeted, verdict: Verdict, _: int) -> Told:
    when = "" if budget.exhausted_at is None else f", and be used up at {moment(budget.exhausted_at)}"
    what = f"{spoken(name)} will come to {budget.projected:.2f} of {budget.limit:.2f} by {moment(budget.ends)} as it is used now{when}"
    return Told(
        what, "raise it, or let less be spent: at_limit says what happens then; pace_tolerance lets routing save before", verdict.since
    )
