"""What a client is told when nothing answered."""

from __future__ import annotations

import pytest

from tierline.gateway.failure import error_of
from tierline.types.decision import Attempt, Cause, Decision, Step
from tierline.types.errors import RequestError
from tierline.types.outcome import Answer, ErrorClass, Outcome, Result

DECISION = Decision("r", "auto", "p", (Step("fast", ("a", "b", "c")),), deadline=10.0)


def failed(*kinds: ErrorClass, causes: tuple[Cause, ...] = ()) -> Result:
    outcomes = [Outcome(ok=False, error=kind, detail=f"detail of {kind}", elapsed=0.5) for kind in kinds]
    names = zip("abcdef", causes or ("first",) * len(kinds), strict=False)
    return Result(tuple([(Attempt(1, name, cause), outcome) for (name, cause), outcome in zip(names, outcomes, strict=False)]))


def told(result: Result) -> RequestError:
    error = error_of(DECISION, result)
    assert error is not None
    return error


@pytest.mark.parametrize(
    ("kinds", "status"),
    [
        (("rate_limited",), 429),
        (("rate_limited", "rate_limited"), 429),
        (("overloaded",), 503),
        (("overloaded", "rate_limited"), 503),
        (("timeout",), 504),
        (("idle", "timeout"), 504),
        (("server",), 502),
        (("auth",), 502),
        (("not_found",), 502),
        (("malformed",), 502),
        (("timeout", "server"), 502),
        (("context_exceeded", "server"), 502),
        (("server", "context_exceeded"), 400),
        (("content_filter",), 400),
        (("untranslatable", "untranslatable"), 400),
    ],
)
def test_the_status_says_what_befell_all_of_them(kinds: tuple[ErrorClass, ...], status: int) -> None:
    assert told(failed(*kinds)).status == status


def test_those_that_only_lost_a_race_are_no_reason() -> None:
    error = told(failed("outraced", "rate_limited", causes=("first", "hedge")))
    assert error.status == 429 and "outraced" not in error.message and "a:" not in error.message


def test_a_request_that_is_at_fault_is_told_so_whichever_branch_said_it() -> None:
    body = Outcome(ok=False, error="bad_request", status=422, answer=Answer("openai_chat", b'{"error":{}}'))
    tried = failed("connect", causes=("branch",)).attempts
    result = Result(((Attempt(1, "z", "branch"), body), *tried), stopped="bad_request")
    error = told(result)
    assert error.status == 422 and getattr(error, "body", b"") == b'{"error":{}}'


def test_branches_that_failed_side_by_side_did_not_take_the_deadline_together() -> None:
    slow = Outcome(ok=False, error="server", elapsed=6.0)
    side_by_side = Result(tuple([(Attempt(number, name, "branch"), slow) for number, name in enumerate("ab", 1)]))
    in_turn = Result(tuple([(Attempt(number, name, "fallback"), slow) for number, name in enumerate("ab", 1)]))
    assert (told(side_by_side).status, told(in_turn).status) == (502, 504)


def test_a_wait_between_attempts_counts_towards_the_deadline() -> None:
    quick = Outcome(ok=False, error="rate_limited", elapsed=1.0)
    waited = Result(((Attempt(1, "a"), quick), (Attempt(2, "a", "retry", wait=8.0), quick)))
    assert told(waited).code == "deadline_exceeded"


def test_a_stream_that_broke_off_names_the_model_it_came_from() -> None:
    cut = Outcome(ok=False, error="cut", detail="it fell silent")
    lost = Outcome(ok=False, error="outraced")
    result = Result(((Attempt(1, "a"), cut), (Attempt(2, "b", "hedge"), lost)), winner=0, truncated=True)
    error = told(result)
    assert error.code == "upstream_cut" and error.message.startswith("a: it fell silent")


def test_the_best_there_was_is_an_answer_whatever_ended_the_course() -> None:
    weak = Outcome(ok=True, answer=Answer("openai_chat", b"{}"))
    assert error_of(DECISION, Result(((Attempt(1, "a"), weak),), 0, flagged=True, stopped="max_cost")) is None


def test_what_befell_a_model_several_times_is_said_once_and_its_status_once() -> None:
    busy = Outcome(ok=False, error="overloaded", status=503, detail="status 503, overloaded_error: come back")
    lost = Outcome(ok=False, error="connect", detail="nobody listens")
    tried = [(Attempt(1, name, "first"), outcome) for name, outcome in (("a", busy), ("b", lost), ("b", lost))]
    message = told(Result(tuple(tried))).message
    assert message == "no model answered: a: overloaded (503): overloaded_error: come back; b: connect: nobody listens (2 times)"


def test_what_an_upstream_says_of_the_gateways_own_key_is_not_for_clients() -> None:
    refused = Outcome(ok=False, error="auth", status=401, detail="status 401, invalid_api_key: Incorrect API key provided: sk-1***9")
    assert told(Result(((Attempt(1, "a", "first"), refused),))).message == "no model answered: a: auth (401)"
