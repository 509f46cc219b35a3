"""Courses as dialogues."""

from __future__ import annotations

from typing import Any

import pytest

from tierline.testing.builders import failed, ok, outraced, rejected
from tierline.testing.playbook import Playbook
from tierline.types.decision import Combine, Decision, Step
from tierline.types.outcome import ErrorClass, Outcome


def step(*targets: str, cost: float = 0.01, **more: Any) -> Step:
    return Step("fast", targets, (cost,) * len(targets), ("schema",), **more)


def plan(*steps: Step | tuple[str, ...], **course: Any) -> Decision:
    made = tuple([given if isinstance(given, Step) else step(*given) for given in steps])
    return Decision("r-1", "auto", "policy", made, **course)


def waited(dialogue: Playbook) -> float:
    return dialogue.asked.attempts[0].wait


# one after another


def test_the_first_good_answer_ends_the_course() -> None:
    assert (Playbook(plan(("mini",), ("sonnet",))) << ("mini", "first") >> ok()).answered_by("mini")


def test_a_failed_provider_falls_back_to_its_neighbour() -> None:
    dialogue = Playbook(plan(("mini", "local"), ("sonnet",))) << ("mini", "first") >> failed() << ("local", "fallback") >> ok()
    assert dialogue.answered_by("local")


def test_a_weak_answer_escalates_past_the_neighbour() -> None:
    dialogue = Playbook(plan(("mini", "local"), ("sonnet",))) << ("mini", "first") >> rejected() << ("sonnet", "escalation") >> ok()
    assert dialogue.answered_by("sonnet")


def test_when_a_whole_step_fails_the_next_one_is_a_fallback() -> None:
    dialogue = Playbook(plan(("mini",), ("sonnet",))) << ("mini", "first") >> failed("connect") << ("sonnet", "fallback") >> ok()
    assert dialogue.answered_by("sonnet")


def test_a_target_that_failed_is_passed_over_on_a_later_step() -> None:
    dialogue = Playbook(plan(("mini", "local"), ("sonnet", "local"))) << ("mini", "first") >> failed() << ("local", "fallback") >> failed()
    assert (dialogue << ("sonnet", "fallback") >> failed()).gave_up()


def test_a_target_whose_answer_was_weak_is_not_asked_again_on_a_later_step() -> None:
    dialogue = (
        Playbook(plan(("mini", "local"), ("local", "sonnet"))) << ("mini", "first") >> failed() << ("local", "fallback") >> rejected()
    )
    assert (dialogue << ("sonnet", "escalation") >> ok()).answered_by("sonnet")


def test_a_weak_answer_does_not_climb_down_but_a_failure_may() -> None:
    decision = plan(("opus",), step("mini", lower=True))
    assert (Playbook(decision) << ("opus", "first") >> rejected()).flagged_from("opus")
    assert (Playbook(decision) << ("opus", "first") >> failed() << ("mini", "fallback") >> ok()).answered_by("mini")


def test_a_decision_without_steps_asks_nobody() -> None:
    assert Playbook(plan()).gave_up()


# the best answer so far


def test_after_the_top_the_best_answer_so_far_is_returned_flagged() -> None:
    dialogue = Playbook(plan(("mini",), ("sonnet",))) << ("mini", "first") >> rejected() << ("sonnet", "escalation") >> rejected()
    assert dialogue.flagged_from("sonnet")


def test_the_answer_that_passed_most_checks_is_better_than_a_later_one() -> None:
    dialogue = Playbook(plan(("mini",), ("sonnet",))) << ("mini", "first") >> rejected(passed=2) << ("sonnet", "escalation")
    assert (dialogue >> rejected(passed=1)).flagged_from("mini")


def test_a_weak_answer_is_better_than_none_when_the_next_step_fails() -> None:
    dialogue = Playbook(plan(("mini",), ("sonnet",))) << ("mini", "first") >> rejected() << ("sonnet", "escalation") >> failed()
    assert dialogue.flagged_from("mini")


# failures by class


@pytest.mark.parametrize(("error", "stopped"), [("bad_request", "bad_request"), ("cancelled", "cancelled"), ("deadline", "deadline")])
def test_what_no_other_model_could_mend_ends_the_course(error: ErrorClass, stopped: str) -> None:
    assert (Playbook(plan(("mini", "local"))) << ("mini", "first") >> failed(error)).gave_up(stopped)


@pytest.mark.parametrize("error", ["connect", "timeout", "server", "overloaded", "rate_limited", "auth"])
def test_another_endpoint_of_the_same_model_comes_before_another_model(error: ErrorClass) -> None:
    dialogue = Playbook(plan(("mini", "local"))) << ("mini", "first") >> failed(error, spare=1) << ("mini", "fallback") >> failed(error)
    assert (dialogue << ("local", "fallback") >> ok()).answered_by("local")


