"""Explanations that a person can read."""

from __future__ import annotations

from hypothesis import given

from routing.worlds import beliefs, requests, routers, views
from tierline.routing.explain import explain, short
from tierline.routing.router import Router
from tierline.testing.builders import features, router
from tierline.types.features import Features
from tierline.types.scores import NO_SCORES, Scores
from tierline.types.view import NO_VIEW, View


def test_a_rule_is_explained_with_its_own_why() -> None:
    built = router({"routes": {"auto": {"rules": [{"when": "turns > 0", "use": "best", "why": "an upset customer gets our best"}]}}})
    request = features()
    told = explain(built, request, NO_SCORES, NO_VIEW, built.decide(request, NO_SCORES, NO_VIEW))
    assert any("an upset customer gets our best" in sentence for sentence in told.sentences)


def test_the_smallest_harder_request_that_flips_the_choice_is_named() -> None:
    built = router({"routes": {"auto": {"difficulty": {"fast": 0.35, "balanced": 0.7}}}})
    request = features(0.2)
    told = explain(built, request, NO_SCORES, NO_VIEW, built.decide(request, NO_SCORES, NO_VIEW))
    assert any("difficulty 0.36 instead of 0.20" in flip and "sonnet" in flip for flip in told.flips)


def test_the_pass_rate_that_would_have_let_a_cheaper_model_answer_is_named() -> None:
    task = {"why": "w", "models": ["mini", "sonnet"], "quality_bar": 0.97, "quality": {"mini": 0.96, "sonnet": 0.99}}
    built = router({"tasks": {"orders": task}})
    request = features(hints={"task": "orders"})
    told = explain(built, request, NO_SCORES, NO_VIEW, built.decide(request, NO_SCORES, NO_VIEW))
    assert any("Had mini passed 97.0%" in flip and "96.0%" in flip for flip in told.flips)


@given(routers(), requests(), beliefs(), views())
def test_every_decision_can_be_explained(router: Router, request: Features, scores: Scores, view: View) -> None:
    decision = router.decide(request, scores, view)
    told = explain(router, request, scores, view, decision)
    assert all(sentence.endswith(".") for sentence in told.sentences)
    assert len(told.sentences) > len(decision.dropped)
    for dropped in decision.dropped:
        assert any(sentence.startswith(dropped.model) for sentence in told.sentences)
    assert short(decision).isascii() or decision.task
