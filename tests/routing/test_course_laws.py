"""The laws of a course, over random plans and whatever may come of their attempts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from routing.courses import COSTS, fates, plans, play
from routing.worlds import beliefs, requests, routers, views
from tierline.routing.pursuit.failures import ELSEWHERE
from tierline.routing.router import Router
from tierline.types.decision import Decision
from tierline.types.features import Features
from tierline.types.outcome import Outcome
from tierline.types.scores import Scores
from tierline.types.view import View

SPENT = st.floats(0, 130)
CENTS = st.floats(0, 0.06)


def planned(decision: Decision) -> set[str]:
    """Everyone that a course of this decision may ask; the empty name compares words and asks nobody."""
    judge = {decision.combine.judge} if decision.combine is not None else set()
    return {target for step in decision.steps for target in step.targets} | judge | {decision.refusals, ""}


@given(plans(), fates, SPENT, CENTS)
def test_a_course_ends_within_its_attempts(decision: Decision, fate: list[Outcome], spent: float, cost: float) -> None:
    rounds = play(decision, fate, spent, cost).rounds
    assert sum(attempt.target != "" for asked, *_ in rounds for attempt in asked.attempts) <= decision.max_attempts


@given(plans(), fates, SPENT, CENTS)
def test_no_attempt_begins_after_the_deadline_its_rest_included(decision: Decision, fate: list[Outcome], spent: float, cost: float) -> None:
    for asked, _, gone, _ in play(decision, fate, spent, cost).rounds:
        for attempt in asked.attempts:
            left = decision.deadline - gone - attempt.wait
            assert left > 0
            assert attempt.timeout is not None and abs(attempt.timeout - left) < 1e-6


@given(plans(), fates, SPENT, CENTS)
def test_no_round_begins_that_would_break_the_cost_cap(decision: Decision, fate: list[Outcome], spent: float, cost: float) -> None:
    for asked, _, _, paid in play(decision, fate, spent, cost).rounds:
        expected = sum(COSTS.get(attempt.target, 0.0) for attempt in asked.attempts)
        assert decision.max_cost is None or paid + expected <= decision.max_cost + 1e-9


@given(plans(), fates)
def test_nobody_is_asked_twice_but_by_a_declared_retry_or_at_another_endpoint(decision: Decision, fate: list[Outcome]) -> None:
    last: dict[str, Outcome] = {}
    for asked, outcomes, *_ in play(decision, fate).rounds:
        for attempt, outcome in zip(asked.attempts, outcomes, strict=True):
            before = last.get(attempt.target)
            if attempt.cause == "judge":
                continue
            if before is not None and attempt.cause != "retry":
                assert attempt.cause == "fallback" and before.spare > 0 and before.error in ELSEWHERE
            if outcome.error != "outraced" or outcome.elapsed:
                last[attempt.target] = outcome


@given(plans(), fates)
def test_quality_retries_are_as_many_as_the_step_declares(decision: Decision, fate: list[Outcome]) -> None:
    asked_again: dict[str, int] = {}
    for asked, *_ in play(decision, fate).rounds:
        for attempt in asked.attempts:
            asked_again[attempt.target] = asked_again.get(attempt.target, 0) + (attempt.cause == "retry" and attempt.feedback != "")
    allowed = max((step.retries for step in decision.steps), default=0)
    assert all(count <= allowed * (1 + decision.retries) for count in asked_again.values())


@given(plans(), fates)
def test_nobody_outside_the_plan_is_asked(decision: Decision, fate: list[Outcome]) -> None:
    assert {attempt.target for asked, *_ in play(decision, fate).rounds for attempt in asked.attempts} <= planned(decision)


@given(plans(), fates)
def test_a_result_tells_every_attempt_in_its_order_and_an_answer_that_was_given(decision: Decision, fate: list[Outcome]) -> None:
    played = play(decision, fate)
    result = played.result
    assert [attempt.number for attempt, _ in result.attempts] == list(range(1, len(result.attempts) + 1))
    assert abs(result.cost - sum(outcome.cost for _, outcomes, *_ in played.rounds for outcome in outcomes)) < 1e-9
    if result.outcome is not None:
        assert result.truncated or result.outcome.ok
        assert result.outcome.accepted or result.flagged or result.truncated
    elif any(outcome.ok for attempt, outcome in result.attempts if attempt.cause != "judge"):
        raise AssertionError("there was an answer, and nothing was answered")


@given(plans(), fates)
def test_the_same_fate_gives_the_same_course(decision: Decision, fate: list[Outcome]) -> None:
    assert play(decision, fate) == play(decision, fate)


@given(routers(), requests(), beliefs(), views(), fates)
def test_what_the_router_decides_is_pursued_within_its_plan(
    router: Router, request: Features, scores: Scores, view: View, fate: list[Outcome]
) -> None:
    decision = router.decide(request, scores, view)
    rounds = play(decision, fate).rounds
    expected = {target: cost for step in decision.steps for target, cost in zip(step.targets, step.costs, strict=True)}
    expected |= {decision.refusals: expected.get(decision.refusals, decision.refusal_cost), "": 0.0}
    if decision.combine is not None:
        expected[decision.combine.judge] = expected.get(decision.combine.judge, decision.combine.cost)
    assert {attempt.target for asked, *_ in rounds for attempt in asked.attempts} <= planned(decision)
    assert bool(rounds) == bool(decision.steps)
    for asked, _, _, paid in rounds:
        cost = sum(expected[attempt.target] for attempt in asked.attempts)
        assert decision.max_cost is None or paid + cost <= decision.max_cost + 1e-9
