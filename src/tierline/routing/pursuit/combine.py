"""Several models side by side, and one answer out of theirs."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from tierline.routing.pursuit.failures import FINAL
from tierline.routing.pursuit.tally import Tally, Target
from tierline.types.decision import Attempt, Combine, Round, Step
from tierline.types.outcome import Outcome

Combining = Generator[Round, tuple[Outcome, ...], None]


def fits(tally: Tally, step: Step) -> bool:
    """Whether every branch fits into what is left of attempts, time and money. Where not, its targets are asked in turn."""
    return not tally.limit(sum(step.costs), calls=len(step.targets))


def combine(tally: Tally, step: Step, how: Combine) -> Combining:
    """All targets of the step in one round, then the choice among their answers.

    Where no choice comes of it the next step answers, and the best branch is kept in case that fails."""
    targets = list(tally.standing(step))
    attempts = tuple([tally.attempt(target, "branch", step, later=place) for place, target in enumerate(targets)])
    asked = Round(attempts, "first" if how.by == "first_valid" else "all")
    outcomes = yield asked
    good = _sort_out(tally, tally.record(asked, outcomes), {target.name: target for target in targets})
    if tally.ended:
        return
    if good and (how.by == "first_valid" or (how.by == "judge" and len(good) == 1)):
        tally.win(good[0])
    elif len(good) > 1:
        yield from _choose(tally, how, good)
    tally.cause = "fallback" if tally.best is None else "escalation"


def _sort_out(tally: Tally, places: Sequence[int], targets: dict[str, Target]) -> list[int]:
    """The branches whose answers may be chosen. One branch's failure ends the course only when no other answered; a client that went
    away always does."""
    good, final = [], None
    for place in places:
        attempt, outcome = tally.tried[place]
        if outcome.ok:
            tally.keep(place)
            if outcome.accepted:
                good.append(place)
        elif outcome.error in FINAL:
            final = outcome.error if final != "cancelled" else final
        elif outcome.error != "outraced":
            tally.fail(targets[attempt.target], outcome)
    if final is not None and (tally.best is None or final == "cancelled"):
        tally.stop(FINAL[final])
    return good


def _choose(tally: Tally, how: Combine, good: list[int]) -> Combining:
    """By a model that judges, or by the answers' own words, which asks nobody."""
    judge = how.judge if how.by == "judge" else ""
    if tally.limit(how.cost if judge else 0.0, calls=1 if judge else 0):
        return
    asked = Round((Attempt(len(tally.tried) + 1, judge, "judge", timeout=tally.left, of=tuple(good), combine=how),))
    outcomes = yield asked
    tally.record(asked, outcomes)
    (outcome,) = outcomes
    if outcome.ok and outcome.pick is not None and 0 <= outcome.pick < len(good):
        tally.win(good[outcome.pick])
    elif outcome.error == "cancelled":
        tally.stop("cancelled")
