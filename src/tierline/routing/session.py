"""A session and the model whose prompt cache it has warmed: staying, and when to leave."""

from __future__ import annotations

from tierline.routing.belief import Candidate
from tierline.routing.policy import Policy
from tierline.routing.question import Question
from tierline.routing.scope import Scope, standing_in
from tierline.routing.selection import Choice, Field
from tierline.types.decision import Reason, Why

CACHED = 0.8
"""Share of the input that is taken to be in the warm cache: all but the last turn, by and large."""


def held(policy: Policy, question: Question, scope: Scope) -> Scope:
    """In the middle of a tool loop, or across reasoning that is sealed for one model, the session's model is kept, whoever else was
    meant to answer. What a client named stands above that, and a model that cannot serve now is left."""
    warm, features = question.view.warm, question.features
    if not warm or question.named or not (features.tool_loop or features.sealed) or warm not in policy.fleet.index:
        return scope
    only = 1 << policy.fleet.index[warm]
    standing = standing_in(policy, question, only, whole=False)
    if not standing.mask or standing.lifted:
        return scope
    return Scope(only, scope.wider | only, scope.order, held=True)


def kept(field: Field, choice: Choice, reasons: list[Reason]) -> Choice | None:
    """The session's model, where it clears the bar and staying is not too dear; else None, and the choice is free."""
    fleet, warm = field.fleet, field.view.warm
    if not warm or not field.route.sticky:
        return None
    if fleet.names[choice.candidate.index] == warm:
        return choice
    candidate = next((c for c in field.candidates if fleet.names[c.index] == warm), None)
    if candidate is None or candidate.quality < field.bar:
        value = None if candidate is None else candidate.quality
        reasons.append(Reason(Why.SESSION_LEFT, warm, value, field.bar))
        return None
    limit = (1.0 + field.route.premium) * choice.candidate.expected
    staying = staying_costs(field, candidate)
    if staying > limit:
        reasons.append(Reason(Why.SESSION_LEFT, warm, staying, limit))
        return None
    reasons.append(Reason(Why.SESSION_KEPT, warm, staying, limit))
    return Choice(candidate, reasons[-1])


def staying_costs(field: Field, candidate: Candidate) -> float:
    """Expected USD of the warm model: as for anybody, less what the cached part of the input saves.

    expected − CACHED · input tokens · token scale · (input price − cache-read price)"""
    features, fleet, index = field.features, field.fleet, candidate.index
    scale = field.view.token_scale.get(fleet.names[index], 1.0)
    return candidate.expected - CACHED * features.input_tokens * scale * fleet.saved[index]
