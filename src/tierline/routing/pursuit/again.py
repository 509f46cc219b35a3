"""When nobody is left: those that failed for a passing reason are asked again, after a rest."""

from __future__ import annotations

from collections.abc import Generator

from tierline.routing.draws import BACKOFF, draw_for
from tierline.routing.pursuit.asking import ask
from tierline.routing.pursuit.tally import Tally
from tierline.types.decision import Round
from tierline.types.outcome import Outcome

Again = Generator[Round, tuple[Outcome, ...], None]


def again(tally: Tally) -> Again:
    """As many passes as the decision allows, each over those that still rest, soonest ready first.

    In pass n a target is asked no sooner than backoff · 2ⁿ · (0.5 + jitter) after it failed, and no sooner than its provider wished;
    one that would not be ready within the deadline is not asked."""
    decision = tally.decision
    for number in range(decision.retries):
        rest = decision.backoff * 2**number * (0.5 + draw_for(decision.draw, BACKOFF + number))
        ready = {name: resting.at + max(resting.retry_after, rest) for name, resting in tally.resting.items()}
        for name in sorted(ready, key=lambda name: ready[name]):
            resting = tally.resting[name]
            wait = max(ready[name] - tally.spent, 0.0)
            if wait >= tally.left or not tally.worth(resting):
                continue
            tally.step = resting.step
            yield from ask(tally, decision.steps[resting.step], resting.target, "retry", wait)
            if tally.ended:
                return
