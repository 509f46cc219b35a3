"""Who takes part in an experiment, in which arm, and with what probability."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierline.routing.experiments import NONE, experiment_of, shares_of
from tierline.routing.router import Router
from tierline.testing.builders import FLEET, features, router
from tierline.types.decision import Decision, Why
from tierline.types.features import Features
from tierline.types.scores import NO_SCORES, Scores
from tierline.types.view import NO_VIEW, View

TASKS = {"orders": {"why": "x", "quality_bar": 0.9, "models": ["mini", "sonnet"]}, "other": {"why": "y"}}
MINI_LOCAL = {"tasks": ["orders"], "arms": {"mini": 0.75, "local": 0.25}}


def experimenting(experiment: dict[str, Any], **spec: Any) -> Router:
    return router({"tasks": TASKS, "experiments": {"e": experiment}, **spec})


def asked(number: int = 0, **changes: Any) -> Features:
    """The request of a number, its draws spread evenly, with the task given."""
    changes.setdefault("hints", {"task": "orders"})
    return features(draw=(number * 0.6180339887498949) % 1.0, request_id=f"r{number}", **changes)


def decided(router: Router, number: int = 0, view: View = NO_VIEW, **changes: Any) -> Decision:
    return router.decide(asked(number, **changes), NO_SCORES, view)


def frequencies(router: Router, view: View = NO_VIEW, count: int = 4000, **changes: Any) -> dict[str, float]:
    drawn = Counter(decided(router, number, view, **changes).arm for number in range(count))
    return {arm: drawn[arm] / count for arm in drawn}


def test_an_arm_is_a_share_of_the_requests_and_its_model_answers() -> None:
    run = experimenting(MINI_LOCAL)
    assert frequencies(run) == pytest.approx({"e/mini": 0.75, "e/local": 0.25}, abs=0.02)
    for number in range(50):
        decision = decided(run, number)
        assert decision.arm == f"e/{decision.target}"
        assert decision.propensity == pytest.approx({"e/mini": 0.75, "e/local": 0.25}[decision.arm])
        assert [reason.subject for reason in decision.reasons if reason.why == Why.ARM] == [decision.arm]


def test_what_the_arms_leave_of_one_takes_no_part() -> None:
    run = experimenting({"tasks": ["orders"], "arms": {"opus": 0.1, "local": 0.2}})
    assert frequencies(run) == pytest.approx({"": 0.7, "e/opus": 0.1, "e/local": 0.2}, abs=0.02)
    outside = next(decision for number in range(99) if not (decision := decided(run, number)).arm)
    assert outside.propensity == pytest.approx(0.7)


@given(st.dictionaries(st.sampled_from(["mini", "local", "sonnet", "opus"]), st.floats(0.01, 1.0), min_size=2), st.data())
def test_shares_always_add_up_to_one(weights: dict[str, float], data: st.DataObject) -> None:
    total = sum(weights.values()) * data.draw(st.floats(1.0, 2.0))
    run = experimenting({"tasks": ["orders"], "arms": {arm: weight / total for arm, weight in weights.items()}})
    experiment = experiment_of(run.policy, "orders", "auto")
    assert experiment is not None
    now = {f"e/{arm}": data.draw(st.sampled_from([0.0, 0.3])) for arm in data.draw(st.sets(st.sampled_from(sorted(weights))))}
    shares = shares_of(experiment, now)
    assert not shares or sum(shares.values()) == pytest.approx(1.0)
    assert all(share >= 0 for share in shares.values())


@given(st.floats(0.05, 0.95), st.integers(0, 10_000))
def test_only_those_change_their_arm_whose_arm_shrinks(share: float, number: int) -> None:
    run = experimenting({"tasks": ["orders"], "arms": {"mini": 0.5, "local": 0.25, "sonnet": 0.25}})
    before, after = decided(run, number).arm, decided(run, number, View(arms={"e/mini": 0.5 * share})).arm
    assert before == after or before == "e/mini"


def test_a_stopped_arm_gets_nothing_and_the_others_take_over_in_proportion() -> None:
    run = experimenting({"tasks": ["orders"], "arms": {"mini": 0.5, "local": 0.25, "opus": 0.25}})
    view = View(arms={"e/mini": 0.0})
    assert frequencies(run, view) == pytest.approx({"e/local": 0.5, "e/opus": 0.5}, abs=0.03)
    assert decided(run, view=view).propensity == pytest.approx(0.5)


def test_where_every_arm_is_stopped_nobody_takes_part() -> None:
    run = experimenting(MINI_LOCAL)
    view = View(arms={"e/mini": 0.0, "e/local": 0.0})
    assert {decided(run, number, view).arm for number in range(50)} == {""}
    assert decided(run, view=view).propensity == 1.0


@given(st.text(min_size=1), st.integers(0, 1000), st.integers(0, 1000))
def test_a_session_keeps_its_arm_whatever_its_requests_are(session: str, one: int, other: int) -> None:
    run = experimenting(MINI_LOCAL)
    assert decided(run, one, session=session).arm == decided(run, other, session=session).arm


def test_sessions_are_spread_by_the_shares_too() -> None:
    run = experimenting(MINI_LOCAL)
    drawn = Counter(decided(run, session=f"s{number}").arm for number in range(4000))
    assert drawn["e/local"] / 4000 == pytest.approx(0.25, abs=0.02)


def test_another_key_with_the_same_session_draws_for_itself() -> None:
    run = experimenting(MINI_LOCAL)
    assert {decided(run, session="s", key=f"k{number}").arm for number in range(50)} == {"e/mini", "e/local"}


@pytest.mark.parametrize("named", [{"model": "opus"}, {"tier": "best"}])
def test_who_names_a_model_takes_no_part(named: dict[str, str]) -> None:
    decision = decided(experimenting(MINI_LOCAL), hints={"task": "orders", **named})
    assert (decision.arm, decision.target, decision.propensity) == ("", "opus", 1.0)


def test_a_pinned_route_takes_no_part() -> None:
    decision = decided(experimenting(MINI_LOCAL), view=View(pins={"auto": "opus"}))
    assert (decision.arm, decision.target) == ("", "opus")


def test_what_a_model_rule_decides_takes_no_part_between_models() -> None:
    rules = {"auto": {"rules": [{"when": "task == 'orders'", "use": "opus", "why": "z"}]}}
    decision = decided(experimenting(MINI_LOCAL, routes=rules))
    assert (decision.arm, decision.target, decision.propensity) == ("", "opus", 1.0)


def test_other_tasks_and_routes_take_no_part() -> None:
    run = experimenting({**MINI_LOCAL, "routes": ["chat"]}, routes={"chat": {}, "auto": {}})
    assert decided(run, route="chat").arm
    assert not decided(run, route="auto").arm
    assert not decided(run, route="chat", hints={"task": "other"}).arm


def test_where_one_arm_could_not_serve_nobody_takes_part_and_the_row_says_why() -> None:
    rules = [{"when": "sensitivity.pii", "allow": {"residency": "on_prem"}, "why": "stays in house"}]
    run = experimenting(MINI_LOCAL, governance={"rules": rules})
    for number in range(30):
        decision = decided(run, number, sensitivity=("pii",))
        assert (decision.arm, decision.target, decision.propensity) == ("", "local", 1.0)
        assert [reason.subject for reason in decision.reasons if reason.why == Why.ARM_LEFT] == ["e/mini"]


@given(st.integers(0, 1000), st.sampled_from(["mini", "local", "sonnet", "opus"]), st.sampled_from([(), ("pii",)]), st.booleans())
def test_no_arm_is_a_way_around_governance(number: int, arm: str, sensitivity: tuple[str, ...], stopped: bool) -> None:
    rules = [{"when": "sensitivity.pii", "allow": {"residency": "on_prem"}, "why": "stays in house"}]
    arms = {arm: 0.5, "changed": {"share": 0.5, "task": {"models": ["opus", "local"], "quality_bar": 0.5}}}
    run = experimenting({"tasks": ["orders"], "arms": arms}, governance={"rules": rules})
    decision = decided(run, number, View(arms={f"e/{arm}": 0.0} if stopped else {}), sensitivity=sensitivity)
    allowed = {"local"} if sensitivity else set(FLEET)
    assert {target for step in decision.steps for target in step.targets} <= allowed
    assert decision.steps


def test_an_outage_of_one_arms_model_takes_everyone_out_until_it_is_over() -> None:
    run = experimenting(MINI_LOCAL)
    assert {decided(run, number, View(resting={"local": 5.0})).arm for number in range(30)} == {""}


def test_an_arm_may_change_its_tasks_settings_and_its_checks() -> None:
    arms = {"strict": {"share": 0.5, "task": {"quality_bar": 0.99, "validate": [{"max_chars": 5}]}}, "control": 0.5}
    run = experimenting({"tasks": ["orders"], "arms": arms})
    by_arm = {decision.arm: decision for number in range(30) if (decision := decided(run, number))}
    assert by_arm["e/strict"].steps[0].validators == ("orders@e/strict/max_chars",)
    assert by_arm["e/control"].steps[0].validators == ()
    assert by_arm["e/strict"].target == "sonnet"
    assert by_arm["e/control"].target == "mini"


def test_where_two_arms_lead_to_the_same_model_the_propensity_is_that_of_the_model() -> None:
    arms = {"patient": {"share": 0.5, "task": {"latency_budget": "9s"}}, "control": 0.3}
    run = experimenting({"tasks": ["orders"], "arms": arms})
    assert [decided(run, number).propensity for number in range(30)] == pytest.approx([1.0] * 30)


@given(st.integers(0, 500))
def test_the_propensity_is_the_frequency_of_the_target(number: int) -> None:
    arms = {"local": 0.2, "strict": {"share": 0.3, "task": {"quality_bar": 0.99}}, "same": {"share": 0.4, "task": {"prefer": "cost"}}}
    run = experimenting({"tasks": ["orders"], "arms": arms})
    decision = decided(run, number)
    assert decision.propensity == pytest.approx({"local": 0.2, "sonnet": 0.3, "mini": 0.5}[decision.target])


def test_what_was_seen_of_the_shares_is_enough_to_decide_again() -> None:
    run = experimenting({"tasks": ["orders"], "arms": {"mini": 0.5, "local": 0.25, "opus": 0.2}})
    view = View(arms={"e/mini": 0.1, "x/y": 0.3})
    for number in range(100):
        decision = decided(run, number, view)
        seen = run.seen(asked(number), decision, view)
        assert seen.arms == {"e/local": 0.25, "e/mini": 0.1, "e/opus": 0.2}
        assert decided(run, number, seen) == decision


def test_a_request_that_has_its_arm_already_keeps_it() -> None:
    run = experimenting(MINI_LOCAL)
    for arm in ("e/mini", "e/local"):
        assert {decided(run, number, View(assigned=arm)).arm for number in range(20)} == {arm}
    assert decided(run, view=View(assigned=NONE)).arm == ""


def test_a_request_from_another_specs_experiment_bears_its_arm_and_decides_as_without() -> None:
    plain = router({"tasks": TASKS})
    view = View(assigned="there/new", arms={"there/new": 0.05, "there/old": 0.95})
    decision = decided(plain, view=view)
    assert (decision.arm, decision.propensity) == ("there/new", 0.05)
    assert decision.steps == decided(plain).steps
    assert decided(plain, view=plain.seen(asked(), decision, view)) == decision


def test_a_router_without_experiments_reads_no_shares() -> None:
    run = router({"tasks": TASKS})
    assert run.seen(asked(), decided(run), View(arms={"e/mini": 0.0})).arms == {}


@given(st.integers(0, 300), st.floats(0.0, 1.0))
def test_exploring_goes_on_inside_an_arm(number: int, explore: float) -> None:
    arms = {"a": {"share": 0.5, "task": {"tolerance": 0.1}}, "opus": 0.5}
    run = experimenting({"tasks": ["orders"], "arms": arms}, routes={"auto": {"explore": explore}})
    decision = decided(run, number)
    assert 0.0 < decision.propensity <= 1.0
    expected = {"mini": 0.5 * (1 - explore), "sonnet": 0.5 * explore, "opus": 0.5}
    assert decision.propensity == pytest.approx(expected[decision.target])


def test_scores_that_name_the_task_lead_into_the_experiment_too() -> None:
    run = experimenting(MINI_LOCAL)
    request = msgspec.structs.replace(features(), draw=0.3)
    assert run.decide(request, Scores(task={"orders": 0.9}), NO_VIEW).arm
