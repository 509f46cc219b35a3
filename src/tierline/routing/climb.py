"""One rung up: because the scorer was unsure, or by chance, so that a replay has evidence about the dearer model."""

from __future__ import annotations

from collections.abc import Sequence

from tierline.routing.belief import Candidate
from tierline.routing.draws import EXPLORE, draw_for
from tierline.routing.selection import Choice, Field
from tierline.types.decision import Reason, Why


def up_when_unsure(field: Field, choice: Choice) -> Choice:
    """What is unsure goes up: to the cheapest of the next rung that clears the bar, or else to the best there."""
    above = _next_rung(field, choice.candidate)
    if not above:
        return choice
    clearing = [c for c in above if c.quality >= field.bar]
    chosen = min(clearing, key=lambda c: c.expected) if clearing else max(above, key=lambda c: c.quality)
    return Choice(chosen, choice.reason, choice.propensity, choice.margin)


def explore(field: Field, choice: Choice, reasons: list[Reason]) -> Choice:
    """With the route's probability the cheapest of the next rung, the propensity recorded either way.

    A weighted choice is evidence enough as it is, and where there is no rung above nothing is left to chance."""
    share = field.route.explore
    if not share or field.route.select == "weighted":
        return choice
    above = _next_rung(field, choice.candidate)
    if not above:
        return choice
    if draw_for(field.features.draw, EXPLORE) >= share:
        return Choice(choice.candidate, choice.reason, choice.propensity * (1.0 - share), choice.margin)
    up = min(above, key=lambda c: c.expected)
    reasons.append(Reason(Why.EXPLORED, field.fleet.models[up.index].name, share))
    return Choice(up, reasons[-1], choice.propensity * share, choice.margin)


def _next_rung(field: Field, chosen: Candidate) -> Sequence[Candidate]:
    level = field.fleet.level
    here = level[chosen.index]
    rung = min((level[c.index] for c in field.candidates if level[c.index] > here), default=None)
    return () if rung is None else [c for c in field.candidates if level[c.index] == rung]
