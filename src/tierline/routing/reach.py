"""Whom a request may be shown to at all, whatever it is asked for: a validator's or a judge's model sees it too."""

from __future__ import annotations

from tierline.routing.eligibility import bits, of_key
from tierline.routing.governance import bounds
from tierline.routing.policy import Policy
from tierline.types.features import Features


def reach(policy: Policy, features: Features, task: str) -> frozenset[str]:
    """The names of the models that the request's key may use and that every governance rule which holds leaves standing."""
    fleet = policy.fleet
    known = policy.tasks.get(task)
    allowed = of_key(policy, features)
    mask = fleet.everyone if allowed is None else allowed
    for _, left in bounds(policy, features, task, features.hints.risk or ("" if known is None else known.risk)):
        mask &= left
    return frozenset([fleet.models[at].name for at in bits(mask)])
