"""Streams that are looked at: held until their validators have spoken, passed on with the verdict behind them, or racing each other."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from gateway.clock import run
from gateway.scene import DIALECTS, Asks, Client, Expects, Fails, Mends, Says, Scene, in_turn, plan
from tierline.dialects.events import joined
from tierline.gateway import stream
from tierline.types.ask import Ask
from tierline.types.decision import Attempt, Combine, Round
from tierline.types.outcome import Result

FOUR = Says("It is four.")
FIVE = Says("It is five.")
LOOKED_AT = ("t/expects",)


def words(dialect: str, got: bytes) -> str:
    decoder = DIALECTS[dialect].decoder()
    answer = joined([*decoder.feed(got), *decoder.finished()], dialect)
    return "".join([getattr(part, "text", "") for choice in answer.choices for part in choice.parts])


def attempts(*names: str) -> list[Attempt]:
    return [Attempt(number, name, "first", LOOKED_AT) for number, name in enumerate(names, 1)]


def cost(result: Result) -> float:
    return sum(outcome.cost for _, outcome in result.attempts)


@pytest.mark.parametrize("upstream", sorted(DIALECTS))
@pytest.mark.parametrize("client", sorted(DIALECTS))
def test_only_the_accepted_stream_reaches_the_client(client: str, upstream: str) -> None:
    scene = Scene({"mini": [FIVE], "big": [FOUR]}, [Expects("four")], client=client, dialects={"mini": upstream, "big": upstream})
    seen = Client()
    result = scene.answers(in_turn(*attempts("mini", "big")), plan(stream="buffered"), seen)
    assert words(client, seen.got) == "It is four."
    assert b"five" not in seen.got and b"up-big" not in seen.got, "the model bears the name that the client used"
    assert seen.opening is not None
    assert (seen.opening.model, seen.opening.attempts, seen.opening.flagged) == ("big", 2, False)
    assert seen.opening.cost == pytest.approx(cost(result))


def test_nothing_is_sent_and_no_status_leaves_before_the_verdict() -> None:
    scene = Scene({"mini": [Says("It is four.", pause=1.0)], "judge": [Says("yes", seconds=30.0)]}, [Asks(Ask("judge", "?"))])
    seen = Client()
    scene.answers(in_turn(Attempt(1, "mini", validators=("t/asks",))), plan(stream="buffered"), seen)
    assert len(seen.came) == 1 and seen.came[0] > 30


def test_the_best_there_was_is_delivered_flagged() -> None:
    scene, seen = Scene({"mini": [FIVE]}, [Expects("four")]), Client()
    result = scene.answers(in_turn(*attempts("mini")), plan(stream="buffered"), seen)
    assert result.flagged and words("openai_chat", seen.got) == "It is five."
    assert seen.opening is not None and seen.opening.flagged


def test_mended_words_are_streamed_in_their_place() -> None:
    scene, seen = Scene({"mini": [FIVE]}, [Mends("It is four."), Expects("four")]), Client()
    scene.answers(in_turn(Attempt(1, "mini", validators=("t/mends", "t/expects"))), plan(stream="buffered"), seen)
    assert words("openai_chat", seen.got) == "It is four." and seen.got.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("upstream", sorted(DIALECTS))
def test_one_that_breaks_off_is_a_failure_that_nobody_sees_and_is_paid_for(upstream: str) -> None:
    broken = Says("It is four, " * 50, breaks_at=0.5)
    scene, seen = Scene({"mini": [broken], "big": [FOUR]}, [Expects("four")], dialects={"mini": upstream}), Client()
    result = scene.answers(in_turn(*attempts("mini", "big")), plan(stream="buffered"), seen)
    assert [outcome.ok for _, outcome in result.attempts] == [False, True]
    assert result.attempts[0][1].cost > 0 and result.attempts[0][1].usage.estimated
    assert words("openai_chat", seen.got) == "It is four."


def test_one_that_is_too_long_to_hold_is_a_failure_that_says_so() -> None:
    line = (
        b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"up","choices":[{"index":0,"delta":{"content":"%s"}}]}\n\n'
    )
    endless = Says(raw=(line % (b"x" * 60_000)) * 140, piece=1_000_000)
    scene, seen = Scene({"mini": [endless], "big": [FOUR]}, [Expects("four")]), Client()
    result = scene.answers(in_turn(*attempts("mini", "big")), plan(stream="buffered"), seen)
    failed = result.attempts[0][1]
    assert failed.error == "malformed" and str(stream.MOST_HELD) in failed.detail and failed.cost > 0
    assert words("openai_chat", seen.got) == "It is four."


def test_one_that_is_not_whole_in_time_is_a_time_out_though_its_first_words_came() -> None:
    slow, first = Says("It is four. " * 40, pause=1.0), Attempt(1, "mini", "first", LOOKED_AT, timeout=0.05)
    scene, seen = Scene({"mini": [slow], "big": [FOUR]}, [Expects("four")]), Client()
    result = scene.answers(in_turn(first, attempts("mini", "big")[1]), plan(stream="buffered"), seen)
    assert result.attempts[0][1].error == "timeout"
    assert words("openai_chat", seen.got) == "It is four."


def test_a_client_that_has_gone_when_its_answer_is_ready_is_told_of_in_the_result() -> None:
    seen = Client(leaves_after=0)
    result = Scene({"mini": [FOUR]}, [Expects("four")]).answers(in_turn(*attempts("mini")), plan(stream="buffered"), seen)
    assert result.stopped == "cancelled" and seen.got == b""


_FAULTS = some.one_of(
    some.builds(Says, some.just("It is four."), piece=some.integers(1, 200)),
    some.builds(Says, some.just("It is five."), piece=some.integers(1, 200)),
    some.builds(Says, some.just("It is four."), breaks_at=some.floats(0.0, 0.99), piece=some.integers(1, 200)),
    some.builds(Says, raw=some.binary(min_size=1, max_size=80), piece=some.integers(1, 40)),
    some.builds(Fails, some.sampled_from([400, 401, 429, 500, 503])),
)


@settings(max_examples=80, deadline=None)
@given(some.lists(_FAULTS, min_size=1, max_size=4), some.sampled_from(sorted(DIALECTS)), some.sampled_from(sorted(DIALECTS)))
def test_whatever_befalls_it_a_held_stream_is_one_upstreams_answer_or_nothing(
    plays: list[Says | Fails], client: str, upstream: str
) -> None:
    names = [f"m{number}" for number in range(len(plays))]
    scene = Scene(
        dict(zip(names, [[play] for play in plays], strict=True)), [Expects("four")], client=client, dialects=dict.fromkeys(names, upstream)
    )
    seen = Client()
    result = scene.answers(in_turn(*attempts(*names)), plan(stream="buffered"), seen)
    if result.outcome is None:
        assert seen.opening is None and seen.got == b""
    else:
        assert result.outcome.answer is not None and seen.got == result.outcome.answer.body
        assert words(client, seen.got) == result.outcome.answer.text
        assert result.flagged == ("four" not in result.outcome.answer.text)


# passed on, with the verdict behind it


def test_an_optimistic_stream_goes_out_at_once_and_its_verdict_stands_behind_it() -> None:
    scene, seen = Scene({"mini": [Says("It is five.", pause=1.0)]}, [Expects("four")]), Client()
    result = scene.answers(in_turn(*attempts("mini")), plan(stream="optimistic"), seen)
    answer, _, comment = seen.got.partition(b"data: [DONE]\n\n")
    assert words("openai_chat", answer + b"data: [DONE]\n\n") == "It is five." and len(seen.came) > 3
    assert comment.startswith(b": tierline {") and comment.endswith(b"}\n\n") and comment.count(b"\n") == 2
    assert b'"accepted":false' in comment and b'"validator":"t/expects"' in comment
    assert [verdict.passed for verdict in result.attempts[0][1].verdicts] == [False]


@pytest.mark.parametrize("upstream", sorted(DIALECTS))
@pytest.mark.parametrize("client", sorted(DIALECTS))
def test_no_reader_of_events_takes_the_verdict_for_a_part_of_the_answer(client: str, upstream: str) -> None:
    scene, seen = Scene({"mini": [FOUR]}, [Expects("four")], client=client, dialects={"mini": upstream}), Client()
    scene.answers(in_turn(*attempts("mini")), plan(stream="optimistic"), seen)
    assert b'{"accepted":true,"verdicts":[{"validator":"t/expects","passed":true' in seen.got
    assert words(client, seen.got) == "It is four."


def test_a_verdict_is_found_to_its_end_though_the_client_is_gone_by_then() -> None:
    scene = Scene({"mini": [FOUR], "judge": [Says("yes", seconds=5.0)]}, [Asks(Ask("judge", "?"))])
    seen = Client(leaves_after=10_000)
    decision = plan(stream="optimistic")

    async def left() -> object:
        task = asyncio.create_task(scene.caller(decision, seen)(Attempt(1, "mini", validators=("t/asks",))))
        await asyncio.sleep(2)
        task.cancel()
        return await task

    outcome = run(left())
    assert [verdict.passed for verdict in outcome.verdicts] == [True]  # type: ignore[attr-defined]


# races


def test_in_a_race_the_first_with_content_is_the_clients_only_one() -> None:
    slow, quick = Says("It is five.", seconds=9.0), Says("It is four.", seconds=1.0, piece=500, pause=1.0)
    scene, seen = Scene({"mini": [slow], "big": [quick]}), Client()
    asked = Round((Attempt(1, "mini"), Attempt(2, "big", "hedge")), "first", 3.0)
    result = scene.answers(in_turn(asked), plan(), seen)
    assert words("openai_chat", seen.got) == "It is four."
    assert [outcome.error for _, outcome in result.attempts] == ["outraced", ""]
    assert scene.models.cancelled == ["mini"]
    lost = result.attempts[0][1]
    assert lost.usage.estimated and lost.cost == pytest.approx(scene.lanes["mini"].model.price.cost(100, 0))


def test_two_that_both_stream_are_never_mixed() -> None:
    one, two = Says("It is five. " * 5, seconds=1.0, pause=0.2), Says("It is four. " * 5, seconds=1.1, pause=0.1)
    scene, seen = Scene({"mini": [one], "big": [two]}), Client()
    scene.answers(in_turn(Round((Attempt(1, "mini"), Attempt(2, "big", "hedge")), "first")), plan(), seen)
    assert words("openai_chat", seen.got) in {"It is five. " * 5, "It is four. " * 5}


def test_branches_that_are_compared_are_held_and_only_the_chosen_one_is_delivered() -> None:
    scene, seen = Scene({"a": [FIVE], "b": [FOUR], "c": [Says("It is four.", piece=3)]}), Client()
    combine = Combine("majority", "text")
    branches = Round(tuple(Attempt(number, name, "branch") for number, name in enumerate("abc", 1)), "all")
    choice = Attempt(4, "", "judge", of=(0, 1, 2), combine=combine)
    result = scene.answers(in_turn(branches, choice), plan(combine=combine), seen)
    assert result.winner == 1 and words("openai_chat", seen.got) == "It is four."
    assert seen.opening is not None and seen.opening.model == "b"


def test_the_first_valid_of_several_streams_is_held_too() -> None:
    scene, seen = Scene({"a": [FIVE], "b": [Says("It is four.", seconds=2.0)]}, [Expects("four")]), Client()
    combine = Combine("first_valid")
    asked = Round(tuple(Attempt(number, name, "branch", LOOKED_AT) for number, name in enumerate("ab", 1)), "first")
    result = scene.answers(in_turn(asked), plan(combine=combine, stream="optimistic"), seen)
    assert result.model == "b" and words("openai_chat", seen.got) == "It is four."


def test_where_the_decision_holds_streams_it_holds_those_without_validators_too() -> None:
    """After one that broke off, the course asks another model: nothing of the first may have been seen."""
    scene, seen = Scene({"mini": [Says("It is five, " * 50, breaks_at=0.5)], "big": [FOUR]}), Client()
    result = scene.answers(in_turn(Attempt(1, "mini"), Attempt(2, "big", "fallback")), plan(stream="buffered"), seen)
    assert result.model == "big" and words("openai_chat", seen.got) == "It is four."
