"""The laws of budgets and pace in a decision, over random specs, requests and worlds."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.test_laws import planned
from routing.worlds import NAMES, RATES, beliefs, requests, routers, views
from tierline.config.budgets import HEADROOM, Budget
from tierline.routing.budgets import cost_of
from tierline.routing.explain import explain
from tierline.routing.router import Router
from tierline.routing.scope import standing_in
from tierline.testing import builders
from tierline.types.decision import Decision, Drop, Why
from tierline.types.features import Features
from tierline.types.scores import Scores
from tierline.types.view import View

MONEY = st.floats(-0.01, 0.05) | st.sampled_from([0.0, 1000.0])
PACES = st.sampled_from([-1.0, -0.5, 0.0, 0.125, 0.5, 1.0])


@st.composite
def budgets(draw: st.DrawFn) -> tuple[Budget, ...]:
    at_limit = draw(st.sampled_from(["cheapest", "reject", "queue"]))
    some = frozenset(draw(st.sets(st.sampled_from(NAMES), min_size=1, max_size=3)))
    return (
        Budget("company", 1.0, "day", at_limit=at_limit, spread=True),
        Budget("task", 1.0, "day", task="t", at_limit=draw(st.sampled_from(["cheapest", "reject"])), spread=draw(st.booleans())),
        Budget("models", 1.0, "day", models=some),
        Budget("words", 1000.0, "day", counts_tokens=True, at_limit=draw(st.sampled_from(["cheapest", "reject"]))),
    )


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Router, View]:
    router, view = draw(routers()), draw(views())
    router.policy = msgspec.structs.replace(router.policy, budgets=draw(budgets()))
    left = {name: draw(MONEY) for name in draw(st.lists(st.sampled_from(["company", "task", "models"]), unique=True))}
    if draw(st.booleans()):
        left["words"] = draw(st.floats(0, 20_000))
    pace = {name: draw(PACES) for name in left if name in ("company", "task")}
    return router, msgspec.structs.replace(view, budgets=left, pace=pace)


@given(worlds(), requests(), beliefs())
def test_what_was_seen_of_the_budgets_is_enough_to_decide_again(world: tuple[Router, View], request: Features, scores: Scores) -> None:
    router, view = world
    decision = router.decide(request, scores, view)
    assert router.decide(request, scores, router.seen(request, decision, view)) == decision
    assert msgspec.json.decode(msgspec.json.encode(decision), type=Decision) == decision


@given(worlds(), requests(), beliefs(), st.floats(0, 1), st.sampled_from(["", *NAMES]))
def test_raising_a_budget_never_removes_a_model(
    world: tuple[Router, View], request: Features, scores: Scores, more: float, named: str
) -> None:
    router, view = world
    named = named if named in router.policy.fleet.index else ""
    asked = msgspec.structs.replace(request, hints=msgspec.structs.replace(request.hints, model=named))

    def standing(raised: float) -> int:
        richer = msgspec.structs.replace(view, budgets={name: left + raised for name, left in view.budgets.items()})
        _, question = router.consider(asked, scores, richer)
        return standing_in(router.policy, question, router.policy.fleet.everyone).mask

    assert standing(0.0) & ~standing(more) == 0


@given(worlds(), requests(), beliefs())
def test_nobody_is_asked_whom_a_budget_that_is_hard_cannot_pay_for(world: tuple[Router, View], request: Features, scores: Scores) -> None:
    router, view = world
    decision = router.decide(request, scores, view)
    _, question = router.consider(request, scores, view)
    for budget in router.policy.budgets:
        left = view.budgets.get(budget.name)
        if left is None or not budget.hard or not budget.of_task(decision.task):
            continue
        for name in planned(decision):
            i = router.policy.fleet.index[name]
            most = budget.most(cost_of(router.policy, question, i), request.input_tokens + request.output_tokens)
            assert not budget.of_model(name) or most <= max(left, 0.0)


@given(worlds(), requests(), beliefs())
def test_where_a_budget_means_the_cheapest_only_those_it_can_pay_for_and_the_cheapest_are_asked(
    world: tuple[Router, View], request: Features, scores: Scores
) -> None:
    router, view = world
    view = msgspec.structs.replace(view, budgets={"company": 0.0}, pace={})
    router.policy = msgspec.structs.replace(router.policy, budgets=(Budget("company", 1.0, "day", at_limit="cheapest"),))
    decision = router.decide(request, scores, view)
    _, question = router.consider(request, scores, view)
    paid = [name for name in planned(decision) if cost_of(router.policy, question, router.policy.fleet.index[name]) > 0]
    assert len(paid) <= 1
    if any(reason.why == Why.BUDGET_CHEAPEST for reason in decision.reasons):
        assert any(fallen.why == Drop.BUDGET for fallen in decision.dropped)


@given(st.data(), PACES, PACES)
def test_further_ahead_never_costs_more_than_was_to_be_expected_before(data: st.DataObject, one: float, two: float) -> None:
    router = data.draw(routers(select="cheapest_above_bar", rules=False, explore=0.0, sessions=False))
    request, scores, view = data.draw(requests()), data.draw(beliefs(abstained=False)), data.draw(views())
    router.policy = msgspec.structs.replace(router.policy, budgets=(Budget("company", 1.0, "day", spread=True),))
    plain = msgspec.structs.replace(request, tool_loop=False, sealed=False)

    def expected(pace: float) -> float:
        seen = msgspec.structs.replace(view, budgets={"company": 1000.0}, pace={"company": pace}, pins={}, pressure={}, resting={})
        target = router.decide(plain, scores, seen).target
        pool, _ = router.consider(plain, scores, seen)
        return next((c.expected for c in pool if router.policy.fleet.names[c.index] == target), 0.0)

    behind, before = sorted((one, two))
    assert expected(before) <= expected(behind) + 1e-12


@given(st.data(), RATES, RATES, PACES)
def test_raising_a_bar_never_picks_a_model_believed_worse_whatever_the_pace(
    data: st.DataObject, one: float, two: float, pace: float
) -> None:
    router = data.draw(routers(select="cheapest_above_bar", rules=False, explore=0.0, sessions=False))
    request, scores, view = data.draw(requests()), data.draw(beliefs(abstained=False)), data.draw(views())
    plain = msgspec.structs.replace(request, tool_loop=False, sealed=False)
    seen = msgspec.structs.replace(view, budgets={"company": 1000.0}, pace={"company": pace}, pins={}, pressure={}, resting={})
    low, high = sorted((one, two))

    def believed(bar: float) -> float:
        policy = router.policy
        tasks = {name: msgspec.structs.replace(task, bar=bar) for name, task in policy.tasks.items()}
        moved = Router(router.loaded)
        moved.policy = msgspec.structs.replace(
            policy,
            tasks=tasks,
            open_task=msgspec.structs.replace(policy.open_task, bar=bar),
            budgets=(Budget("company", 1.0, "day", spread=True),),
        )
        target = moved.decide(plain, scores, seen).target
        pool, _ = moved.consider(plain, scores, seen)
        return next((c.quality for c in pool if policy.fleet.names[c.index] == target), 0.0)

    assert believed(high) >= believed(low) or believed(low) == 0.0


SPEC = {
    "tasks": {
        "t": {"why": "x", "models": ["mini", "opus"], "quality": {"mini": 0.88, "opus": 0.99}, "quality_bar": 0.9, "tolerance": 0.05}
    },
    "budgets": {
        "company": {"limit": 400, "per": "day", "pace": "spread", "at_limit": "cheapest"},
        "one": {"limit": 0.0001, "per": "request", "key": "small"},
        "brief": {"tokens": 50, "per": "request", "key": "brief"},
    },
}


def decided(pace: float, **more: object) -> Decision:
    view = View(budgets={"company": 400.0}, pace={"company": pace})
    return builders.router(SPEC).decide(builders.features(hints={"task": "t"}, **more), Scores(), view)


@pytest.mark.parametrize(("pace", "target"), [(0.0, "opus"), (0.25, "opus"), (0.5, "mini"), (-1.0, "opus")])
def test_ahead_of_its_plan_a_task_takes_a_cheaper_model_within_its_tolerance(pace: float, target: str) -> None:
    assert decided(pace).target == target


def test_pace_and_a_spent_budget_are_told_in_sentences() -> None:
    router, asked = builders.router(SPEC), builders.features(hints={"task": "t"})
    for view, sentence in (
        (View(budgets={"company": 400.0}, pace={"company": 0.5}), "runs ahead of its plan, so the bar went down from 90.0% to 87.5%"),
        (View(budgets={"company": 400.0}, pace={"company": -1.0}), "runs behind its plan, so the bar went up from 90.0% to 95.0%"),
        (View(budgets={"company": 0.0}), "at its limit the cheapest answers"),
    ):
        decision = router.decide(asked, Scores(), view)
        assert sentence in " ".join(explain(router, asked, Scores(), view, decision).sentences)


def test_a_model_that_is_named_is_dropped_where_the_budget_is_spent_and_a_cheaper_one_could_serve() -> None:
    router, view = builders.router(SPEC), View(budgets={"company": 0.001})
    named = router.decide(builders.features(hints={"model": "opus"}), Scores(), view)
    assert named.steps == () and [(d.model, d.why, d.subject) for d in named.dropped] == [("opus", Drop.BUDGET, "company")]
    assert router.decide(builders.features(hints={"model": "local"}), Scores(), view).target == "local"


def test_one_request_is_capped_in_usd_and_in_tokens() -> None:
    assert decided(0.0, key="small").max_cost == 0.0001
    assert decided(0.0).max_cost is None
    brief = decided(0.0, key="brief")
    assert brief.steps == () and brief.dropped[0].limit == 50


def test_a_spent_budget_is_no_reason_to_ask_whom_the_task_was_not_meant_for() -> None:
    spec = {"tasks": {"t": {"why": "x", "models": ["opus"]}}, "budgets": {"all": {"limit": 1, "per": "day"}}}
    cost = 15.0 * 200 / 1e6 + 75.0 * 100 / 1e6
    decision = builders.router(spec).decide(builders.features(hints={"task": "t"}), Scores(), View(budgets={"all": cost * HEADROOM * 0.9}))
    assert decision.steps == ()
