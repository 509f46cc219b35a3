"""What validators say of an answer, and what becomes of it."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from gateway.clock import run
from gateway.scene import DIALECTS, Asks, Breaks, Client, Expects, Fails, Mends, Says, Scene, in_turn, plan
from tierline.gateway.drive import drive
from tierline.routing.pursue import pursue
from tierline.types.ask import Ask
from tierline.types.conversation import ToolCall
from tierline.types.decision import Attempt, Decision, Step
from tierline.types.outcome import Outcome, Result, Usage
from tierline.types.record import Tried

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


_PLAYS = some.one_of(
    some.builds(Says, some.sampled_from(["It is 4.", "four"]), usage=some.builds(Usage, some.integers(1, 9000), some.integers(0, 900))),
    some.builds(Fails, some.sampled_from([429, 500])),
)


@settings(deadline=None)
@given(some.lists(_PLAYS, min_size=1, max_size=3), some.lists(_PLAYS, min_size=1, max_size=3), some.booleans(), some.integers(1, 3))
def test_an_attempts_cost_is_its_own_call_and_those_beside_it_and_the_rows_is_their_sum(
    plays: list[Says | Fails], judge: list[Says | Fails], stream: bool, times: int
) -> None:
    scene = Scene({"mini": plays, "judge": judge}, [Expects("four"), Asks(ASKED, times=times)])
    asked = [Attempt(number, "mini", validators=("t/expects", "t/asks")) for number in range(1, len(plays) + 1)]
    seen = Client() if stream else None
    result = scene.answers(in_turn(*asked), plan(stream="buffered"), seen)
    for attempt, outcome in result.attempts:
        own = scene.lanes[attempt.target].model.price.cost(outcome.usage.input, outcome.usage.output)
        assert outcome.cost == pytest.approx(own + sum(aside.cost for aside in outcome.asides))
        assert Tried.of(attempt, outcome).cost == outcome.cost
    assert result.cost == pytest.approx(sum(outcome.cost for _, outcome in result.attempts))
    if seen is not None and seen.opening is not None:
        assert seen.opening.cost == pytest.approx(result.cost)


def test_a_wait_passes_before_the_call_and_is_no_part_of_its_time() -> None:
    scene = Scene({"mini": [FOUR]})

    async def waited() -> tuple[float, float]:
        outcome = await scene.caller(plan())(Attempt(1, "mini", "retry", wait=30.0))
        return asyncio.get_running_loop().time(), outcome.elapsed

    at, elapsed = run(waited())
    assert at == 30.0 and elapsed < 5.0


def test_a_client_that_goes_away_in_a_wait_is_never_called_for() -> None:
    scene = Scene({"mini": [FOUR]})

    async def left() -> Outcome:
        task = asyncio.ensure_future(scene.caller(plan())(Attempt(1, "mini", "retry", wait=30.0)))
        await asyncio.sleep(1)
        task.cancel()
        return await task

    outcome = run(left())
    assert (outcome.error, outcome.cost) == ("cancelled", 0.0) and scene.models.calls == []


def test_a_client_that_goes_away_in_a_validators_call_is_told_of_with_all_that_it_cost() -> None:
    scene = Scene({"mini": [FOUR], "judge": [Says("yes", seconds=9.0)]}, [Asks(ASKED)])

    async def left() -> Outcome:
        task = asyncio.ensure_future(scene.caller(plan())(checked("t/asks")))
        await asyncio.sleep(1)
        task.cancel()
        return await task

    outcome = run(left())
    assert (outcome.ok, outcome.error, len(outcome.asides)) == (False, "cancelled", 1)
    assert outcome.cost > outcome.asides[0].cost > 0
    assert scene.models.cancelled == ["judge"] and not any(scene.world.in_flight.values())


def test_a_client_that_goes_away_in_a_race_ends_the_course_and_every_call() -> None:
    scene = Scene({"mini": [Says("a", seconds=9.0)], "big": [Says("b", seconds=9.0)]})
    decision = Decision("r-1", "auto", "p", (Step("fast", ("mini", "big")),), hedge=1.0)

    async def left() -> Result:
        task = asyncio.ensure_future(drive(pursue(decision), scene.caller(decision)))
        await asyncio.sleep(3)
        task.cancel()
        return await task

    result = run(left())
    assert result.stopped == "cancelled" and result.winner is None
    assert sorted(scene.models.cancelled) == ["big", "mini"]
    assert [outcome.error for _, outcome in result.attempts] == ["cancelled", "cancelled"]
