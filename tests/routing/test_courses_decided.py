"""What a decision says of its course: checks, combining, hedging, streams, and who answers under load or in a session."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tierline.routing.explain import explain, short
from tierline.testing.builders import FLEET, features, router
from tierline.types.access import Key
from tierline.types.decision import Combine, Decision, Reason, Why
from tierline.types.features import Features
from tierline.types.scores import NO_SCORES
from tierline.types.view import NO_VIEW, Latency, View

ORDERS: dict[str, Any] = {
    "why": "cheap first is safe",
    "quality_bar": 0.9,
    "models": ["mini", "sonnet", "opus"],
    "quality": {"mini": 0.88, "sonnet": 0.95, "opus": 0.99},
}
CHECKS = [{"schema": "order.json", "retry": 1}, {"max_chars": 4000}]


def spec(task: dict[str, Any] | None = None, **route: Any) -> dict[str, Any]:
    return {"tasks": {"orders": {**ORDERS, **(task or {})}}, "routes": {"auto": route}}


def order(**changes: Any) -> Features:
    return features(**{"hints": {"task": "orders"}, **changes})


def decide(body: dict[str, Any], request: Features, view: View = NO_VIEW, **more: Any) -> Decision:
    return router(body, **more).decide(request, NO_SCORES, view)


def reason(decision: Decision, why: Why) -> Reason | None:
    return next((found for found in decision.reasons if found.why == why), None)


def told(body: dict[str, Any], request: Features, view: View = NO_VIEW) -> str:
    built = router(body)
    decision = built.decide(request, NO_SCORES, view)
    return " ".join(explain(built, request, NO_SCORES, view, decision).sentences)


# checks


def test_a_step_says_what_an_answer_must_pass_and_how_often_it_may_be_tried_again() -> None:
    step = decide(spec({"validate": CHECKS}), order()).steps[0]
    assert (step.validators, step.retries) == (("orders/schema", "orders/max_chars"), 1)


def test_windows_are_given_where_one_might_overflow() -> None:
    assert decide(spec(), order(input_tokens=60_000)).steps[0].windows[0] == 200_000
    assert decide(spec(), order(input_tokens=600)).steps[0].windows == ()


def test_a_routes_own_checks_are_for_requests_whose_task_has_none() -> None:
    body = spec({"validate": CHECKS}, validate=[{"refusal": True}])
    assert decide(body, order()).steps[0].validators == ("orders/schema", "orders/max_chars")
    assert decide(body, features()).steps[0].validators == ("route:auto/refusal",)


def test_embeddings_are_not_checked() -> None:
    assert decide(spec(validate=[{"refusal": True}]), features(operation="embedding")).steps[0].validators == ()


def test_a_route_may_let_an_unsure_answer_go_out_flagged() -> None:
    checks = [{"confidence": 0.6}, {"max_chars": 9}]
    assert decide(spec({"validate": checks}, cascade={"on_low_confidence": "flag"}), order()).lenient == ("orders/confidence",)
    assert decide(spec({"validate": checks}), order()).lenient == ()


def test_with_checks_a_cheap_model_is_worth_trying_where_a_failure_is_caught() -> None:
    dear_failures = {"quality_bar": 0.8, "failure_cost": 0.05}
    assert decide(spec(dear_failures), order()).target == "sonnet"
    assert decide(spec({**dear_failures, "validate": CHECKS}), order()).target == "mini"


@pytest.mark.parametrize(
    ("task", "route", "mode"),
    [
        (None, "buffered", "buffered"),
        (None, "optimistic", "optimistic"),
        ("optimistic", "buffered", "optimistic"),
        ("buffered", "optimistic", "buffered"),
    ],
)
def test_a_checked_stream_is_held_back_unless_the_task_or_else_the_route_is_optimistic(task: str | None, route: str, mode: str) -> None:
    body = spec({"validate": CHECKS, "stream": task}, stream=route)
    assert decide(body, order(stream=True)).stream == mode
    assert decide(body, order()).stream == ""
    assert decide(spec(stream=route), order(stream=True)).stream == ""


# refusals, passes


def test_the_course_keeps_to_the_routes_cascade() -> None:
    decision = decide(spec(cascade={"retries": 2, "backoff": "500ms"}), order())
    assert (decision.retries, decision.backoff) == (2, 0.5)


def test_the_model_for_refusals_is_named_with_the_cost_of_a_call_where_it_may_serve() -> None:
    body = spec(cascade={"on_refusal": "local"})
    assert decide(body, order()).refusals == "local"
    assert decide(body, order(hints={"model": "mini"})).refusals == ""
    keys = {b"k": Key("team", models=frozenset({"mini", "sonnet", "opus"}))}
    kept = decide(body, order(key="team"), keys=keys)
    assert kept.refusals == ""
    assert any(dropped.model == "local" for dropped in kept.dropped)


# combining

AGREE: dict[str, Any] = {"models": ["mini", "local"], "by": "agreement", "else": "sonnet"}


def test_branches_come_first_then_the_model_that_answers_where_they_do_not_agree_then_the_ladder() -> None:
    decision = decide(spec(combine=AGREE), order())
    assert decision.combine == Combine("agreement")
    assert [step.targets[0] for step in decision.steps] == ["mini", "sonnet", "opus"]
    assert decision.steps[0].targets == ("mini", "local")
    assert short(decision) == "several answer together; orders"


def test_without_a_model_for_it_the_ladder_above_the_branches_answers() -> None:
    decision = decide(spec(combine={"models": ["mini", "local"], "by": "majority"}), features())
    assert [step.targets for step in decision.steps][:3] == [("mini", "local"), ("sonnet",), ("opus",)]


def test_a_judge_is_paid_for_reading_every_answer() -> None:
    decision = decide(spec(combine={"models": ["mini", "local"], "by": "judge", "judge": "opus"}), order())
    assert decision.combine is not None
    assert decision.combine.judge == "opus"
    assert decision.combine.cost == pytest.approx((200 + 2 * 100) * 15e-6 + 64 * 75e-6)


def test_with_too_few_branches_left_one_model_answers() -> None:
    decision = decide(spec(combine=AGREE), order(), View(resting={"local": 9.0}))
    assert decision.combine is None
    assert decision.target == "sonnet"
    assert reason(decision, Why.COMBINE_TOO_FEW) == Reason(Why.COMBINE_TOO_FEW, "agreement", 1.0, 2.0)


def test_branches_that_would_cost_too_much_are_not_combined() -> None:
    decision = decide(spec(combine={**AGREE, "max_cost": 0.00001}), order())
    assert decision.combine is None
    assert reason(decision, Why.COMBINE_TOO_DEAR) is not None


@pytest.mark.parametrize("request_", [order(hints={"model": "opus"}), order(turns=9), order(operation="embedding", hints={})])
def test_a_named_a_ruled_and_an_embedding_request_is_not_combined(request_: Features) -> None:
    rules = [{"when": "turns > 8", "use": ["opus"], "why": "long"}]
    assert decide(spec(combine=AGREE, rules=rules), request_).combine is None


def test_a_combined_stream_is_always_held_back() -> None:
    assert decide(spec({"stream": "optimistic"}, combine=AGREE), order(stream=True)).stream == "buffered"


# hedging

P95 = {"after": "p95"}


def slow(count: int) -> dict[str, Latency]:
    return {"mini": Latency(0.4, 1.5, count)}


def test_a_hedge_waits_as_long_as_the_first_model_takes_nineteen_times_in_twenty() -> None:
    decision = decide(spec(hedge=P95), features(), View(latency=slow(20)))
    assert decision.target == "local"
    decision = decide(spec(hedge=P95, select="static"), features(), View(latency=slow(20)))
    assert (decision.target, decision.hedge) == ("mini", 1.5)
    assert reason(decision, Why.HEDGED) == Reason(Why.HEDGED, "local", 1.5)


def test_nothing_is_hedged_on_few_calls_or_without_a_second_target() -> None:
    assert decide(spec(hedge=P95, select="static"), features(), View(latency=slow(19))).hedge is None
    assert decide(spec(hedge={"after": "1s"}), features(hints={"model": "mini"})).hedge is None


def test_a_stream_that_is_passed_straight_on_is_raced_to_its_first_content() -> None:
    view = View(latency=slow(99), ttft={"mini": Latency(0.1, 0.3, 99)})
    assert decide(spec(hedge=P95, select="static"), features(stream=True), view).hedge == 0.3


def test_a_hedge_may_be_a_time_below_the_deadline() -> None:
    assert decide(spec(hedge={"after": "800ms"}), features()).hedge == 0.8
    assert decide(spec(hedge={"after": "800ms"}), features(hints={"latency_budget": 0.5})).hedge is None


# everything resting


def test_where_everybody_rests_the_one_with_the_shortest_rest_answers_and_says_so() -> None:
    view = View(resting={"mini": 30.0, "sonnet": 4.0, "opus": 9.0, "local": 1.0})
    decision = decide(spec(), order(), view)
    assert decision.target == "sonnet"
    assert reason(decision, Why.LEAST_BAD) == Reason(Why.LEAST_BAD, "sonnet", 4.0)
    assert short(decision) == "the least bad, all are resting; orders"


# load


def test_under_load_its_share_of_requests_goes_to_the_best_one_below_within_tolerance() -> None:
    view = View(pressure={"sonnet": 0.6})
    seen = Counter(decide(spec(), order(draw=n / 1000), view).target for n in range(1000))
    assert set(seen) == {"mini", "sonnet"}
    assert 560 < seen["mini"] < 640
    moved = next(decision for n in range(99) if (decision := decide(spec(), order(draw=n / 99), view)).target == "mini")
    assert reason(moved, Why.LOAD_SHIFTED) == Reason(Why.LOAD_SHIFTED, "mini", 0.88, pytest.approx(0.85))
    assert moved.propensity == pytest.approx(0.6)
    assert short(moved) == "moved by load; orders"


def test_nothing_goes_below_the_tolerance() -> None:
    assert decide(spec({"tolerance": 0.01}), order(), View(pressure={"sonnet": 1.0})).target == "sonnet"


def test_nothing_goes_to_a_model_under_as_much_load() -> None:
    assert decide(spec(), order(), View(pressure={"sonnet": 1.0, "mini": 1.0})).target == "sonnet"


def test_what_may_wait_a_minute_waits() -> None:
    assert decide(spec({"latency_budget": "10m"}), order(), View(pressure={"sonnet": 1.0})).target == "sonnet"
    assert decide(spec({"latency_budget": "10s"}), order(), View(pressure={"sonnet": 1.0})).target == "mini"


@pytest.mark.parametrize("hints", [{"model": "sonnet"}, {"tier": "balanced"}])
def test_what_a_client_named_is_not_moved(hints: dict[str, Any]) -> None:
    assert decide(spec(), order(hints=hints), View(pressure={"sonnet": 1.0})).target == "sonnet"


def test_by_difficulty_what_nearly_fits_the_rung_below_goes_there() -> None:
    body = spec(select="by_difficulty", difficulty={"fast": 0.35, "balanced": 0.7}, tolerance=0.1)
    pressed = View(pressure={"sonnet": 1.0})
    assert decide(body, features(0.4), pressed).tier == "fast"
    assert decide(body, features(0.5), pressed).tier == "balanced"


def test_propensities_under_load_are_the_shares_they_promise() -> None:
    view = View(pressure={"opus": 0.8, "sonnet": 0.3, "mini": 0.1})
    body = spec({"quality_bar": 0.97, "tolerance": 0.2})
    decisions = [decide(body, order(draw=n / 2000), view) for n in range(2000)]
    promised = {decision.target: decision.propensity for decision in decisions}
    seen = Counter(decision.target for decision in decisions)
    assert sum(promised.values()) == pytest.approx(1.0)
    for target, share in promised.items():
        assert seen[target] / 2000 == pytest.approx(share, abs=0.03)


# sessions

STICKY = {"sticky": True, "max_switch_premium": 0.1}
CACHING = {**FLEET, "opus": {**FLEET["opus"], "price": (3.2, 15.5)}}


def test_a_session_stays_with_its_model_while_that_costs_little_more() -> None:
    decision = decide(spec(session=STICKY), order(), View(warm="opus"), fleet=CACHING)
    assert decision.target == "opus"
    kept = reason(decision, Why.SESSION_KEPT)
    assert kept is not None and kept.value is not None and kept.limit is not None and kept.value <= kept.limit


def test_a_session_leaves_a_model_that_has_become_too_dear() -> None:
    decision = decide(spec(session=STICKY), order(), View(warm="opus"))
    assert decision.target == "sonnet"
    left = reason(decision, Why.SESSION_LEFT)
    assert left is not None and left.value is not None and left.limit is not None and left.value > left.limit


def test_a_session_leaves_a_model_that_misses_the_bar() -> None:
    decision = decide(spec(session=STICKY), order(), View(warm="mini"))
    assert decision.target == "sonnet"
    assert reason(decision, Why.SESSION_LEFT) == Reason(Why.SESSION_LEFT, "mini", 0.88, 0.9)


def test_a_route_that_is_not_sticky_forgets_its_sessions() -> None:
    assert decide(spec(), order(), View(warm="opus"), fleet=CACHING).target == "sonnet"


@pytest.mark.parametrize("where", [{"tool_loop": True}, {"sealed": True}])
def test_in_a_tool_loop_or_behind_sealed_reasoning_nothing_takes_a_session_from_its_model(where: dict[str, bool]) -> None:
    rules = [{"when": "turns > 0", "use": "best", "why": "all"}]
    decision = decide(spec(rules=rules), order(**where), View(warm="mini", pressure={"mini": 1.0}))
    assert decision.target == "mini"
    assert reason(decision, Why.SESSION_HELD) == Reason(Why.SESSION_HELD, "mini")
    assert len(decision.steps) > 1


def test_a_client_that_names_a_model_in_a_tool_loop_gets_it() -> None:
    assert decide(spec(), order(tool_loop=True, hints={"model": "opus"}), View(warm="mini")).target == "opus"


def test_a_model_that_rests_cannot_hold_its_session() -> None:
    assert decide(spec(), order(tool_loop=True), View(warm="mini", resting={"mini": 5.0})).target == "sonnet"


# told


@pytest.mark.parametrize(
    ("body", "request_", "view", "sentence"),
    [
        (spec(combine=AGREE), order(), NO_VIEW, "Several models answer side by side (all must agree), for about $0.000120 in all."),
        (spec(combine=AGREE), order(), NO_VIEW, "Order of asking: mini + local → sonnet → opus."),
        (spec(combine=AGREE), order(), View(resting={"local": 1}), "Of the models that answer side by side only 1 can serve it"),
        (spec(combine={**AGREE, "max_cost": 0}), order(), NO_VIEW, "side by side would cost about $0.000120, over the $0.000000 allowed"),
        (spec(hedge={"after": "800ms"}), features(), NO_VIEW, "If no answer has come after 0.80 s, mini is asked as well"),
        (spec({"validate": CHECKS}), order(), NO_VIEW, "orders/max_chars; a model that fails may try again once, told why."),
        (spec({"validate": CHECKS}), order(stream=True), NO_VIEW, "Its stream is held back until the answer has passed."),
        (spec({"validate": CHECKS}, stream="optimistic"), order(stream=True), NO_VIEW, "as it comes, and the verdict follows it."),
        (spec(cascade={"retries": 2}), order(), NO_VIEW, "they are asked again twice."),
        (spec(cascade={"on_refusal": "local"}), order(), NO_VIEW, "What a content policy refuses goes to local."),
        (spec(), order(), View(pressure={"sonnet": 1.0}), "moved to mini: it passes 88.0%, and the load may take it down to 85.0%"),
        (spec(), order(tool_loop=True), View(warm="mini"), "so mini goes on with it."),
        (spec(session=STICKY), order(), View(warm="mini"), "The session's model mini passes 88.0% of such requests and the bar is 90.0%"),
        (spec(session=STICKY), order(), View(warm="opus"), "would cost the session about $0.010500, over the $0.002310 allowed"),
        (spec(session=STICKY), order(), View(warm="local"), "The session's model local cannot serve this request"),
        (spec(), order(), View(resting=dict.fromkeys(FLEET, 4.0)), "rests after failures; mini has the shortest rest left, 4 s."),
    ],
)  # fmt: skip
def test_what_is_told_of_a_course(body: dict[str, Any], request_: Features, view: View, sentence: str) -> None:
    assert sentence in told(body, request_, view)
