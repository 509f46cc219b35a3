"""The laws of routing, over random specs, requests and worlds."""

from __future__ import annotations

import msgspec
from hypothesis import assume, given
from hypothesis import strategies as st

from routing.worlds import NAMES, beliefs, requests, routers, views
from tierline.routing.eligibility import bits
from tierline.routing.pursue import pursue
from tierline.routing.router import Router
from tierline.routing.scope import standing_in
from tierline.testing.builders import failed, ok, rejected
from tierline.types.decision import Decision, Why
from tierline.types.features import Features
from tierline.types.outcome import Outcome, Result
from tierline.types.scores import Scores
from tierline.types.view import View

OUTCOMES = st.builds(ok, elapsed=st.floats(0, 40), cost=st.floats(0, 0.01)) | st.builds(
    rejected, elapsed=st.floats(0, 40), cost=st.floats(0, 0.01)
)
FAILURES = st.builds(
    failed, st.sampled_from(["server", "timeout", "rate_limited", "connect", "bad_request", "cut"]), elapsed=st.floats(0, 40)
)


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
    targets = {target for step in decision.steps for target in step.targets}
    lifted = any(reason.why == Why.LIMITS_LIFTED for reason in decision.reasons)
    assert lifted or targets <= standing


@given(routers(), requests(), beliefs(), views())
def test_no_target_stands_twice_in_one_step(router: Router, request: Features, scores: Scores, view: View) -> None:
    for step in router.decide(request, scores, view).steps:
        assert len(set(step.targets)) == len(step.targets)
        assert len(step.costs) == len(step.targets)


@given(routers(), requests(), beliefs(), views(), st.sampled_from(NAMES))
def test_a_key_never_reaches_a_model_it_may_not_use_whatever_it_names(
    router: Router, request: Features, scores: Scores, view: View, name: str
) -> None:
    assume(name in router.policy.fleet.index)
    allowed = next(iter(router.loaded.keys.values())).models
    hints = msgspec.structs.replace(request.hints, model=name)
    for asked in (request, msgspec.structs.replace(request, hints=hints)):
        decision = router.decide(msgspec.structs.replace(asked, key="team"), scores, view)
        assert {target for step in decision.steps for target in step.targets} <= allowed


@given(routers(), requests(), beliefs(), views())
def test_personal_data_stays_in_house(router: Router, request: Features, scores: Scores, view: View) -> None:
    decision = router.decide(msgspec.structs.replace(request, sensitivity=("pii",)), scores, view)
    for step in decision.steps:
        for target in step.targets:
            assert router.loaded.models[target].residency == "on_prem"


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
    router = data.draw(routers(select="cheapest_above_bar", rules=False, explore=0.0))
    request, scores, view = data.draw(requests()), data.draw(beliefs(abstained=False)), data.draw(views())
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


def _course(decision: Decision, outcomes: list[Outcome]) -> Result:
    course, queue = pursue(decision), iter(outcomes)
    try:
        next(course)
        while True:
            course.send((next(queue),))
    except StopIteration as end:
        assert isinstance(end.value, Result)
        return end.value


@given(routers(), requests(), beliefs(), views(), st.lists(OUTCOMES | FAILURES, min_size=80, max_size=80))
def test_a_course_ends_within_its_attempts_its_deadline_and_its_plan(
    router: Router, request: Features, scores: Scores, view: View, outcomes: list[Outcome]
) -> None:
    decision = router.decide(request, scores, view)
    result = _course(decision, outcomes)
    planned = {target for step in decision.steps for target in step.targets}
    assert len(result.attempts) <= decision.max_attempts
    assert {attempt.target for attempt, _ in result.attempts} <= planned
    assert [attempt.number for attempt, _ in result.attempts] == list(range(1, len(result.attempts) + 1))
    before = decision.deadline
    for attempt, outcome in result.attempts:
        assert attempt.number == 1 or (attempt.timeout or 0) > 0
        assert attempt.timeout is not None and abs(attempt.timeout - before) < 1e-6
        before -= outcome.elapsed


@given(routers(), requests(), beliefs(), views(), st.lists(FAILURES, min_size=80, max_size=80))
def test_a_model_that_failed_is_not_asked_again(
    router: Router, request: Features, scores: Scores, view: View, outcomes: list[Outcome]
) -> None:
    result = _course(router.decide(request, scores, view), outcomes)
    targets = [attempt.target for attempt, _ in result.attempts]
    assert len(set(targets)) == len(targets)


@given(routers(), requests(), beliefs(), views(), st.lists(OUTCOMES | FAILURES, min_size=80, max_size=80))
def test_a_further_attempt_is_never_started_above_the_cost_cap(
    router: Router, request: Features, scores: Scores, view: View, outcomes: list[Outcome]
) -> None:
    decision = router.decide(request, scores, view)
    expected = {target: cost for step in decision.steps for target, cost in zip(step.targets, step.costs, strict=True)}
    spent = 0.0
    for attempt, outcome in _course(decision, outcomes).attempts:
        if attempt.number > 1 and decision.max_cost is not None:
            assert spent + expected[attempt.target] <= decision.max_cost + 1e-9
        spent += outcome.cost
