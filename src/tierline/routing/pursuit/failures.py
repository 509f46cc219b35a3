"""What follows from each way in which a provider fails.

ends the course       bad_request · cancelled · deadline, and a stream that broke after the client has seen its beginning
another endpoint      connect · timeout · server · overloaded · rate_limited · auth: the same model elsewhere, where there is a spare one
another model         every other class; context_exceeded one with a larger window, content_filter the one named for it
asked again           what passes: connect · timeout · server · overloaded · rate_limited · malformed · idle, when nobody else is left
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from tierline.types.decision import Decision
from tierline.types.outcome import ErrorClass, Outcome

Stopped = Literal["", "deadline", "max_cost", "max_attempts", "bad_request", "cancelled"]

FINAL: Mapping[ErrorClass, Stopped] = {"bad_request": "bad_request", "cancelled": "cancelled", "deadline": "deadline"}
"""No other model could mend it."""

ELSEWHERE: frozenset[ErrorClass] = frozenset({"connect", "timeout", "server", "overloaded", "rate_limited", "auth"})
"""Another endpoint or key of the same model may not share it."""

PASSING: frozenset[ErrorClass] = frozenset({"connect", "timeout", "server", "overloaded", "rate_limited", "malformed", "idle", "cut"})
"""May be gone in a moment."""


def broken_off(decision: Decision, outcome: Outcome) -> bool:
    """The stream broke after the client had seen its first content: what was seen is the answer, for nothing can be put in its place.

    A buffered stream has shown nothing yet, so another model may still answer."""
    if decision.stream == "buffered":
        return False
    return outcome.error == "cut" or (outcome.error == "idle" and outcome.ttft is not None)