@pytest.mark.parametrize("error", ["not_found", "malformed", "idle", "untranslatable", "context_exceeded", "content_filter"])
def test_what_every_endpoint_shares_goes_to_another_model(error: ErrorClass) -> None:
    assert (Playbook(plan(("mini", "local"))) << ("mini", "first") >> failed(error, spare=1) << ("local", "fallback") >> ok()).answered_by(
        "local"
    )


def test_what_does_not_fit_one_window_goes_to_a_larger_or_an_unknown_one() -> None:
    windows = Step("fast", ("mini", "same", "larger"), (0.01,) * 3, windows=(8_000, 8_000, 200_000))
    above = Step("best", ("smaller", "unknown"), (0.01,) * 2, windows=(4_000, 0))
    dialogue = Playbook(plan(windows, above)) << ("mini", "first") >> failed("context_exceeded") << ("larger", "fallback") >> failed()
    assert (dialogue << ("unknown", "fallback") >> ok()).answered_by("unknown")


def test_where_nobody_has_a_larger_window_the_course_ends() -> None:
    windows = Step("fast", ("mini", "same"), (0.01,) * 2, windows=(8_000, 8_000))
    assert (Playbook(plan(windows)) << ("mini", "first") >> failed("context_exceeded")).gave_up()


def test_what_a_content_policy_refuses_goes_to_the_model_named_for_it_once() -> None:
    dialogue = Playbook(plan(("mini", "local"), refusals="frank")) << ("mini", "first") >> failed("content_filter") << ("frank", "fallback")
    assert (dialogue >> failed() << ("local", "fallback") >> failed("content_filter")).gave_up()


def test_a_stream_cut_after_its_first_content_is_a_truncated_answer() -> None:
    for broken in (failed("cut"), failed("idle", ttft=0.2)):
        dialogue = Playbook(plan(("mini", "local"))) << ("mini", "first") >> broken
        assert dialogue.result.truncated
        assert dialogue.result.model == "mini"


def test_a_buffered_stream_that_broke_has_shown_nothing_so_another_model_answers() -> None:
    dialogue = Playbook(plan(("mini", "local"), stream="buffered")) << ("mini", "first") >> failed("cut", ttft=0.2) << ("local", "fallback")
    assert (dialogue >> ok()).answered_by("local")


# asked again when nobody is left


def test_when_nobody_is_left_those_who_failed_for_a_passing_reason_are_asked_again_after_a_rest() -> None:
    dialogue = Playbook(plan(("mini", "local"), retries=1, backoff=0.4, draw=0.3)) << ("mini", "first") >> failed("auth")
    dialogue = dialogue << ("local", "fallback") >> failed("server") << ("local", "retry")
    assert 0.2 <= waited(dialogue) <= 0.6
    assert (dialogue >> ok()).answered_by("local")


def test_the_rest_doubles_with_each_pass() -> None:
    dialogue = Playbook(plan(("mini",), retries=2, backoff=1.0, max_attempts=9)) << ("mini", "first") >> failed() << ("mini", "retry")
    assert 0.5 <= waited(dialogue) <= 1.5
    dialogue = dialogue >> failed() << ("mini", "retry")
    assert 1.0 <= waited(dialogue) <= 3.0
    assert (dialogue >> failed()).gave_up()


def test_a_provider_that_says_when_to_come_back_is_left_alone_until_then() -> None:
    dialogue = Playbook(plan(("mini",), retries=1)) << ("mini", "first") >> failed("rate_limited", retry_after=7.0) << ("mini", "retry")
    assert waited(dialogue) == pytest.approx(7.0)
    assert dialogue.asked.attempts[0].timeout == pytest.approx(60.0 - 0.1 - 7.0)


def test_the_time_that_others_took_counts_as_rest() -> None:
    dialogue = Playbook(plan(("mini", "local"), retries=1)) << ("mini", "first") >> failed("overloaded", retry_after=3.0)
    dialogue = dialogue << ("local", "fallback") >> failed("not_found", elapsed=2.0) << ("mini", "retry")
    assert waited(dialogue) == pytest.approx(1.0)


def test_a_provider_that_would_come_back_after_the_deadline_is_not_waited_for() -> None:
    dialogue = Playbook(plan(("mini",), retries=1, deadline=5.0)) << ("mini", "first") >> failed("rate_limited", retry_after=30.0)
    assert dialogue.gave_up()


def test_who_is_ready_first_is_asked_first() -> None:
    dialogue = Playbook(plan(("mini", "local"), retries=1)) << ("mini", "first") >> failed("rate_limited", retry_after=20.0)
    dialogue = dialogue << ("local", "fallback") >> failed("server") << ("local", "retry") >> failed() << ("mini", "retry")
    assert (dialogue >> ok()).answered_by("mini")


