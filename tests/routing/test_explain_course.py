"""What came of a request, as a person reads it."""

from __future__ import annotations

from typing import Any

import msgspec

from tierline.routing.explain_course import told_after
from tierline.types.decision import Decision
from tierline.types.features import Features
from tierline.types.outcome import NO_USAGE, Aside, Verdict
from tierline.types.record import Record, Tried

NO = Verdict("orders/schema", False, "not JSON")
YES = Verdict("orders/schema", True)


def attempt(target: str, cause: str = "first", **more: Any) -> Tried:
    plain = Tried(target, cause, True, 0.001, 0.1, None, NO_USAGE)
    return msgspec.structs.replace(plain, **more)


def told(*tried: Tried, winner: int | None, **more: Any) -> list[str]:
    row = Record(1.0, Features("r"), Decision("r", "auto", "p", ()), tried=tried, winner=winner)
    return list(told_after(msgspec.structs.replace(row, **more)))


def test_a_failed_provider_its_neighbour_a_weak_answer_and_the_climb() -> None:
    course = told(
        attempt("mini", ok=False, error="server", status=500, cost=0.0),
        attempt("local", "fallback", verdicts=(NO,)),
        attempt("local", "retry", verdicts=(NO,)),
        attempt("gpt", "escalation", verdicts=(YES,)),
        winner=3,
    )
    assert course == [
        "mini was asked first and failed: server (status 500).",
        "local was asked in its place and answered, but orders/schema did not accept it: not JSON.",
        "local was asked again and answered, but orders/schema did not accept it: not JSON.",
        "The request climbed to gpt, which answered, and every check passed.",
        "gpt answered the client; the request cost $0.003000.",
    ]


def test_a_race_its_loser_and_the_winner() -> None:
    course = told(attempt("slow", ok=False, error="outraced"), attempt("quick", "hedge"), winner=1)
    assert course[:2] == [
        "slow was asked first and was cancelled: another answered first.",
        "Since no answer had come, quick was asked as well and answered.",
    ]


def test_branches_with_a_choice_and_without() -> None:
    branches = (attempt("a", "branch"), attempt("b", "branch"))
    judge = attempt("gpt", "judge", asides=(Aside("judge", "gpt", True, 0.001),))
    assert told(*branches, judge, winner=1)[2:] == [
        "gpt compared the answers, and that of b was chosen.",
        "b answered the client; the request cost $0.003000.",
    ]
    unheard = attempt("gpt", "judge", asides=(Aside("judge", "gpt", False, error="timeout"),))
    assert told(*branches, unheard, attempt("big", "escalation"), winner=3)[2] == (
        "gpt was to compare the answers and could not (timeout): none was chosen."
    )
    apart = told(*branches, attempt("", "judge", cost=0.0), attempt("big", "escalation"), winner=3)
    assert apart[2:4] == ["The answers were compared, and none was chosen.", "The request climbed to big, which answered."]
    kept = told(*branches, attempt("", "judge", cost=0.0), winner=1, flagged=True)
    assert kept[2:] == [
        "The answers were compared, and none was chosen.",
        "The best there was, that of b, was given, flagged; the request cost $0.002000.",
    ]


def test_nobody_answered_and_what_the_client_was_told() -> None:
    timed_out = attempt("mini", ok=False, error="timeout", cost=0.0)
    course = told(
        timed_out, msgspec.structs.replace(timed_out, cause="retry", wait=0.25), winner=None, stopped="deadline", status=504, error="late"
    )
    assert course[1:] == [
        "mini was asked again after a wait of 0.25 s and failed: timeout.",
        "Its deadline ended it.",
        "Nobody answered; the request cost $0.000000, and the client was told 504, late.",
    ]


def test_calls_beside_an_attempt_and_a_cut_stream_are_told() -> None:
    checked = attempt("mini", verdicts=(YES,), asides=(Aside("orders/judge", "gpt", True, 0.001),))
    assert told(checked, winner=0)[0].endswith("every check passed (gpt was asked for orders/judge).")
    assert "broke off after its first words" in told(attempt("mini", ok=False, error="cut"), winner=0, truncated=True)[-1]


def test_of_a_request_that_no_model_was_asked_about_nothing_is_told() -> None:
    assert told(winner=None, answered="cache:exact") == []
