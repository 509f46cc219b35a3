"""How a decision is carried out, as a generator that never calls anybody.

It yields rounds of attempts and is sent their outcomes; it knows how long they took and what they cost only from those. The live
gateway, a replay and a simulation drive this same generator.

    pursue ── step by step ──► in_turn    one target after another, until one answers
           ── first step  ───► combine    its targets side by side, and one answer out of theirs
           ── nobody left ───► again      those that failed for a passing reason, after a rest
"""

from __future__ import annotations

from tierline.routing.pursuit.again import again
from tierline.routing.pursuit.asking import Course, in_turn
from tierline.routing.pursuit.combine import combine, fits
from tierline.routing.pursuit.tally import Tally
from tierline.types.decision import Decision

__all__ = ["Course", "pursue"]


def pursue(decision: Decision, spent: float = 0.0, cost: float = 0.0) -> Course:
    """The course of one request: rounds out, outcomes in, a result at the end. `spent` seconds and `cost` USD are gone before it begins.

    A step's next target is a fallback, asked when the provider failed; the next step is an escalation, taken when the answer was not
    accepted, or a further fallback when nobody on the step answered. When nobody is left, those that failed for a passing reason are
    asked again. The course ends within the decision's attempts, deadline and cost cap; a failure that is the client's own ends it at
    once. When nothing was accepted, the best answer there was is returned, flagged."""
    tally = Tally(decision, spent, cost)
    for tally.step, step in enumerate(decision.steps):
        if step.lower and tally.best is not None:
            break
        if tally.step == 0 and decision.combine is not None and fits(tally, step):
            yield from combine(tally, step, decision.combine)
        else:
            yield from in_turn(tally, step)
        if tally.ended:
            break
    if not tally.ended and tally.resting:
        yield from again(tally)
    return tally.result()