def test_only_those_above_an_answer_are_asked_again_for_a_better_one() -> None:
    dialogue = (
        Playbook(plan(("mini", "local"), ("sonnet",), retries=1)) << ("mini", "first") >> failed() << ("local", "fallback") >> rejected()
    )
    dialogue = dialogue << ("sonnet", "escalation") >> failed("overloaded") << ("sonnet", "retry") >> ok()
    assert dialogue.answered_by("sonnet")


# told what was wrong


def test_a_weak_answer_is_tried_once_more_with_the_reason_fed_back_where_the_step_allows_it() -> None:
    dialogue = Playbook(plan(step("mini", "local", retries=1), ("sonnet",))) << ("mini", "first") >> rejected(feedback="not JSON")
    dialogue = dialogue << ("mini", "retry")
    assert dialogue.asked.attempts[0].feedback == "not JSON"
    assert (dialogue >> rejected(feedback="still not") << ("sonnet", "escalation") >> ok()).answered_by("sonnet")


def test_without_anything_to_say_a_weak_answer_is_not_tried_again() -> None:
    dialogue = Playbook(plan(step("mini", retries=1), ("sonnet",))) << ("mini", "first") >> rejected() << ("sonnet", "escalation") >> ok()
    assert dialogue.answered_by("sonnet")


def test_a_second_try_that_fails_at_the_provider_still_climbs() -> None:
    dialogue = Playbook(plan(step("mini", "local", retries=1), ("sonnet",))) << ("mini", "first") >> rejected(feedback="x")
    assert (dialogue << ("mini", "retry") >> failed() << ("sonnet", "escalation") >> ok()).answered_by("sonnet")


def test_an_answer_that_is_merely_unsure_goes_out_flagged_where_the_route_says_so() -> None:
    lenient = plan(("mini",), ("sonnet",), lenient=("task/confidence",))
    assert (Playbook(lenient) << ("mini", "first") >> rejected(validator="task/confidence")).flagged_from("mini")
    dialogue = Playbook(lenient) << ("mini", "first") >> rejected(validator="task/schema") << ("sonnet", "escalation") >> ok()
    assert dialogue.answered_by("sonnet")


def test_an_answer_that_the_client_has_seen_already_is_the_answer_whatever_its_checks_say() -> None:
    dialogue = Playbook(plan(("mini",), ("sonnet",), stream="optimistic")) << ("mini", "first") >> rejected(feedback="x")
    assert dialogue.flagged_from("mini")


# hedging


def test_a_slow_first_is_raced_by_the_second_and_the_loser_is_paid_for() -> None:
    dialogue = Playbook(plan(("mini", "local"), hedge=2.0)) << (("mini", "first"), ("local", "hedge"))
    assert (dialogue.asked.until, dialogue.asked.after) == ("first", 2.0)
    dialogue = dialogue >> (outraced(elapsed=3.0, cost=0.002), ok(cost=0.001, elapsed=1.0))
    assert dialogue.answered_by("local")
    assert dialogue.result.cost == pytest.approx(0.003)


def test_a_rival_that_never_started_leaves_no_trace() -> None:
    result = (Playbook(plan(("mini", "local"), hedge=2.0)) << (("mini", "first"), ("local", "hedge")) >> (ok(), outraced())).result
    assert [attempt.target for attempt, _ in result.attempts] == ["mini"]


def test_when_both_fail_the_course_goes_on() -> None:
    dialogue = Playbook(plan(("mini", "local"), ("sonnet",), hedge=2.0)) << (("mini", "first"), ("local", "hedge"))
    dialogue = dialogue >> (failed(elapsed=0.5), failed(elapsed=0.7)) << ("sonnet", "fallback")
    assert dialogue.asked.attempts[0].timeout == pytest.approx(60.0 - 1.2)
    assert (dialogue >> ok()).answered_by("sonnet")


def test_nothing_is_raced_where_only_one_attempt_fits_into_the_cost_cap() -> None:
    assert (Playbook(plan(("mini", "local"), hedge=2.0, max_cost=0.015)) << ("mini", "first") >> ok()).answered_by("mini")


# combining

AGREEMENT = Combine("agreement")
BRANCHES = (("mini", "branch"), ("local", "branch"))


def test_branches_that_agree_answer_together() -> None:
    dialogue = Playbook(plan(("mini", "local"), ("sonnet",), combine=AGREEMENT)) << BRANCHES
    assert dialogue.asked.until == "all"
    dialogue = dialogue >> (ok(), ok()) << ("", "judge")
    assert dialogue.asked.attempts[0].of == (0, 1)
    assert (dialogue >> ok(cost=0, elapsed=0, pick=0)).answered_by("mini")


