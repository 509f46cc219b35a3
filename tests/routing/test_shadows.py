"""Who answers beside: the laws of the draw."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given

from routing.worlds import beliefs, requests, routers, views
from tierline.routing.draws import EXPLORE, SHADOW, draw_for
from tierline.routing.eligibility import bits, eligible
from tierline.routing.explain import explain
from tierline.routing.reach import reach
from tierline.routing.router import Router
from tierline.testing.builders import features, router
from tierline.types.features import Features
from tierline.types.scores import NO_SCORES, Scores
from tierline.types.view import NO_VIEW, View


@given(routers(), requests(), beliefs(), views())
def test_no_model_answers_beside_that_could_not_have_been_given_the_request(
    router: Router, request: Features, scores: Scores, view: View
) -> None:
    decision = router.decide(request, scores, view)
    _, question = router.consider(request, scores, view)
    able = eligible(
        router.policy,
        request,
        NO_VIEW,
        router.policy.fleet.everyone,
        task=decision.task,
        risk=question.risk,
        latency_budget=None,
        max_cost=None,
        costs={},
    )
    assert set(decision.shadows) <= {router.policy.fleet.names[at] for at in bits(able.mask)}
    assert set(decision.shadows) <= reach(router.policy, request, decision.task)


@given(routers(), requests(), beliefs(), views())
def test_nobody_answers_beside_itself_or_beside_nobody(router: Router, request: Features, scores: Scores, view: View) -> None:
    decision = router.decide(request, scores, view)
    assert decision.target not in decision.shadows
    assert decision.steps or not decision.shadows


@given(routers(), requests(), beliefs(), views(), views())
def test_who_answers_beside_one_model_does_not_depend_on_how_the_world_stands(
    router: Router, request: Features, scores: Scores, view: View, other: View
) -> None:
    one, two = router.decide(request, scores, view), router.decide(request, scores, other)
    assert one.target != two.target or one.task != two.task or one.shadows == two.shadows


def drawn(spec: dict[str, Any], **about: Any) -> tuple[str, ...]:
    task = {"why": "x", "models": ["mini"]}
    made = router({"tasks": {"t": task, "u": task}, "routes": {"auto": spec}, **about.pop("more", {})})
    hints = {"task": about.pop("task", "t")}
    return made.decide(features(hints=hints, **about), NO_SCORES, NO_VIEW).shadows


def test_the_share_of_requests_that_are_drawn_is_the_one_that_is_written() -> None:
    made = router({"routes": {"auto": {"select": "static", "shadow": {"models": ["opus"], "share": 0.2}}}})
    dice = random.Random(1)
    requests = [features(draw=dice.random()) for _ in range(5000)]
    shadowed = [bool(made.decide(request, NO_SCORES, NO_VIEW).shadows) for request in requests]
    assert sum(shadowed) / len(requests) == pytest.approx(0.2, abs=0.02)
    explored = [draw_for(request.draw, EXPLORE) < 0.5 for request in requests]
    both = sum(one and other for one, other in zip(shadowed, explored, strict=True))
    assert both / len(requests) == pytest.approx(0.1, abs=0.02), "who is explored and who is shadowed have nothing to do with each other"


def test_a_request_is_drawn_for_all_of_them_or_for_none() -> None:
    for draw in (0.1, 0.5, 0.9):
        share = draw_for(draw, SHADOW) + 1e-9
        spec = {"shadow": {"models": ["opus", "sonnet"], "share": share}}
        assert drawn(spec, draw=draw) == ("sonnet", "opus")
        assert drawn({"shadow": {**spec["shadow"], "share": share - 2e-9}}, draw=draw) == ()


@pytest.mark.parametrize(("task", "expected"), [("t", ("opus",)), ("u", ())])
def test_only_the_tasks_that_are_named_are_drawn(task: str, expected: tuple[str, ...]) -> None:
    assert drawn({"shadow": {"models": ["opus"], "share": 1, "tasks": ["t"]}}, task=task) == expected


@pytest.mark.parametrize(("sensitive", "expected"), [(False, ()), (True, ("opus",))])
def test_what_is_sensitive_is_drawn_only_where_the_spec_says_so(sensitive: bool, expected: tuple[str, ...]) -> None:
    spec = {"shadow": {"models": ["opus"], "share": 1, "sensitive": sensitive}}
    assert drawn(spec, sensitivity=("phone",)) == expected


def test_an_experiment_adds_its_shadows_to_those_of_its_routes() -> None:
    experiments = {"experiments": {"e": {"tasks": ["t"], "shadow": ["sonnet"]}, "f": {"routes": ["other"], "shadow": ["local"]}}}
    spec = {"shadow": {"models": ["opus"], "share": 1}}
    assert drawn(spec, more=experiments) == ("sonnet", "opus")
    assert drawn(spec, more=experiments, task="u") == ("opus",)


def test_where_a_route_says_nothing_an_experiments_shadows_are_drawn_as_is_usual() -> None:
    experiments = {"experiments": {"e": {"shadow": ["sonnet"]}}}
    dice = random.Random(2)
    found = [drawn({}, more=experiments, draw=dice.random()) for _ in range(400)]
    assert 0.01 < sum(map(bool, found)) / 400 < 0.1


def test_a_decision_tells_who_answers_beside() -> None:
    made = router({"routes": {"auto": {"shadow": {"models": ["opus", "sonnet"], "share": 1}}}})
    decision = made.decide(features(), NO_SCORES, NO_VIEW)
    told = " ".join(explain(made, features(), NO_SCORES, NO_VIEW, decision).sentences)
    assert "Once it is answered, sonnet and opus may be asked the same, unseen" in told


def test_embeddings_have_no_shadow() -> None:
    assert drawn({"shadow": {"models": ["opus"], "share": 1}}, operation="embedding", needs=("embeddings",)) == ()
