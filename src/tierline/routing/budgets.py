"""Who can still be paid for: every budget drops those whose call it cannot cover, and one that means `cheapest` at its limit all but the
cheapest there is."""

from __future__ import annotations

import msgspec

from tierline.routing.eligibility import Standing, bits, call_cost
from tierline.routing.pace import concerned
from tierline.routing.policy import Policy
from tierline.routing.question import Question
from tierline.types.decision import Drop, Dropped, Reason, Why
from tierline.types.features import Features


def afforded(policy: Policy, question: Question, standing: Standing, cheapest: int) -> Standing:
    """Those of `standing` whom every budget can pay for. `cheapest` is the mask of the one that budgets which mean so at their limit leave,
    where it stands (0: none is left)."""
    left, dropped = standing.mask, list(standing.dropped)
    for budget, money in concerned(policy.budgets, question.task.name, question.view):
        spared = 0 if budget.hard else cheapest
        for i in bits(left & ~spared):
            name = policy.fleet.names[i]
            most = budget.most(cost_of(policy, question, i), _tokens(question.features)) if budget.of_model(name) else 0.0
            if most > max(money, 0.0):
                dropped.append(Dropped(name, Drop.BUDGET, budget.name, most, money))
                left &= ~(1 << i)
    if question.token_cap is not None and _tokens(question.features) > question.token_cap[1]:
        name, cap = question.token_cap
        dropped.extend(Dropped(policy.fleet.names[i], Drop.BUDGET, name, float(_tokens(question.features)), cap) for i in bits(left))
        left = 0
    return msgspec.structs.replace(standing, mask=left, dropped=tuple(dropped))


def cheapest_of(policy: Policy, question: Question, mask: int) -> int:
    """The mask of the cheapest model of these for one call; the first of the fleet among equals."""
    if not mask:
        return 0
    return 1 << min(bits(mask), key=lambda i: (cost_of(policy, question, i), i))


def cost_of(policy: Policy, question: Question, i: int) -> float:
    """Expected USD of one call to model i, as its step will say."""
    known = question.scores.cost.get(policy.fleet.names[i]) if question.scores.cost else None
    return call_cost(policy.fleet, i, question.features, question.view) if known is None else known


def spent(policy: Policy, standing: Standing) -> Reason | None:
    """The reason why only the cheapest is left, where a budget that means so has dropped anybody."""
    soft = {budget.name for budget in policy.budgets if not budget.hard}
    for fallen in standing.dropped:
        if fallen.why == Drop.BUDGET and fallen.subject in soft:
            return Reason(Why.BUDGET_CHEAPEST, fallen.subject, fallen.limit)
    return None


def _tokens(features: Features) -> int:
    return features.input_tokens + features.output_tokens
