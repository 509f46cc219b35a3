"""Under load, a share of the interactive traffic moves to models that have room, within what the task tolerates."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence

from tierline.routing.belief import Candidate
from tierline.routing.draws import LOAD, draw_for
from tierline.routing.eligibility import BACKGROUND
from tierline.routing.question import Question
from tierline.routing.selection import Choice, Field
from tierline.types.decision import Reason, Why

_EXPECTED: Callable[[Candidate], float] = operator.attrgetter("expected")
_CALL: Callable[[Candidate], float] = operator.attrgetter("cost")


def shifted(field: Field, question: Question, choice: Choice, reasons: list[Reason]) -> Choice:
    """The choice, or the best one below it that has room.

    Every model turns away the requests whose draw lies below its pressure. A request that its model turns away goes to the best of those
    that are no dearer, take it, and miss the bar by no more than the tolerance; with `by_difficulty`, to the cheapest of the next
    rung down whose ceiling the difficulty passes by no more than that. Where nobody below takes it, it stays. Weighted choices stay
    always: their shares were asked for."""
    pressure = question.view.pressure
    high = pressure.get(field.fleet.names[choice.candidate.index], 0.0)
    if not high or field.route.select == "weighted" or (question.latency_budget or 0.0) >= BACKGROUND:
        return choice
    tolerance = field.route.tolerance if question.task.tolerance is None else question.task.tolerance
    by_rung = field.route.select == "by_difficulty"
    below, limit = _rung_below(field, choice, tolerance) if by_rung else _no_dearer(field, question, choice, tolerance)
    point, upper = draw_for(field.features.draw, LOAD), high
    for candidate in below:
        name = field.fleet.names[candidate.index]
        low = pressure.get(name, 0.0)
        if low <= point < upper:
            value = field.difficulty if by_rung else candidate.quality
            reasons.append(Reason(Why.LOAD_SHIFTED, name, value, limit))
            return Choice(candidate, reasons[-1], choice.propensity * (upper - low), abs(value - limit))
        upper = min(upper, low)
    return Choice(choice.candidate, choice.reason, choice.propensity * (1.0 - high + upper), choice.margin)


def _no_dearer(field: Field, question: Question, choice: Choice, tolerance: float) -> tuple[Sequence[Candidate], float]:
    """Those that cost no more than the chosen one and clear the lowered bar, the best first.

    What a call costs is compared; where checks catch bad answers, what the whole chain is expected to cost. (So raising the bar still
    never picks a model believed worse.)"""
    floor, chosen = field.bar - tolerance, choice.candidate
    cost = _EXPECTED if question.checks.names else _CALL
    below = [c for c in field.candidates if c.index != chosen.index and c.quality >= floor and cost(c) <= cost(chosen)]
    return sorted(below, key=lambda c: (-c.quality, c.expected)), floor


def _rung_below(field: Field, choice: Choice, tolerance: float) -> tuple[Sequence[Candidate], float]:
    """The next rung down that has anybody, cheapest first, where its ceiling nearly takes the difficulty."""
    level = field.fleet.level
    here = level[choice.candidate.index]
    rung = max((level[c.index] for c in field.candidates if level[c.index] < here), default=None)
    limit = -math.inf if rung is None else field.route.ceilings[rung] + tolerance
    if rung is None or field.difficulty > limit:
        return (), limit
    return sorted([c for c in field.candidates if level[c.index] == rung], key=lambda c: c.expected), limit