def test_branches_that_disagree_escalate() -> None:
    dialogue = Playbook(plan(("mini", "local"), ("sonnet",), combine=AGREEMENT)) << BRANCHES >> (ok(), ok())
    dialogue = dialogue << ("", "judge") >> ok(cost=0, elapsed=0) << ("sonnet", "escalation") >> ok()
    assert dialogue.answered_by("sonnet")


def test_one_branch_alone_agrees_with_nobody_but_is_kept_as_the_best_so_far() -> None:
    dialogue = Playbook(plan(("mini", "local"), ("sonnet",), combine=AGREEMENT)) << BRANCHES >> (ok(), failed())
    assert (dialogue << ("sonnet", "escalation") >> failed()).flagged_from("mini")


def test_branches_that_all_fail_are_followed_by_a_fallback() -> None:
    dialogue = Playbook(plan(("mini", "local"), ("sonnet",), combine=AGREEMENT)) << BRANCHES >> (failed(), failed())
    assert (dialogue << ("sonnet", "fallback") >> ok()).answered_by("sonnet")


def test_a_judge_chooses_among_those_whose_checks_passed() -> None:
    judged = plan(("mini", "local", "other"), ("sonnet",), combine=Combine("judge", judge="opus", cost=0.01))
    dialogue = Playbook(judged) << (*BRANCHES, ("other", "branch")) >> (ok(), rejected(), ok()) << ("opus", "judge")
    assert dialogue.asked.attempts[0].of == (0, 2)
    assert (dialogue >> ok(pick=1)).answered_by("other")


def test_a_single_good_answer_needs_no_judge() -> None:
    judged = plan(("mini", "local"), combine=Combine("judge", judge="opus"))
    assert (Playbook(judged) << BRANCHES >> (failed(), ok())).answered_by("local")


def test_a_judge_that_would_break_the_cost_cap_is_not_asked() -> None:
    judged = plan(("mini", "local"), combine=Combine("judge", judge="opus", cost=1.0), max_cost=0.5)
    assert (Playbook(judged) << BRANCHES >> (ok(), ok())).flagged_from("local")


def test_the_first_valid_branch_wins() -> None:
    dialogue = Playbook(plan(("mini", "local"), combine=Combine("first_valid"))) << BRANCHES
    assert dialogue.asked.until == "first"
    assert (dialogue >> (rejected(), ok())).answered_by("local")


def test_branches_that_no_longer_fit_into_the_money_are_asked_in_turn() -> None:
    capped = plan(("mini", "local"), combine=AGREEMENT, max_cost=0.025)
    assert (Playbook(capped, cost=0.01) << ("mini", "first") >> ok()).answered_by("mini")


# limits


def test_the_deadline_spans_every_attempt() -> None:
    dialogue = Playbook(plan(("mini", "local"), ("sonnet",), deadline=2.0)) << ("mini", "first") >> failed("timeout", elapsed=1.5)
    assert (dialogue << ("local", "fallback") >> failed("timeout", elapsed=0.6)).gave_up("deadline")


def test_time_and_money_that_were_gone_before_count() -> None:
    dialogue = Playbook(plan(("mini", "local"), deadline=2.0, max_cost=0.025), spent=1.5, cost=0.01) << ("mini", "first")
    assert dialogue.asked.attempts[0].timeout == pytest.approx(0.5)
    assert (dialogue >> failed(cost=0.01)).gave_up("max_cost")


def test_the_cost_cap_stops_a_climb_that_would_break_it() -> None:
    dialogue = Playbook(plan(("mini",), ("sonnet",), max_cost=0.015)) << ("mini", "first") >> rejected(cost=0.01)
    assert dialogue.flagged_from("mini")
    assert dialogue.result.stopped == "max_cost"


def test_what_is_too_dear_is_passed_over_for_a_cheaper_one() -> None:
    priced = Step("fast", ("mini", "dear", "local"), (0.01, 0.9, 0.0))
    assert (Playbook(plan(priced, max_cost=0.02)) << ("mini", "first") >> failed() << ("local", "fallback") >> ok()).answered_by("local")


def test_the_number_of_attempts_is_bounded() -> None:
    dialogue = Playbook(plan(("a", "b", "c"), max_attempts=2)) << ("a", "first") >> failed() << ("b", "fallback") >> failed()
    assert dialogue.gave_up("max_attempts")


# the playbook itself


def test_the_playbook_fails_where_the_dialogue_goes_wrong() -> None:
    with pytest.raises(AssertionError, match="asked for"):
        Playbook(plan(("mini",))) << ("sonnet", "first")  # the dialogue is the statement


def test_the_playbook_wants_an_outcome_for_each_attempt() -> None:
    outcomes: tuple[Outcome, ...] = (ok(), ok())
    with pytest.raises(AssertionError, match="2 outcomes"):
        Playbook(plan(("mini",))) >> outcomes  # the dialogue is the statement
