"""Racing a second attempt against a slow first: the first good answer wins, and the loser is paid for."""

from __future__ import annotations

from collections.abc import Generator

from tierline.routing.pursuit.tally import Tally, Target
from tierline.types.decision import Round, Step
from tierline.types.outcome import Outcome


def rival(tally: Tally, step: Step, first: Target) -> Target | None:
    """The target that races the first of the first step; None where nothing is hedged, or where time, money or attempts allow only one."""
    if tally.decision.hedge is None or tally.step or tally.tried or tally.decision.combine is not None:
        return None
    second = next((target for target in tally.standing(step) if target.name != first.name), None)
    if second is None or tally.limit(first.cost + second.cost, calls=2):
        return None
    return second


def hedged(tally: Tally, step: Step, first: Target, second: Target) -> Generator[Round, tuple[Outcome, ...], list[tuple[Target, Outcome]]]:
    """One round of two. Both targets that were started with what came of them, the one that was outraced left out."""
    attempts = (tally.attempt(first, tally.cause, step), tally.attempt(second, "hedge", step, later=1))
    asked = Round(attempts, "first", tally.decision.hedge or 0.0)
    outcomes = yield asked
    places = tally.record(asked, outcomes)
    targets = {first.name: first, second.name: second}
    ended = []
    for place in sorted(places, key=lambda place: not tally.tried[place][1].accepted):
        attempt, outcome = tally.tried[place]
        if outcome.error != "outraced" and not tally.ended:
            ended.append((targets[attempt.target], tally.settle(place, targets[attempt.target])))
    return ended
