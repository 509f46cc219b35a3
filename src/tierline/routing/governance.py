"""What the governance rules make of a request: who may be shown it, what is replaced in it first, and whether it is refused.

Models are chosen by what is left in the text: a rule that asks for e-mail addresses and has them replaced holds no more once they are.
Whether a request is refused is judged by what it came with.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from tierline.routing.policy import Policy
from tierline.types.decision import Decision, Drop, Dropped, Reason, Why
from tierline.types.features import Features
from tierline.types.sensitivity import UNSCANNED, with_pii


def bounds(policy: Policy, features: Features, task: str, risk: str) -> Iterator[tuple[int, int]]:
    """The number of every rule that holds, and the mask of the models that it leaves standing."""
    governance = policy.governance
    masks = governance.closed if UNSCANNED in features.sensitivity else governance.allowed
    for number in governance.rules.holding(features, task, risk):
        yield number, masks[number]
    if features.redacted and governance.refuses:
        was = with_pii((*features.sensitivity, *features.redacted), governance.own)
        before = msgspec.structs.replace(features, sensitivity=was, redacted=())
        for number in governance.rules.holding(before, task, risk):
            if number in governance.refuses:
                yield number, 0


def in_force(policy: Policy, features: Features, task: str) -> frozenset[int]:
    """The numbers of the rules that hold for a request of that task."""
    known = policy.tasks.get(task)
    risk = features.hints.risk or ("" if known is None else known.risk)
    return frozenset([number for number, _ in bounds(policy, features, task, risk)])


def redactions(policy: Policy, features: Features, task: str | None) -> frozenset[str]:
    """The kinds that must be replaced in the text of this request before anybody sees it. Where the task is still open (None), whatever
    would be replaced for any task is."""
    governance, wanted = policy.governance, set[str]()
    if not any(governance.redact):
        return frozenset()
    tasks = ("", *policy.tasks) if task is None else (task,)
    for name in tasks:
        known = policy.tasks.get(name)
        risk = features.hints.risk or ("" if known is None else known.risk)
        for number in governance.rules.holding(features, name, risk):
            wanted |= governance.redact[number]
    return frozenset(wanted)


def told(policy: Policy, free_target: str, target: str, dropped: Sequence[Dropped]) -> Iterator[Reason]:
    """The reasons that governance adds to a decision in which it dropped somebody: the rule that refuses, or the model that would have been
    asked first without it."""
    numbers = dict.fromkeys(int(fallen.subject) for fallen in dropped if fallen.why == Drop.GOVERNANCE)
    refusing = next((number for number in numbers if number in policy.governance.refuses), None)
    if refusing is None and not target:
        refusing = next((number for number in numbers if not policy.governance.closed[number]), None)
    if refusing is not None:
        yield Reason(Why.GOVERNANCE_REFUSED, str(refusing), float(refusing))
    elif free_target and free_target != target:
        yield Reason(Why.GOVERNANCE_FORCED, free_target)


def refusing(decision: Decision) -> int | None:
    """The number of the rule under which nobody may answer this request; None where there is none."""
    if decision.steps:
        return None
    return next((int(reason.value or 0) for reason in decision.reasons if reason.why == Why.GOVERNANCE_REFUSED), None)
