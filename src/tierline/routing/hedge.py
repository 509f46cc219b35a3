"""When a second attempt may race a slow first."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tierline.routing.question import Question
from tierline.types.decision import Reason, Step, Why

KNOWN_CALLS = 20
"""Calls from which a model's 95th percentile is worth something."""


def hedge_after(question: Question, steps: Sequence[Step], mode: str, deadline: float, reasons: list[Reason]) -> float | None:
    """Seconds after which the first step's second target is asked too; None where nothing is hedged. `mode` is what becomes of a stream.

    `p95` is the model's own: to the first content where the client reads the stream as it comes, else to the whole answer."""
    after = question.route.hedge
    if after is None or not steps or len(steps[0].targets) < 2:
        return None
    if after == math.inf:
        flows = question.features.stream and mode != "buffered"
        known = (question.view.ttft if flows else question.view.latency).get(steps[0].targets[0])
        if known is None or known.count < KNOWN_CALLS:
            return None
        after = known.p95
    if after >= deadline:
        return None
    reasons.append(Reason(Why.HEDGED, steps[0].targets[1], after))
    return after
