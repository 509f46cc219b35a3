"""Who answers beside, unseen: drawn by the request's own number, and never a model that could not have been given the request."""

from __future__ import annotations

from tierline.routing.draws import SHADOW, draw_for
from tierline.routing.eligibility import bits, eligible
from tierline.routing.policy import Policy, ShadowPolicy
from tierline.routing.question import Question
from tierline.types.view import NO_VIEW


def shadows(policy: Policy, said: ShadowPolicy, question: Question, target: str) -> tuple[str, ...]:
    """The names of the models that answer beside `target`, the model asked first.

    It depends on the request and the spec alone: how the models stand at the moment is looked at when they are called. A request that is
    drawn is drawn for all of them, so that they can be compared on the same requests."""
    features, task = question.features, question.task.name
    if draw_for(features.draw, SHADOW) >= said.share or features.operation == "embedding":
        return ()
    if features.sensitivity and not said.sensitive:
        return ()
    mask = 0
    for models, tasks in said.wanted:
        if not tasks or task in tasks:
            mask |= models
    mask &= ~(1 << policy.fleet.index[target])
    if not mask:
        return ()
    able = eligible(policy, features, NO_VIEW, mask, task=task, risk=question.risk, latency_budget=None, max_cost=None, costs={})
    return tuple([policy.fleet.names[at] for at in bits(able.mask)])
