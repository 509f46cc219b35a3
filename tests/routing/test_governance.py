"""The laws of governance, over any rules and any request."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierline.routing.governance import redactions, refusing
from tierline.routing.reach import reach
from tierline.routing.router import Router
from tierline.testing import builders
from tierline.testing.builders import FLEET, features
from tierline.types.decision import Decision, Drop, Why
from tierline.types.scores import NO_SCORES
from tierline.types.view import NO_VIEW, View

MODELS = tuple(FLEET)
COMBINE = {"models": ["mini", "local"], "by": "judge", "judge": "opus", "else": "sonnet"}
KINDS = ("email", "iban", "secret")
whens = st.sampled_from(["true", "sensitivity.email", "sensitivity.pii", "risk == 'high'", "task == 'high'", "'vip' in tags", "turns > 3"])
effects = st.one_of(
    st.fixed_dictionaries({"allow": st.fixed_dictionaries({"models": st.lists(st.sampled_from(MODELS), min_size=1)})}),
    st.just({"allow": {"residency": "on_prem"}}),
    st.fixed_dictionaries({"redact": st.lists(st.sampled_from(KINDS), min_size=1)}),
    st.just({"refuse": True}),
)
rules = st.builds(lambda when, effect: {"when": when, "why": "x", **effect}, whens, effects)
hints = st.fixed_dictionaries(
    {
        "risk": st.sampled_from(["", "high"]),
        "tags": st.sampled_from([(), ("vip",)]),
        "task": st.sampled_from(["", "high", "low"]),
        "model": st.sampled_from(["", "", "", *MODELS]),
        "tier": st.sampled_from(["", "", "fast", "best"]),
    }
)
sensitivities = st.sampled_from([(), ("email", "pii"), ("iban", "pii"), ("email", "iban", "pii", "secret", "unscanned")])
requests = st.builds(
    features, st.floats(0, 1), sensitivity=sensitivities, redacted=st.sampled_from([(), ("email",)]), turns=st.integers(1, 6), hints=hints
)


def spec(governance: dict[str, Any]) -> dict[str, Any]:
    return {
        "tasks": {"high": {"why": "x", "models": ["mini", "sonnet"], "fallback": ["opus"], "risk": "high"}, "low": {"why": "x"}},
        "routes": {
            "auto": {"combine": {"models": ["mini", "local"], "by": "judge", "judge": "opus", "else": "sonnet"}, "hedge": {"after": "1s"}}
        },
        "governance": {"detect": ["email", "iban", "secret"], **governance},
    }


def allowed(router: Router, decision: Decision, about: Any) -> set[str]:
    """The models that every rule which holds leaves standing, by the rules' own words."""
    task = router.policy.tasks.get(decision.task)
    risk = about.hints.risk or ("" if task is None else task.risk)
    left = set(MODELS)
    written = router.loaded.spec.governance.rules
    for number in router.policy.governance.rules.holding(about, decision.task, risk):
        rule = written[number]
        left -= {name for name in MODELS if rule.allow.models and name not in rule.allow.models}
        left -= {name for name in MODELS if rule.allow.residency and FLEET[name].get("residency", "") != rule.allow.residency}
        if rule.refuse or (rule.redact and "unscanned" in about.sensitivity):
            left.clear()
    return left


@given(st.lists(rules, max_size=4), requests)
def test_nobody_whom_a_rule_forbids_has_any_part_in_a_decision(written: list[dict[str, Any]], about: Any) -> None:
    router = builders.router(spec({"rules": written, "safety_model": "opus"}))
    decision = router.decide(about, NO_SCORES, NO_VIEW)
    part = {target for step in decision.steps for target in step.targets} | ({decision.refusals} - {""})
    part |= {decision.combine.judge} - {""} if decision.combine is not None else set()
    assert part <= allowed(router, decision, about)
    assert reach(router.policy, about, decision.task) <= allowed(router, decision, about)


@given(st.lists(rules, max_size=4), requests)
def test_a_decision_says_that_governance_forced_it_exactly_where_another_would_have_been_asked(
    written: list[dict[str, Any]], about: Any
) -> None:
    router, free = builders.router(spec({"rules": written})), builders.router(spec({}))
    decision, other = router.decide(about, NO_SCORES, NO_VIEW), free.decide(about, NO_SCORES, NO_VIEW)
    said = [reason.subject for reason in decision.reasons if reason.why == Why.GOVERNANCE_FORCED]
    moved = decision.target != other.target and refusing(decision) is None
    assert said == ([other.target] if moved and other.target else [])
    assert not said or any(fallen.why == Drop.GOVERNANCE for fallen in decision.dropped)


@given(st.lists(rules, max_size=4), requests)
def test_what_a_decision_read_decides_it_again(written: list[dict[str, Any]], about: Any) -> None:
    router = builders.router(spec({"rules": written}))
    view = View(resting={"mini": 3.0}, load={"opus": 2})
    decision = router.decide(about, NO_SCORES, view)
    assert router.decide(about, NO_SCORES, router.seen(about, decision, view)) == decision


@given(requests)
def test_while_the_task_is_open_everything_is_replaced_that_any_task_wants_replaced(about: Any) -> None:
    router = builders.router(spec({"rules": [{"when": "task == 'high'", "redact": ["email"], "why": "x"}]}))
    assert redactions(router.policy, about, None) == {"email"}
    assert redactions(router.policy, about, "high") == {"email"} and redactions(router.policy, about, "low") == frozenset()


def test_a_refusal_is_judged_by_what_the_request_came_with() -> None:
    router = builders.router(spec({"rules": [{"when": "sensitivity.email", "refuse": True, "why": "x"}]}))
    decision = router.decide(features(0.1, redacted=("email",)), NO_SCORES, NO_VIEW)
    assert (decision.target, refusing(decision)) == ("", 0)


def test_what_is_replaced_is_a_reason_of_the_decision() -> None:
    router = builders.router(spec({}))
    decision = router.decide(features(0.1, redacted=("email", "iban")), NO_SCORES, NO_VIEW)
    assert [reason.subject for reason in decision.reasons if reason.why == Why.REDACTED] == ["email, iban"]


@pytest.mark.parametrize(("allow", "left"), [({"providers": ["inhouse"]}, "local"), ({"tiers": ["best"]}, "opus")])
def test_a_rule_allows_by_provider_and_by_tier(allow: dict[str, Any], left: str) -> None:
    router = builders.router({"governance": {"rules": [{"when": "true", "allow": allow, "why": "x"}]}})
    assert router.decide(features(0.1), NO_SCORES, NO_VIEW).target == left


def test_the_safety_model_of_governance_stands_in_where_a_route_names_none() -> None:
    body = {"routes": {"auto": {}, "own": {"cascade": {"on_refusal": "sonnet"}}}, "governance": {"safety_model": "opus"}}
    router = builders.router(body)
    assert router.decide(features(0.1), NO_SCORES, NO_VIEW).refusals == "opus"
    assert router.decide(features(0.1, route="own"), NO_SCORES, NO_VIEW).refusals == "sonnet"
