"""What is decided before any scorer is asked: a named model or tier, a given task, a task rule."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from tierline.routing.policy import Policy, RoutePolicy
from tierline.types.decision import Reason, Settled, Why
from tierline.types.errors import BadRequest
from tierline.types.features import Features


def settle(policy: Policy, route: RoutePolicy, features: Features) -> Settled | None:
    """What holds without a scorer; None leaves the task open. Raises BadRequest for a hint that names an unknown task, tier or model."""
    hints = features.hints
    task, reason = _task(policy, route, features)
    if hints.model:
        _known(hints.model, policy.fleet.index, "model")
        return Settled(task=task, model=hints.model, reason=reason)
    if hints.tier:
        _known(hints.tier, policy.fleet.tiers, "tier")
        return Settled(task=task, tier=hints.tier, reason=reason)
    return Settled(task=task, reason=reason) if task else None


def _task(policy: Policy, route: RoutePolicy, features: Features) -> tuple[str, Reason | None]:
    given = features.hints.task
    if given:
        _known(given, policy.tasks, "task")
        return given, Reason(Why.TASK_GIVEN, given)
    fixed = features.key_task or policy.key_tasks.get(features.key, "") or route.task
    if fixed:
        return fixed, Reason(Why.TASK_GIVEN, fixed)
    if route.task_rule_targets:
        found = route.task_rules.first(features, "", features.hints.risk)
        if found >= 0:
            number, task = route.task_rule_targets[found]
            return task, Reason(Why.TASK_RULE, task, float(number))
    return "", None


def _known(name: str, names: Iterable[str], what: str) -> None:
    known = list(names)
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known[:12]) or 'none'}"
        raise BadRequest(f"{what} {name[:100]!r} is not in the spec; {hint}", param=f"x-tierline-{what}")
