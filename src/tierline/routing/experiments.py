"""Which arm of an experiment a request takes part in, and what that means for its question.

What somebody has decided stands above chance: a request whose client named a model or a tier, whose route is pinned, which a model rule
decides, or which is in the middle of a tool loop with another model than the arm's, takes no part where arms name models. Neither does
one that some arm could not serve (governance, key, capability, window, price, outage), whichever arm it would have drawn: so the arms
are asked the same kind of request, nothing is ever sent across governance, and the shares are the propensities.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import msgspec

from tierline.routing.draws import draw_for, draw_of
from tierline.routing.policy import ArmPolicy, ExperimentPolicy, Fleet, Policy
from tierline.routing.question import Question, with_task
from tierline.routing.scope import Scope, standing_in
from tierline.types.decision import Reason, Why
from tierline.types.features import Features
from tierline.types.view import View

NONE = "-"
"""As `View.assigned`: the request takes part in no experiment."""

_HALF = 2.0**-54


class Part(msgspec.Struct, frozen=True):
    """The part that a request takes: the `name` of its arm, "" for none, and the share with which it was drawn; `arm` where it is one of
    this spec's. `shares` are those of every arm of its `experiment`, and of "" for none, where one of them was drawn."""

    name: str = ""
    share: float = 1.0
    arm: ArmPolicy | None = None
    shares: Mapping[str, float] = {}
    experiment: ExperimentPolicy | None = None


NO_PART = Part()


def part_of(policy: Policy, question: Question, scope: Scope, reasons: list[Reason]) -> Part:
    """The part that a question takes in the first experiment that is about it; `scope` is whom it would go to without any."""
    view, given = question.view, question.view.assigned
    if _drawn_elsewhere(policy, given):
        reasons.append(Reason(Why.ARM, given, view.arms.get(given, 1.0)))
        return Part(given, view.arms.get(given, 1.0))
    experiment = experiment_of(policy, question.task.name, question.route.name)
    if experiment is None or question.named or scope.pinned:
        return NO_PART
    shares = shares_of(experiment, view.arms)
    if experiment.mask and (scope.ruled or not _can_serve(policy, question, experiment, shares, reasons)):
        return NO_PART
    name = given or drawn(experiment, shares, question.features)
    arm = next((arm for arm in experiment.arms if arm.name == name), None)
    if arm is None:
        return Part("", shares[""], None, shares, experiment) if shares.get("") else NO_PART
    if scope.held and arm.use is not None and not scope.first & arm.use.mask:
        return NO_PART
    reasons.append(Reason(Why.ARM, arm.name, shares[arm.name]))
    return Part(arm.name, shares[arm.name], arm, shares, experiment)


def experiment_of(policy: Policy, task: str, route: str) -> ExperimentPolicy | None:
    """The first experiment that is about such requests, or None: a request is in one at most."""
    for experiment in policy.experiments:
        if (not experiment.tasks or task in experiment.tasks) and (not experiment.routes or route in experiment.routes):
            return experiment
    return None


def shares_of(experiment: ExperimentPolicy, now: Mapping[str, float]) -> dict[str, float]:
    """Arm → its share at this moment, and "" → that of those who take no part; they add up to one, or are empty where nothing runs.

    `now` has the arms whose share is another than the spec's. What an arm that was stopped leaves, the others take over in
    proportion."""
    weights = {arm.name: now.get(arm.name, arm.share) for arm in experiment.arms}
    if not any(weights.values()):
        return {}
    weights[""] = experiment.rest
    total = math.fsum(weights.values())
    return {name: weight / total for name, weight in weights.items()}


def arms_seen(policy: Policy, task: str, route: str, view: View) -> Mapping[str, float]:
    """The shares that such a request's arm was drawn with, before they are made to add up to one; nothing where no experiment is about
    it. Of an arm that another spec drew they are that spec's."""
    if _drawn_elsewhere(policy, view.assigned):
        return view.arms
    experiment = experiment_of(policy, task, route)
    return {} if experiment is None else {arm.name: view.arms.get(arm.name, arm.share) for arm in experiment.arms}


def _drawn_elsewhere(policy: Policy, given: str) -> bool:
    """Whether a request was given an arm that is none of this spec's."""
    if not given or given == NONE:
        return False
    return not any(arm.name == given for experiment in policy.experiments for arm in experiment.arms)


def drawn(experiment: ExperimentPolicy, shares: Mapping[str, float], features: Features) -> str:
    """The arm of a request, or "" for none; that of its session where it has one.

    Every arm has a number of its own for the request, u, and the smallest −ln(u) / share wins: each arm wins with exactly its share, and
    when a share changes only those requests move that the change concerns. (Rendezvous hashing with weights; the race of exponential
    clocks.)"""
    if not shares:
        return ""
    draw = draw_of(f"{experiment.name}\n{features.key}\n{features.session}") if features.session else features.draw
    best, first = "", math.inf
    for name, salt in (("", experiment.salt), *((arm.name, arm.salt) for arm in experiment.arms)):
        share = shares[name]
        if share > 0:
            at = -math.log(draw_for(draw, salt) + _HALF) / share
            if at < first:
                best, first = name, at
    return best


def within(part: Part, scope: Scope) -> Scope:
    """Whom a question goes to, given its part: the arm's own models, or whom it would go to anyway."""
    use = None if part.arm is None else part.arm.use
    return scope if use is None or scope.held else Scope(use.mask, scope.wider | use.mask, use.order, ruled=True)


def put_anew(part: Part, question: Question) -> Question | None:
    """The question with the task's settings as the arm has them; None where they stay as they are."""
    task = None if part.arm is None else part.arm.tasks.get(question.task.name)
    return None if task is None else with_task(question, task)


def _can_serve(
    policy: Policy, question: Question, experiment: ExperimentPolicy, shares: Mapping[str, float], reasons: list[Reason]
) -> bool:
    """Whether every arm that runs could serve the question; says which could not."""
    standing = standing_in(policy, question, experiment.mask)
    able = 0 if standing.lifted else standing.mask
    for arm in experiment.arms:
        if arm.use is not None and shares.get(arm.name) and not able & arm.use.mask:
            reasons.append(Reason(Why.ARM_LEFT, arm.name))
            return False
    return True


def rivals(part: Part, fleet: Fleet, target: str) -> Iterator[tuple[str, float]]:
    """The other arms, and `NONE`, that may lead to the same first target, with their shares: those that name no models, or name it."""
    experiment = part.experiment
    if experiment is None:
        return
    if part.name and (rest := part.shares.get("", 0.0)):
        yield NONE, rest
    at = fleet.index.get(target, -1)
    for arm in experiment.arms:
        share = part.shares.get(arm.name, 0.0)
        if arm.name != part.name and share and not arm.elsewhere and (arm.use is None or at in arm.use.order):
            yield arm.name, share
