"""What validators say of an answer, and what becomes of it."""

from __future__ import annotations

import pytest

from gateway.scene import DIALECTS, Asks, Breaks, Expects, Fails, Mends, Says, Scene, in_turn
from tierline.types.ask import Ask
from tierline.types.conversation import ToolCall
from tierline.types.decision import Attempt

FOUR = Says("It is 4.")
ASKED = Ask("judge", prompt="Is it right?")


def checked(*names: str, **more: object) -> Attempt:
    return Attempt(1, "mini", validators=names, **more)  # type: ignore[arg-type]


def test_an_answer_that_passes_is_accepted_with_its_verdicts() -> None:
    (_, outcome) = Scene({"mini": [FOUR]}, [Expects("4")]).answers(in_turn(checked("t/expects"))).attempts[0]
    assert outcome.accepted
    assert [(verdict.validator, verdict.passed, verdict.score) for verdict in outcome.verdicts] == [("t/expects", True, 1.0)]
    assert outcome.feedback == ""


def test_one_that_does_not_says_why_and_the_log_quotes_nothing() -> None:
    (_, outcome) = Scene({"mini": [FOUR]}, [Expects("four")]).answers(in_turn(checked("t/expects"))).attempts[0]
    assert outcome.ok and not outcome.accepted
    assert "four" in outcome.feedback and "It is 4." in outcome.feedback
    assert all("4" not in verdict.detail for verdict in outcome.verdicts)


def test_every_validator_that_looks_for_itself_is_heard_and_none_that_asks_is_paid_for_when_one_says_no() -> None:
    scene = Scene({"mini": [FOUR], "judge": [Says("yes")]}, [Asks(ASKED), Expects("four"), Expects("4", "t/more")])
    (_, outcome) = scene.answers(in_turn(checked("t/asks", "t/expects", "t/more"))).attempts[0]
    assert [verdict.validator for verdict in outcome.verdicts] == ["t/expects", "t/more"]
    assert scene.models.sent["judge"] == [] and outcome.asides == ()


def test_what_a_validator_asks_is_charged_to_the_attempt_and_told_beside_it() -> None:
    scene = Scene({"mini": [FOUR], "judge": [Says("yes"), Says("no")]}, [Asks(ASKED, times=2)])
    (_, outcome) = scene.answers(in_turn(checked("t/asks"))).attempts[0]
    assert not outcome.accepted, "the second reply was no"
    assert [(aside.purpose, aside.target, aside.ok) for aside in outcome.asides] == [("t/asks", "judge", True)] * 2
    own = scene.lanes["mini"].model.price.cost(100, 10)
    asked = scene.lanes["judge"].model.price.cost(100, 10)
    assert outcome.cost == pytest.approx(own + 2 * asked)
    assert sum(aside.cost for aside in outcome.asides) == pytest.approx(2 * asked)


def test_after_one_that_asked_says_no_no_other_asks() -> None:
    scene = Scene({"mini": [FOUR], "judge": [Says("no")]}, [Asks(ASKED, "t/first"), Asks(ASKED, "t/second")])
    (_, outcome) = scene.answers(in_turn(checked("t/first", "t/second"))).attempts[0]
    assert [verdict.validator for verdict in outcome.verdicts] == ["t/first"]


def test_a_validator_that_fails_at_its_own_work_has_not_passed_and_names_only_its_error() -> None:
    (_, outcome) = Scene({"mini": [FOUR]}, [Breaks()]).answers(in_turn(checked("t/breaks"))).attempts[0]
    assert [(verdict.passed, verdict.detail) for verdict in outcome.verdicts] == [(False, "the validator itself failed: KeyError")]


def test_one_whose_model_cannot_be_asked_decides_for_itself_what_that_means() -> None:
    scene = Scene({"mini": [FOUR], "judge": [Fails(503)]}, [Asks(ASKED)])
    (_, outcome) = scene.answers(in_turn(checked("t/asks"))).attempts[0]
    assert outcome.ok and not outcome.accepted
    assert [(aside.ok, aside.error) for aside in outcome.asides] == [(False, "overloaded")]


def test_a_validator_that_the_spec_does_not_have_has_not_passed() -> None:
    (_, outcome) = Scene({"mini": [FOUR]}).answers(in_turn(checked("t/gone"))).attempts[0]
    assert not outcome.accepted


@pytest.mark.parametrize("upstream", sorted(DIALECTS))
@pytest.mark.parametrize("client", sorted(DIALECTS))
def test_mended_words_take_the_answers_place_in_every_dialect(client: str, upstream: str) -> None:
    scene = Scene({"mini": [FOUR]}, [Mends("It is four."), Expects("four")], client=client, dialects={"mini": upstream})
    outcome = scene.answers(in_turn(checked("t/mends", "t/expects"))).outcome
    assert outcome is not None and outcome.accepted and outcome.answer is not None
    told = DIALECTS[client].read_completion(outcome.answer.body)
    assert [getattr(part, "text", "") for part in told.choices[0].parts] == ["It is four."]
    assert outcome.answer.text == "It is four."


@pytest.mark.parametrize("upstream", sorted(DIALECTS))
@pytest.mark.parametrize("client", sorted(DIALECTS))
def test_a_second_try_is_told_what_was_wrong_with_the_first(client: str, upstream: str) -> None:
    scene = Scene({"mini": [FOUR, Says("It is four.")]}, [Expects("four")], client=client, dialects={"mini": upstream})
    first = checked("t/expects")
    again = Attempt(2, "mini", "retry", ("t/expects",), feedback="say four")
    result = scene.answers(in_turn(first, again))
    assert result.outcome is not None and result.outcome.accepted
    dialect = DIALECTS[upstream]
    sent = dialect.expand(dialect.parse(scene.models.calls[1].body))
    said = [(turn.role, "".join([getattr(part, "text", "") for part in turn.parts])) for turn in sent.turns]
    assert [role for role, _ in said] == ["user", "assistant", "user"]
    assert said[1][1] == "It is 4." and "say four" in said[2][1]


@pytest.mark.parametrize("upstream", sorted(DIALECTS))
def test_where_it_called_a_tool_the_reason_stands_as_the_tools_result(upstream: str) -> None:
    calls = (ToolCall("call_1", "add", '{"a":2}'),)
    scene = Scene({"mini": [Says(calls=calls), Says("four")]}, [Expects("four")], dialects={"mini": upstream})
    scene.answers(in_turn(checked("t/expects"), Attempt(2, "mini", "retry", ("t/expects",), feedback="b is missing")))
    dialect = DIALECTS[upstream]
    sent = dialect.expand(dialect.parse(scene.models.calls[1].body))
    assert [turn.role for turn in sent.turns] == ["user", "assistant", "tool"]
    assert "b is missing" in sent.turns[-1].parts[0].parts[0].text  # type: ignore[union-attr]


def test_on_a_strict_route_a_second_try_loses_nothing_either() -> None:
    scene = Scene({"mini": [FOUR]}, [Expects("four")], strict=True, dialects={"mini": "anthropic_messages"})
    result = scene.answers(in_turn(checked("t/expects"), Attempt(2, "mini", "retry", ("t/expects",), feedback="say four")))
    assert [outcome.error for _, outcome in result.attempts] == ["", ""]


def test_time_that_validators_take_counts_as_the_attempts_and_not_as_our_own() -> None:
    scene = Scene({"mini": [FOUR], "judge": [Says("yes", seconds=2.0)]}, [Asks(ASKED)])
    result = scene.answers(in_turn(checked("t/asks")))
    assert result.attempts[0][1].elapsed >= sum(aside.elapsed for aside in result.attempts[0][1].asides)
