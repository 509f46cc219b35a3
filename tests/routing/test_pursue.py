"""Courses as dialogues."""

from __future__ import annotations

import pytest

from tierline.testing.builders import failed, ok, rejected
from tierline.testing.playbook import Playbook
from tierline.types.decision import Decision, Step


def decision(*steps: tuple[str, ...], **limits: object) -> Decision:
    plan = tuple(Step("fast", targets, (0.01,) * len(targets), ("schema",)) for targets in steps)
    return msgspec_decision(plan, **limits)


def msgspec_decision(plan: tuple[Step, ...], **limits: object) -> Decision:
    return Decision("r-1", "auto", "policy", plan, **limits)  # type: ignore[arg-type]


def test_the_first_good_answer_ends_the_course() -> None:
    assert (Playbook(decision(("mini",), ("sonnet",))) << ("mini", "first") >> ok()).answered_by("mini")


def test_a_failed_provider_falls_back_to_its_neighbour() -> None:
    plan = decision(("mini", "local"), ("sonnet",))
    assert (Playbook(plan) << ("mini", "first") >> failed() << ("local", "fallback") >> ok()).answered_by("local")


def test_a_weak_answer_escalates_past_the_neighbour() -> None:
    plan = decision(("mini", "local"), ("sonnet",))
    assert (Playbook(plan) << ("mini", "first") >> rejected() << ("sonnet", "escalation") >> ok()).answered_by("sonnet")


def test_when_a_whole_step_fails_the_next_one_is_a_fallback() -> None:
    plan = decision(("mini",), ("sonnet",))
    assert (Playbook(plan) << ("mini", "first") >> failed("connect") << ("sonnet", "fallback") >> ok()).answered_by("sonnet")


def test_after_the_top_the_best_answer_so_far_is_returned_flagged() -> None:
    plan = decision(("mini",), ("sonnet",))
    dialogue = Playbook(plan) << ("mini", "first") >> rejected() << ("sonnet", "escalation") >> rejected()
    assert dialogue.flagged_from("sonnet")


def test_a_weak_answer_is_better_than_none_when_the_next_step_fails() -> None:
    plan = decision(("mini",), ("sonnet",))
    assert (Playbook(plan) << ("mini", "first") >> rejected() << ("sonnet", "escalation") >> failed()).flagged_from("mini")


def test_a_target_that_failed_is_passed_over_on_a_later_step() -> None:
    plan = decision(("mini", "local"), ("sonnet", "local"))
    dialogue = Playbook(plan) << ("mini", "first") >> failed() << ("local", "fallback") >> failed()
    assert (dialogue << ("sonnet", "fallback") >> failed()).gave_up()


@pytest.mark.parametrize(("error", "stopped"), [("bad_request", "bad_request"), ("cancelled", "cancelled")])
def test_what_no_other_model_could_mend_ends_the_course(error: str, stopped: str) -> None:
    assert (Playbook(decision(("mini", "local"))) << ("mini", "first") >> failed(error)).gave_up(stopped)  # type: ignore[arg-type]


def test_a_stream_cut_after_its_first_content_is_a_truncated_answer() -> None:
    dialogue = Playbook(decision(("mini", "local"))) << ("mini", "first") >> failed("cut")
    assert dialogue.result.truncated
    assert dialogue.result.model == "mini"


def test_the_deadline_spans_every_attempt() -> None:
    plan = decision(("mini", "local"), ("sonnet",), deadline=2.0)
    dialogue = Playbook(plan) << ("mini", "first") >> failed("timeout", elapsed=1.5) << ("local", "fallback")
    assert (dialogue >> failed("timeout", elapsed=0.6)).gave_up("deadline")


def test_the_cost_cap_stops_a_climb_that_would_break_it() -> None:
    plan = decision(("mini",), ("sonnet",), max_cost=0.015)
    dialogue = Playbook(plan) << ("mini", "first") >> rejected(cost=0.01)
    assert dialogue.flagged_from("mini")
    assert dialogue.result.stopped == "max_cost"


def test_the_number_of_attempts_is_bounded() -> None:
    plan = decision(("a", "b", "c"), max_attempts=2)
    assert (Playbook(plan) << ("a", "first") >> failed() << ("b", "fallback") >> failed()).gave_up("max_attempts")


def test_a_decision_without_steps_asks_nobody() -> None:
    assert Playbook(decision()).gave_up()


def test_the_playbook_fails_where_the_dialogue_goes_wrong() -> None:
    with pytest.raises(AssertionError, match="asked for"):
        Playbook(decision(("mini",))) << ("sonnet", "first")  # the dialogue is the statement
