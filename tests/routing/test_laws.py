"""The laws of routing, over random specs, requests and worlds."""

from __future__ import annotations

import msgspec
from hypothesis import assume, given
from hypothesis import strategies as st

from routing.worlds import NAMES, beliefs, requests, routers, views
from tierline.routing.eligibility import bits
from tierline.routing.reach import reach
from tierline.routing.router import Router
from tierline.routing.scope import standing_in
from tierline.types.decision import Decision, Why
from tierline.types.features import Features
from tierline.types.scores import Scores
from tierline.types.view import View


def planned(decision: Decision) -> set[str]:
    """Everyone whom the course may ask."""
    judge = {decision.combine.judge} if decision.combine is not None else set()
    return ({target for step in decision.steps for target in step.targets} | judge | {decision.refusals}) - {""}


@given(routers(), requests(), beliefs(), views())
def test_the_same_input_gives_the_same_decision(router: Router, request: Features, scores: Scores, view: View) -> None:
    assert router.decide(request, scores, view) == router.decide(request, scores, view)


@given(routers(), requests(), beliefs(), views())
def test_a_decision_survives_being_written_down(router: Router, request: Features, scores: Scores, view: View) -> None:
    decision = router.decide(request, scores, view)
    assert msgspec.json.decode(msgspec.json.encode(decision), type=Decision) == decision


@given(routers(), requests(), beliefs(), views())
def test_what_was_seen_of_the_world_is_enough_to_decide_again(router: Router, request: Features, scores: Scores, view: View) -> None:
    decision = router.decide(request, scores, view)
    assert router.decide(request, scores, router.seen(request, decision, view)) == decision


@given(routers(), requests(), beliefs(), views())
def test_every_target_is_eligible(router: Router, request: Features, scores: Scores, view: View) -> None:
    decision = router.decide(request, scores, view)
    _, question = router.consider(request, scores, view)
    fleet = router.policy.fleet
    standing = {fleet.models[i].name for i in bits(standing_in(router.policy, question, fleet.everyone).mask)}
    lifted = any(reason.why == Why.LIMITS_LIFTED for reason in decision.reasons)
    assert lifted or planned(decision) <= standing


@given(routers(), requests(), beliefs(), views())
def test_no_target_stands_twice_in_one_step(router: Router, request: Features, scores: Scores, view: View) -> None:
    for step in router.decide(request, scores, view).steps:
        assert len(set(step.targets)) == len(step.targets)
        assert len(step.costs) == len(step.targets)
        assert len(step.windows) in (0, len(step.targets))


@given(routers(), requests(), beliefs(), views(), st.sampled_from(NAMES))
def test_a_key_never_reaches_a_model_it_may_not_use_whatever_it_names(
    router: Router, request: Features, scores: Scores, view: View, name: str
) -> None:
    assume(name in router.policy.fleet.index)
    allowed = next(iter(router.loaded.keys.values())).models
    hints = msgspec.structs.replace(request.hints, model=name)
    for asked in (request, msgspec.structs.replace(request, hints=hints)):
        decision = router.decide(msgspec.structs.replace(asked, key="team"), scores, view)
        assert planned(decision) <= allowed


@given(routers(), requests(), beliefs(), views(), st.sampled_from(NAMES), st.sets(st.sampled_from([*NAMES, "gone"]), min_size=1))
def test_a_key_that_the_spec_does_not_know_never_reaches_another_model_either(
    router: Router, request: Features, scores: Scores, view: View, name: str, allowed: set[str]
) -> None:
    assume(name in router.policy.fleet.index)
    hints = msgspec.structs.replace(request.hints, model=name)
    for asked in (request, msgspec.structs.replace(request, hints=hints)):
        minted = msgspec.structs.replace(asked, key="minted", key_models=tuple(sorted(allowed)))
        assert planned(router.decide(minted, scores, view)) <= allowed
        assert reach(router.policy, minted, "t") <= allowed


@given(routers(), requests(), beliefs(), views())
def test_personal_data_stays_in_house(router: Router, request: Features, scores: Scores, view: View) -> None:
    decision = router.decide(msgspec.structs.replace(request, sensitivity=("pii",)), scores, view)
    assert all(router.loaded.models[target].residency == "on_prem" for target in planned(decision))


