"""Experiments at work: which of them run, the shares that their arms have now, and what a request takes with it to another spec."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from tierline.config.experiments import definition_of
from tierline.config.loaded import Loaded
from tierline.gateway.weighed import Weighed
from tierline.ledger.ledger import Ledger
from tierline.routing.experiments import NONE, experiment_of, shares_of
from tierline.routing.policy import Policy

WHO = "tierline"
"""Who does what nobody asked for, in the audit trail."""


class Given(msgspec.Struct, frozen=True):
    """The arm that a request has already, with the shares of those it was drawn from, and the id that it keeps."""

    arm: str
    shares: Mapping[str, float]
    id: str = ""


def to_another_spec(policy: Policy, weighed: Weighed) -> Given:
    """What a request takes with it to the spec of its arm."""
    decision = weighed.decision
    experiment = experiment_of(policy, decision.task, decision.route)
    shares = {} if experiment is None else shares_of(experiment, weighed.view.arms)
    return Given(decision.arm, {arm: share for arm, share in shares.items() if arm}, decision.request_id)


def kept(weighed: Weighed) -> Given:
    """The arm that a request had when it came, for deciding on it anew."""
    return Given(weighed.decision.arm or NONE, weighed.view.arms, weighed.request.id)


def begin(ledger: Ledger, loaded: Loaded) -> None:
    """Let the experiments of a spec run that is about to be put to work."""
    for name, experiment in loaded.spec.experiments.items():
        if experiment.arms:
            ledger.arms.begin(name, definition_of(name, experiment, loaded), tuple(sorted(experiment.arms)), WHO)


def shares_now(ledger: Ledger) -> dict[str, float]:
    """`<experiment>/<arm>` → its share where that is another than the spec's: 0 for an arm that was stopped."""
    return {f"{entry.experiment}/{entry.arm}": entry.share for entry in ledger.arms.now() if entry.share is not None}
