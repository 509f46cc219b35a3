"""How a decision is carried out, as a generator that never calls anybody.

It yields rounds of attempts and is sent their outcomes; it knows how long they took and what they cost only from those. The live
gateway, a replay and a simulation drive this same generator.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Literal

from tierline.types.decision import Attempt, Cause, Decision, Round
from tierline.types.outcome import Outcome, Result

Course = Generator[Round, tuple[Outcome, ...], Result]

_FINAL: dict[str, Literal["bad_request", "cancelled"]] = {"bad_request": "bad_request", "cancelled": "cancelled"}


def pursue(decision: Decision) -> Course:
    """The course of one request: rounds out, outcomes in, a result at the end.

    A step's next target is a fallback, tried when the provider failed; the next step is an escalation, taken when the answer was not
    accepted, or a further fallback when nobody on the step answered. The course ends within the decision's attempts, deadline and cost
    cap; a failure that is the client's own, or a client that went away, ends it at once, and so does a stream that broke after its
    first content: what the client has seen of it is the answer, truncated. When nothing was accepted, the last
    answer there was is returned, flagged: it came from the highest step reached."""
    tried: list[tuple[Attempt, Outcome]] = []
    failed: set[str] = set()
    best: int | None = None
    cause: Cause = "first"
    left, spent = decision.deadline, 0.0
    for step in decision.steps:
        for target, cost in zip(step.targets, step.costs or (0.0,) * len(step.targets), strict=True):
            if target in failed:
                continue
            stopped = _limit(decision, len(tried), left, spent + cost)
            if stopped:
                return Result(tuple(tried), best, flagged=best is not None, stopped=stopped)
            attempt = Attempt(len(tried) + 1, target, cause, step.validators, left)
            (outcome,) = yield Round((attempt,))
            tried.append((attempt, outcome))
            left -= outcome.elapsed
            spent += outcome.cost
            if outcome.accepted:
                return Result(tuple(tried), len(tried) - 1)
            if outcome.ok:
                best, cause = len(tried) - 1, "escalation"
                break
            if outcome.error == "cut":
                return Result(tuple(tried), len(tried) - 1, truncated=True)
            if outcome.error in _FINAL:
                return Result(tuple(tried), best, flagged=best is not None, stopped=_FINAL[outcome.error])
            failed.add(target)
            cause = "fallback"
    return Result(tuple(tried), best, flagged=best is not None)


def _limit(decision: Decision, attempts: int, left: float, cost: float) -> Literal["", "deadline", "max_cost", "max_attempts"]:
    """Which limit forbids one more attempt, if any. The first attempt is the decision's own and always allowed."""
    if attempts == 0:
        return ""
    if attempts >= decision.max_attempts:
        return "max_attempts"
    if left <= 0:
        return "deadline"
    if decision.max_cost is not None and cost > decision.max_cost:
        return "max_cost"
    return ""
