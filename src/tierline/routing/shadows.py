"""Who answers beside, unseen: drawn by the request's own number, and never a model that could not have been given the request."""

from __future__ import annotations

from tierline.routing.draws import SHADOW, draw_for
from tierline.routing.eligibility import bits, eligible
from tierline.routing.policy import Policy
from tierline.routing.question import Question
from tierline.types.view import NO_VIEW


def shadows(policy: Policy, question: Question, target: str, also: int = 0) -> tuple[str, ...]:
    """The names of the models that answer beside `target`, the model asked first; `also` is the mask of those that an experiment wants.

    It depends on the request and the spec alone: how the models stand at the moment is looked at when they are called. A request that is
    drawn is drawn for all of them, so that they can be compared on the same requests."""
    said, features = question.route.shadow, question.features
    if said is None or not target or draw_for(features.draw, SHADOW) >= said.share:
        return ()
    wanted = also | (said.models if not said.tasks or question.task.name in said.tasks else 0)
    wanted &= ~(1 << policy.fleet.index[target])
    if not wanted or features.operation == "embedding" or (features.sensitivity and not said.sensitive):
        return ()
    able = eligible(
        policy, features, NO_VIEW, wanted, task=question.task.name, risk=question.risk, latency_budget=None, max_cost=None, costs={}
    )
    return tuple([policy.fleet.names[at] for at in bits(able.mask)])
