"""What the router does with one request: each test states one rule of the house."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tierline.routing.refusal import refuse
from tierline.testing.builders import FLEET, features, router
from tierline.types.access import Key
from tierline.types.decision import Decision, Drop, Why
from tierline.types.errors import BadRequest, UnknownModel
from tierline.types.features import Features
from tierline.types.scores import NO_SCORES, Scores
from tierline.types.view import NO_VIEW, Latency, View

ORDERS: dict[str, Any] = {
    "why": "cheap first is safe",
    "quality_bar": 0.97,
    "models": ["mini", "sonnet"],
    "fallback": ["local"],
    "quality": {"mini": 0.96, "sonnet": 0.99},
}
POLICY: dict[str, Any] = {"why": "customers act on it", "models": ["opus"], "fallback": ["sonnet"], "quality_bar": 0.95}


def spec(**route: Any) -> dict[str, Any]:
    return {"tasks": {"orders": ORDERS, "policy": POLICY}, "signals": {"anger": {"keywords": ["lawyer"]}}, "routes": {"auto": route}}


def decide(body: dict[str, Any], request: Features, scores: Scores = NO_SCORES, view: View = NO_VIEW, **more: Any) -> Decision:
    return router(body, **more).decide(request, scores, view)


def whys(decision: Decision) -> list[Why]:
    return [reason.why for reason in decision.reasons]


def asked(task: str, **hints: Any) -> Features:
    return features(hints={"task": task, **hints})


# selection


def test_the_cheapest_model_that_clears_the_bar_is_chosen() -> None:
    assert decide(spec(), asked("orders")).target == "sonnet"


def test_a_lower_bar_lets_a_cheaper_model_answer() -> None:
    body = spec()
    body["tasks"] = {"orders": {**ORDERS, "quality_bar": 0.95}}
    assert decide(body, asked("orders")).target == "mini"


def test_a_dear_failure_makes_the_better_model_the_cheaper_one() -> None:
    body = spec()
    body["tasks"] = {"orders": {**ORDERS, "quality_bar": 0.95, "failure_cost": 5.0}}
    assert decide(body, asked("orders")).target == "sonnet"


def test_where_no_model_clears_the_bar_the_best_goes_and_says_so() -> None:
    body = spec()
    body["tasks"] = {"orders": {**ORDERS, "quality_bar": 1.0}}
    decision = decide(body, asked("orders"))
    assert decision.target == "sonnet"
    assert Why.NONE_ABOVE_BAR in whys(decision)


@pytest.mark.parametrize(("difficulty", "tier"), [(0.1, "fast"), (0.35, "fast"), (0.36, "balanced"), (0.7, "balanced"), (0.71, "best")])
def test_without_a_task_the_difficulty_picks_the_tier(difficulty: float, tier: str) -> None:
    body = spec(difficulty={"fast": 0.35, "balanced": 0.7})
    assert decide(body, features(difficulty)).tier == tier


@pytest.mark.parametrize(("difficulty", "tier"), [(0.1, "fast"), (0.5, "balanced"), (0.9, "best")])
def test_by_difficulty_reads_the_thresholds_alone(difficulty: float, tier: str) -> None:
    assert decide(spec(select="by_difficulty", difficulty={"fast": 0.35, "balanced": 0.7}), features(difficulty)).tier == tier


def test_an_assumed_pass_rate_is_named_as_assumed() -> None:
    assert Why.ASSUMED_QUALITY in whys(decide(spec(), features()))


def test_a_scorers_belief_replaces_what_is_assumed() -> None:
    decision = decide(spec(), features(0.9), Scores(good={"mini": 0.99, "opus": 0.9}, by="linear"))
    assert decision.target == "mini"
    assert Why.ASSUMED_QUALITY not in whys(decision)


def test_static_takes_the_first_of_the_list() -> None:
    assert decide(spec(select="static"), asked("orders")).target == "mini"


def test_fastest_takes_the_least_median_above_the_bar() -> None:
    view = View(latency={"mini": Latency(0.1, 1), "sonnet": Latency(0.9, 2), "opus": Latency(0.4, 2), "local": Latency(3, 5)})
    assert decide(spec(select="fastest"), features(0.1), view=view).target == "mini"
    assert decide(spec(select="fastest"), features(0.8), view=view).target == "opus"


def test_best_within_budget_takes_the_best_that_the_cap_allows() -> None:
    request = features(0.5, hints={"max_cost": 0.005})
    assert decide(spec(select="best_within_budget"), request).target == "sonnet"


def test_a_task_that_prefers_quality_gets_the_best_above_the_bar() -> None:
    body = spec()
    body["tasks"] = {"digest": {"why": "nobody waits", "prefer": "quality"}}
    assert decide(body, asked("digest")).target == "opus"


def test_weights_are_kept_over_many_requests() -> None:
    body = spec(select="weighted", weights={"mini": 3.0, "opus": 1.0})
    targets = [decide(body, features(draw=n / 2000)).target for n in range(2000)]
    assert targets.count("mini") + targets.count("opus") == 2000
    assert 0.71 < targets.count("mini") / 2000 < 0.79


# exploration


def test_exploration_goes_one_tier_up_with_its_propensity() -> None:
    body = spec(explore=0.1)
    decisions = [decide(body, features(0.1, draw=n / 2000)) for n in range(2000)]
    explored = [d for d in decisions if Why.EXPLORED in whys(d)]
    assert {d.tier for d in explored} == {"balanced"}
    assert {round(d.propensity, 9) for d in explored} == {0.1}
    assert {round(d.propensity, 9) for d in decisions if d not in explored} == {0.9}
    assert 0.07 < len(explored) / 2000 < 0.13


def test_a_request_that_somebody_settled_is_never_explored() -> None:
    body = spec(explore=1.0, rules=[{"when": "turns > 0", "use": "fast", "why": "always"}])
    decision = decide(body, features())
    assert decision.tier == "fast"
    assert decision.propensity == 1.0


# overrides


def test_a_named_model_is_asked_alone() -> None:
    decision = decide(spec(), features(hints={"model": "opus"}))
    assert [step.targets for step in decision.steps] == [("opus",)]


def test_a_named_tier_keeps_to_its_models() -> None:
    decision = decide(spec(), features(hints={"tier": "fast"}))
    assert {target for step in decision.steps for target in step.targets} == {"mini", "local"}


def test_naming_a_model_skips_no_governance() -> None:
    body = {**spec(), "governance": {"rules": [{"when": "sensitivity.pii", "allow": {"residency": "on_prem"}, "why": "in house"}]}}
    decision = decide(body, features(hints={"model": "opus"}, sensitivity=("pii",)))
    assert decision.steps == ()
    assert decision.dropped[0].why == Drop.GOVERNANCE
    assert refuse(decision).status == 403


@pytest.mark.parametrize(("hints", "words"), [({"task": "order"}, "orders"), ({"tier": "fats"}, "fast"), ({"model": "opsu"}, "opus")])
def test_a_hint_that_names_nothing_known_is_refused_with_the_nearest(hints: dict[str, str], words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        decide(spec(), features(hints=hints))


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("auto", ("auto", "", "")),
        ("auto/auto", ("auto", "", "")),
        ("tier/best", ("auto", "best", "")),
        ("sonnet", ("auto", "", "sonnet")),
        ("acme/sonnet", ("auto", "", "sonnet")),
    ],
)
def test_a_model_name_means_a_route_a_tier_or_a_model(name: str, meaning: tuple[str, str, str]) -> None:
    address = router(spec()).address(name)
    assert (address.route, address.tier, address.model) == meaning


def test_an_unknown_model_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownModel, match="sonnet"):
        router(spec()).address("sonet")


# tasks and rules


def test_a_scored_task_brings_its_models() -> None:
    assert decide(spec(), features(), Scores(task={"policy": 0.9, "orders": 0.1}, by="hints")).target == "opus"


def test_what_is_unsure_goes_one_tier_up() -> None:
    sure = decide(spec(), features(0.1), Scores(by="hints"))
    unsure = decide(spec(), features(0.1), Scores(task={"policy": 0.4, "orders": 0.3}, abstained=True, by="hints"))
    assert (sure.tier, unsure.tier) == ("fast", "balanced")
    assert Why.TASK_UNSURE in whys(unsure)


def test_the_first_rule_that_matches_wins() -> None:
    rules = [
        {"when": "signals.anger > 0", "use": "best", "why": "an upset customer gets our best"},
        {"when": "input_tokens > 10", "use": ["sonnet"], "why": "long"},
    ]
    assert decide(spec(rules=rules), features(signals={"anger": 1})).target == "opus"
    assert decide(spec(rules=rules), features()).target == "sonnet"


def test_a_task_rule_settles_the_task_before_any_scorer() -> None:
    rules = [{"when": "operation == 'extraction' && needs.json_schema", "task": "orders", "why": "only orders"}]
    built = router(spec(rules=rules))
    settled = built.settle(features(operation="extraction", needs=("chat", "json_schema")))
    assert settled is not None
    assert settled.task == "orders"
    assert built.settle(features()) is None


def test_a_rule_may_read_the_task() -> None:
    rules = [{"when": "task == 'policy' && user_tier == 'free'", "use": ["sonnet"], "why": "decided with product"}]
    assert decide(spec(rules=rules), asked("policy", user_tier="free")).target == "sonnet"
    assert decide(spec(rules=rules), asked("policy")).target == "opus"


def test_a_rule_that_cannot_be_evaluated_does_not_match() -> None:
    rules = [{"when": "signals.nothing > 0", "use": "best", "why": "broken"}, {"when": "turns > 0", "use": "balanced", "why": "whole"}]
    assert decide(spec(rules=rules), features()).tier == "balanced"


def test_a_governance_rule_that_cannot_be_evaluated_holds() -> None:
    body = {**spec(), "governance": {"rules": [{"when": "sensitivity.unheard", "allow": {"models": ["local"]}, "why": "closed"}]}}
    assert decide(body, features(0.9)).target == "local"


def test_a_rule_whose_models_cannot_serve_is_passed_over() -> None:
    fleet = {**FLEET, "opus": {**FLEET["opus"], "capabilities": ("chat",)}}
    body = spec(rules=[{"when": "turns > 0", "use": "best", "why": "always"}])
    decision = decide(body, features(needs=("chat", "tools")), fleet=fleet)
    assert decision.tier == "fast"
    assert Why.RULE_UNUSABLE in whys(decision)


# eligibility


@pytest.mark.parametrize(
    ("change", "request_change", "view", "why"),
    [
        ({"capabilities": ("chat",)}, {"needs": ("chat", "vision")}, NO_VIEW, Drop.CAPABILITY),
        ({"context": 100}, {}, NO_VIEW, Drop.CONTEXT),
        ({"context": 400}, {}, View(token_scale={"mini": 2.0}), Drop.CONTEXT),
        ({}, {"hints": {"max_cost": 0.00001}}, NO_VIEW, Drop.PRICE),
        ({}, {}, View(resting={"mini": 3.0}), Drop.RESTING),
        ({"max_concurrency": 2}, {}, View(load={"mini": 2}), Drop.CONCURRENCY),
        ({}, {"hints": {"latency_budget": 1.0}}, View(latency={"mini": Latency(1.0, 4.0)}), Drop.LATENCY),
    ],
)
def test_a_model_that_cannot_serve_is_dropped_with_its_reason(
    change: dict[str, Any], request_change: dict[str, Any], view: View, why: Drop
) -> None:
    fleet = {**FLEET, "mini": {**FLEET["mini"], **change}}
    decision = decide(spec(), features(**request_change), view=view, fleet=fleet)
    assert [dropped.why for dropped in decision.dropped if dropped.model == "mini"] == [why]
    assert all("mini" not in step.targets for step in decision.steps)


@pytest.mark.parametrize(("budget", "dropped"), [(None, ["mini"]), (59.0, ["mini"]), (60.0, []), (600.0, [])])
def test_background_work_waits_for_a_place_instead_of_being_moved(budget: float | None, dropped: list[str]) -> None:
    fleet = {**FLEET, "mini": {**FLEET["mini"], "max_concurrency": 2}}
    decision = decide(spec(), features(hints={"latency_budget": budget}), view=View(load={"mini": 2}), fleet=fleet)
    assert [each.model for each in decision.dropped] == dropped


def test_soft_limits_give_way_when_they_would_leave_nobody() -> None:
    decision = decide(spec(), features(), view=View(resting=dict.fromkeys(FLEET, 9.0)))
    assert decision.steps
    assert Why.LIMITS_LIFTED in whys(decision)


def test_a_key_reaches_its_own_models_only() -> None:
    keys = {b"x": Key("team-a", models=frozenset({"opus"}))}
    assert decide(spec(), features(key="team-a"), keys=keys).target == "opus"
    assert decide(spec(), features(key="team-a", hints={"model": "mini"}), keys=keys).steps == ()


@pytest.mark.parametrize(
    ("request_change", "view", "status", "words"),
    [
        ({"needs": ("chat", "audio")}, NO_VIEW, 400, "mini: it cannot do audio"),
        ({"input_tokens": 900_000}, NO_VIEW, 400, "do not fit its window of 200,000"),
        ({"hints": {"max_cost": 0.0000001, "model": "opus"}}, NO_VIEW, 402, "over the cap"),
    ],
)
def test_when_nobody_can_serve_the_error_says_what_removed_whom(
    request_change: dict[str, Any], view: View, status: int, words: str
) -> None:
    fleet = {name: {**about, "capabilities": ("chat", "tools")} for name, about in FLEET.items()}
    error = refuse(decide(spec(), features(**request_change), view=view, fleet=fleet))
    assert error.status == status
    assert words in error.message


def test_when_none_of_the_tasks_models_can_serve_another_may() -> None:
    fleet = {name: {**about, "capabilities": ("chat",) if name != "opus" else ("chat", "tools")} for name, about in FLEET.items()}
    decision = decide(spec(), msgspec.structs.replace(asked("orders"), needs=("chat", "tools")), fleet=fleet)
    assert decision.target == "opus"
    assert Why.OUTSIDE_TASK in whys(decision)


# pins and steps


def test_an_operators_pin_overrides_the_route_and_keeps_its_fallbacks() -> None:
    decision = decide(spec(), features(), view=View(pins={"auto": "opus"}))
    assert decision.target == "opus"
    assert Why.PINNED in whys(decision)
    assert len([t for step in decision.steps for t in step.targets]) > 1


def test_a_pin_to_a_model_that_cannot_serve_is_passed_over() -> None:
    fleet = {**FLEET, "opus": {**FLEET["opus"], "capabilities": ("chat",)}}
    decision = decide(spec(), features(needs=("chat", "tools")), view=View(pins={"auto": "opus"}), fleet=fleet)
    assert decision.target != "opus"
    assert Why.PIN_UNUSABLE in whys(decision)


def test_a_tasks_plan_is_its_primary_its_fallback_and_where_to_climb() -> None:
    body = spec(select="static")
    assert [step.targets for step in decide(body, asked("orders")).steps] == [("mini", "local"), ("sonnet",)]


def test_without_a_list_the_plan_climbs_the_ladder() -> None:
    assert [step.tier for step in decide(spec(), features(0.1)).steps] == ["fast", "balanced", "best"]


def test_the_top_falls_back_to_what_is_below_as_a_last_resort() -> None:
    decision = decide(spec(), features(0.95))
    assert [step.tier for step in decision.steps] == ["best", "balanced"]
    assert Why.LAST_RESORT in whys(decision)


def test_a_neighbour_at_another_provider_is_tried_first() -> None:
    fleet = {
        "a": {"tier": "fast", "price": (1, 1)},
        "b": {"tier": "fast", "price": (2, 2)},
        "c": {"tier": "fast", "price": (3, 3), "provider": "apex"},
    }
    assert decide({}, features(0.1), fleet=fleet).steps[0].targets == ("a", "c", "b")


def test_the_clients_latency_budget_is_the_deadline() -> None:
    assert decide(spec(), features(hints={"latency_budget": 1.5})).deadline == 1.5
    assert decide(spec(deadline="7s"), features()).deadline == 7.0
