"""Whom a request may be shown to, whatever it is asked for."""

from __future__ import annotations

from tierline.routing.reach import reach
from tierline.testing.builders import FLEET, features, router
from tierline.types.access import Key

EVERYBODY = frozenset(FLEET)


def test_without_rules_and_limits_it_is_everybody() -> None:
    assert reach(router().policy, features(), "") == EVERYBODY


def test_governance_and_the_key_hold_for_every_call_made_for_a_request() -> None:
    rules = [{"when": "risk == 'high'", "allow": {"residency": "on_prem"}, "why": "in house"}]
    spec = {"governance": {"rules": rules}, "tasks": {"legal": {"why": "x", "risk": "high"}}}
    keys = {b"digest": Key("small", models=frozenset({"mini", "sonnet"}))}
    policy = router(spec, keys=keys).policy
    assert reach(policy, features(key="small"), "") == {"mini", "sonnet"}
    assert reach(policy, features(), "legal") == {"local"}
    assert reach(policy, features(key="small"), "legal") == frozenset()
