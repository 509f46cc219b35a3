"""One request on its way to a decision: what is known of it, what was settled, what limits it."""

from __future__ import annotations

import msgspec

from tierline.routing.pace import capped, paced
from tierline.routing.policy import NO_CHECKS, Checks, Policy, RoutePolicy, TaskPolicy
from tierline.types.decision import Reason, Settled, Why
from tierline.types.features import Features
from tierline.types.scores import Scores
from tierline.types.view import View

FAR_OFF = 4
"""By what factor an estimate of tokens may be off before nobody would call it one."""


class Question(msgspec.Struct, frozen=True, gc=False):
    """Everything a decision is made from. `difficulty` is in [0, 1], `bar` the pass rate to clear, `latency_budget` in seconds, `max_cost`
    in USD; `checks` is what an answer must pass; `model` and `tier` are what the client named, empty for a routed request; `unsure`: the
    scorer abstained; `tight`: it might overflow the smallest window, were the estimate of its tokens far off; `token_cap`: the budget that
    caps the tokens of one request, and at how many; `slack`: how far below the bar pace lets a cheaper model be."""

    features: Features
    scores: Scores
    view: View
    route: RoutePolicy
    task: TaskPolicy
    difficulty: float
    bar: float
    risk: str
    latency_budget: float | None
    max_cost: float | None
    checks: Checks
    model: str = ""
    tier: str = ""
    unsure: bool = False
    tight: bool = False
    token_cap: tuple[str, float] | None = None
    slack: float = 0.0

    @property
    def named(self) -> bool:
        """The client named a model or a tier: nothing outside of it may answer."""
        return bool(self.model or self.tier)


def ask(
    policy: Policy, route: RoutePolicy, features: Features, scores: Scores, view: View, settled: Settled | None, reasons: list[Reason]
) -> Question:
    """The question that a request puts; the reasons for its task are added to `reasons`."""
    hints = features.hints
    task = _task(policy, scores, settled, reasons)
    difficulty = features.complexity.score if scores.difficulty is None else scores.difficulty
    model, tier = (settled.model, settled.tier) if settled is not None else ("", "")
    if not task.name and not model and not tier:
        reasons.append(Reason(Why.DIFFICULTY, "", difficulty))
    bar = route.bar if task.bar is None else task.bar
    slack = 0.0
    if view.pace:
        moved = paced(policy, route, task, view, bar, difficulty, reasons)
        bar, difficulty, slack = moved.bar, moved.difficulty, moved.slack
    most, token_cap = capped(policy.caps, features, task.name) if policy.caps else (None, None)
    caps = [cap for cap in (hints.max_cost, route.max_cost, most) if cap is not None]
    return Question(
        features,
        scores,
        view,
        route,
        task,
        difficulty,
        bar,
        hints.risk or task.risk,
        task.latency_budget if hints.latency_budget is None else hints.latency_budget,
        min(caps, default=None),
        _checks(route, task, features),
        model,
        tier,
        unsure=scores.abstained and not task.name,
        tight=(features.input_tokens + features.output_tokens) * FAR_OFF > policy.fleet.smallest_window > 0,
        token_cap=token_cap,
        slack=slack,
    )


def with_task(question: Question, task: TaskPolicy) -> Question:
    """The same question with other settings of its task."""
    return msgspec.structs.replace(
        question,
        task=task,
        bar=question.route.bar if task.bar is None else task.bar,
        latency_budget=task.latency_budget if question.features.hints.latency_budget is None else question.features.hints.latency_budget,
        checks=_checks(question.route, task, question.features),
    )


def _checks(route: RoutePolicy, task: TaskPolicy, features: Features) -> Checks:
    return NO_CHECKS if features.operation == "embedding" else task.checks if task.checks.names else route.checks


def _task(policy: Policy, scores: Scores, settled: Settled | None, reasons: list[Reason]) -> TaskPolicy:
    if settled is not None:
        if settled.reason is not None:
            reasons.append(settled.reason)
        return policy.tasks.get(settled.task, policy.open_task)
    if scores.task:
        name = max(scores.task, key=lambda task: (scores.task[task], task))
        if not scores.abstained and name in policy.tasks:
            reasons.append(Reason(Why.TASK_ASKED if scores.asked else Why.TASK_SCORED, name, scores.task[name]))
            return policy.tasks[name]
        reasons.append(Reason(Why.TASK_UNSURE, name, scores.task[name]))
    if scores.asked:
        reasons.append(Reason(Why.ASKED_IN_VAIN, scores.asked))
    return policy.open_task
