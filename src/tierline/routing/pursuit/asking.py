"""Asking the targets of a step in turn, and each of them as often as may help."""

from __future__ import annotations

from collections.abc import Generator

from tierline.routing.pursuit.failures import ELSEWHERE
from tierline.routing.pursuit.hedge import hedged, rival
from tierline.routing.pursuit.tally import Tally, Target
from tierline.types.decision import Cause, Round, Step
from tierline.types.outcome import Outcome, Result

Course = Generator[Round, tuple[Outcome, ...], Result]
Asking = Generator[Round, tuple[Outcome, ...], bool]


def in_turn(tally: Tally, step: Step) -> Asking:
    """The targets of a step, one after another until one answers, well or not. Whether one did."""
    for target in tally.standing(step):
        second = rival(tally, step, target)
        if second is None:
            answered = yield from ask(tally, step, target, tally.cause)
        else:
            answered = yield from _race(tally, step, target, second)
        refuge = None if answered or tally.ended else tally.refuge()
        if refuge is not None:
            answered = yield from ask(tally, step, refuge, "fallback")
        if tally.ended:
            return answered
        tally.cause = "escalation" if answered else "fallback"
        if answered:
            return True
    return False


def ask(tally: Tally, step: Step, target: Target, cause: Cause, wait: float = 0.0, outcome: Outcome | None = None) -> Asking:
    """One target, as often as may help: again when told what was wrong with its answer, as often as the step allows, or by another of its
    endpoints. `outcome` is what it gave in a race, where it has run one. Whether it answered, well or not."""
    answered, retries, feedback = False, step.retries, ""
    while True:
        if outcome is None:
            if not tally.allows(target, wait):
                return answered
            asked = Round((tally.attempt(target, cause, step, wait=wait, feedback=feedback),))
            outcomes = yield asked
            (place,) = tally.record(asked, outcomes)
            outcome = tally.settle(place, target)
        answered = answered or outcome.ok
        if tally.ended:
            return answered
        if outcome.ok and outcome.feedback and retries:
            retries, feedback, cause = retries - 1, outcome.feedback, "retry"
        elif outcome.spare > 0 and outcome.error in ELSEWHERE:
            cause = "fallback"
        else:
            return answered
        wait, outcome = 0.0, None


def _race(tally: Tally, step: Step, first: Target, second: Target) -> Asking:
    """Two targets, the second after a while; each that lost or failed of itself may then be asked again as any other."""
    answered = False
    for target, outcome in (yield from hedged(tally, step, first, second)):
        if not tally.ended:
            answered = (yield from ask(tally, step, target, "fallback", outcome=outcome)) or answered
    return answered