@given(routers(), requests(), beliefs(), views(), st.floats(1.0, 100.0))
def test_raising_the_cost_cap_never_removes_a_model(router: Router, request: Features, scores: Scores, view: View, factor: float) -> None:
    fleet = router.policy.fleet
    cap = request.hints.max_cost or 0.001

    def standing(max_cost: float) -> int:
        asked = msgspec.structs.replace(request, hints=msgspec.structs.replace(request.hints, max_cost=max_cost))
        _, question = router.consider(asked, scores, View())
        return standing_in(router.policy, question, fleet.everyone).mask

    assert standing(cap) & ~standing(cap * factor) == 0


@given(st.data(), st.floats(0, 1), st.floats(0, 1))
def test_raising_the_quality_bar_never_picks_a_model_believed_worse(data: st.DataObject, one: float, other: float) -> None:
    router = data.draw(routers(select="cheapest_above_bar", rules=False, explore=0.0, sessions=False))
    request, scores, view = data.draw(requests()), data.draw(beliefs(abstained=False)), data.draw(views())
    request = msgspec.structs.replace(request, tool_loop=False, sealed=False)
    low, high = sorted((one, other))

    def believed(bar: float) -> float | None:
        tasks = {name: msgspec.structs.replace(task, bar=bar) for name, task in router.policy.tasks.items()}
        moved = Router(router.loaded)
        moved.policy = msgspec.structs.replace(
            router.policy, tasks=tasks, open_task=msgspec.structs.replace(router.policy.open_task, bar=bar)
        )
        target = moved.decide(request, scores, msgspec.structs.replace(view, pins={})).target
        pool, _ = moved.consider(request, scores, view)
        return next((c.quality for c in pool if moved.policy.fleet.models[c.index].name == target), None)

    at_low, at_high = believed(low), believed(high)
    assert at_low is None or at_high is None or at_high >= at_low


@given(routers(), requests(), beliefs(), views())
def test_the_propensities_of_what_chance_may_choose_sum_to_one(router: Router, request: Features, scores: Scores, view: View) -> None:
    seen: dict[str, float] = {}
    for draw in range(400):
        decision = router.decide(msgspec.structs.replace(request, draw=draw / 400), scores, view)
        seen[decision.target] = decision.propensity
    assert sum(seen.values()) <= 1.0 + 1e-9
    if len(seen) == 1:
        assert 0.0 < next(iter(seen.values())) <= 1.0


@given(routers(), requests(), beliefs(), views())
def test_load_moves_nothing_that_is_forced_held_or_in_the_background(router: Router, request: Features, scores: Scores, view: View) -> None:
    decision = router.decide(request, scores, view)
    whys = {reason.why for reason in decision.reasons}
    _, question = router.consider(request, scores, view)
    if Why.LOAD_SHIFTED in whys:
        assert not whys & {Why.NAMED_MODEL, Why.NAMED_TIER, Why.PINNED, Why.RULE, Why.SESSION_HELD, Why.EXPLORED, Why.COMBINED}
        assert (question.latency_budget or 0.0) < 60.0


@given(routers(), requests(), beliefs(), views())
def test_a_request_is_moved_to_nobody_under_more_pressure(router: Router, request: Features, scores: Scores, view: View) -> None:
    calm = router.decide(request, scores, msgspec.structs.replace(view, pressure={}))
    decision = router.decide(request, scores, view)
    if decision.target != calm.target:
        assert view.pressure.get(decision.target, 0.0) < view.pressure[calm.target]
        assert any(reason.why == Why.LOAD_SHIFTED and reason.subject == decision.target for reason in decision.reasons)


@given(routers(), requests(), beliefs(), views())
def test_in_a_tool_loop_the_sessions_model_goes_on_where_it_can(router: Router, request: Features, scores: Scores, view: View) -> None:
    assume(view.warm in router.policy.fleet.index)
    looping = msgspec.structs.replace(request, tool_loop=True)
    decision = router.decide(looping, scores, view)
    _, question = router.consider(looping, scores, msgspec.structs.replace(view, warm=""))
    standing = standing_in(router.policy, question, 1 << router.policy.fleet.index[view.warm])
    if standing.mask and not standing.lifted:
        assert decision.target == view.warm


@given(routers(), requests(), beliefs(), views())
def test_a_stream_is_held_back_or_followed_by_a_verdict_exactly_where_something_is_checked(
    router: Router, request: Features, scores: Scores, view: View
) -> None:
    decision = router.decide(request, scores, view)
    checked = bool(decision.combine) or any(step.validators for step in decision.steps)
    if decision.steps:
        assert bool(decision.stream) == (request.stream and checked)
    assert decision.stream != "optimistic" or decision.combine is None
