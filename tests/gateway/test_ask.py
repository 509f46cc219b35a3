"""Calls that organs ask for: whom they reach, what they cost, and what they may not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from gateway.clock import run
from gateway.scene import DIALECTS, Fails, Says, Scene
from tierline.gateway.ask import Asker
from tierline.gateway.translate import Translation
from tierline.types.ask import Ask, Told
from tierline.types.outcome import Aside, Usage

SCHEMA = b'{"type":"object","properties":{"score":{"type":"number"}},"required":["score"]}'


def asked(scene: Scene, *asks: Ask, left: float | None = None, money: float | None = None) -> tuple[list[Told], list[Aside]]:
    asides: list[Aside] = []
    asker = _asker(scene)

    async def told() -> list[Told]:
        return [await asker.told(ask, "p", asides, left=left, money=money) for ask in asks]

    return run(told()), asides


def _asker(scene: Scene) -> Asker:
    request = msgspec.structs.replace(
        DIALECTS["openai_chat"].parse(b'{"model":"auto","stream":true,"messages":[{"role":"user","content":"Two and two?"}]}'), id="r-1"
    )
    translation = Translation(DIALECTS["openai_chat"], request, strict=False, input_tokens=100)
    return Asker(scene.means, scene.world, scene.features, "", translation, (), scene.waiting)


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_a_prompt_goes_out_in_the_models_dialect_and_comes_back_as_words(dialect: str) -> None:
    scene = Scene({"mini": [Says("yes", usage=Usage(input=1000, output=1000))]}, dialects={"mini": dialect})
    (told,), (aside,) = asked(scene, Ask("mini", "Is it right?", "Be strict.", max_tokens=77))
    assert (told.ok, told.text) == (True, "yes")
    assert told.cost == pytest.approx(0.003) and (aside.cost, aside.usage) == (told.cost, told.usage)
    sent = DIALECTS[dialect].expand(DIALECTS[dialect].parse(scene.models.calls[0].body))
    assert [(turn.role, getattr(turn.parts[0], "text", "")) for turn in sent.turns] == [("system", "Be strict."), ("user", "Is it right?")]
    assert sent.sampling.max_tokens == 77 and not scene.models.calls[0].stream


def test_the_same_request_goes_to_another_model_whole_and_unstreamed() -> None:
    scene = Scene({"mini": [Says("4")], "other": [Says("four")]}, dialects={"other": "anthropic_messages"})
    told, _ = asked(scene, Ask("mini", same=True), Ask("other", same=True))
    assert [one.text for one in told] == ["4", "four"]
    assert [sent[0]["messages"][0]["role"] for sent in scene.models.sent.values()] == ["user", "user"]
    assert not any(sent[0].get("stream") for sent in scene.models.sent.values())


def test_where_nobody_is_named_the_cheapest_of_the_lowest_tier_is_asked() -> None:
    scene = Scene({"mini": [Says("yes")], "big": [Says("no")]})
    assert asked(scene, Ask("", "?"))[0][0].text == "yes"


def test_what_governance_or_the_key_forbids_is_never_asked_and_another_takes_its_place_where_nobody_is_named() -> None:
    scene = Scene({"mini": [Says("yes")], "big": [Says("no")]}, forbidden=frozenset({"mini"}))
    told, asides = asked(scene, Ask("mini", "?"), Ask("", "?"))
    assert [one.ok for one in told] == [False, True] and told[1].text == "no"
    assert scene.models.sent["mini"] == [] and (asides[0].ok, asides[0].error) == (False, "auth")
    closed = Scene({"mini": [Says("yes")]}, forbidden=frozenset({"mini"}))
    assert not asked(closed, Ask("", "?"))[0][0].ok


@pytest.mark.parametrize(
    ("can", "format_"),
    [(("chat", "json_schema"), "json_schema"), (("chat", "json_object"), "json_object"), (("chat",), None)],
)
def test_a_schema_holds_the_model_where_it_can_be_held_and_is_told_in_words_where_not(can: tuple[str, ...], format_: str | None) -> None:
    scene = Scene({"mini": [Says('{"score":1}')]}, capabilities=can)
    asked(scene, Ask("mini", "?", schema=SCHEMA))
    (sent,) = scene.models.sent["mini"]
    assert (sent.get("response_format") or {}).get("type") == format_
    assert (SCHEMA.decode() in sent["messages"][0]["content"]) == (format_ != "json_schema")


def test_a_model_that_thinks_is_told_to_think_little_and_has_room_for_it() -> None:
    scene = Scene({"mini": [Says("yes")]}, capabilities=("chat", "reasoning"))
    asked(scene, Ask("mini", "?", max_tokens=10))
    (sent,) = scene.models.sent["mini"]
    assert sent["reasoning_effort"] == "low" and sent["max_tokens"] > 1000


@pytest.mark.parametrize(
    ("play", "error"), [(Fails(429), "rate_limited"), (Says(raw=b"<html>"), "malformed"), (Says("late", seconds=9), "timeout")]
)
def test_a_failure_is_told_and_never_raised(play: Says | Fails, error: str) -> None:
    (told,), (aside,) = asked(Scene({"mini": [play]}), Ask("mini", "?", timeout=5.0))
    assert not told.ok and told.detail
    assert (aside.ok, aside.error, aside.cost) == (False, error, 0.0)


@pytest.mark.parametrize("play", [Fails(400), Fails(500), Says(raw=b'{"error":{"message":"as asked: Two and two?"}}')])
def test_the_words_of_a_failing_upstream_which_may_quote_the_prompt_are_kept_nowhere(play: Says | Fails) -> None:
    (told,), (aside,) = asked(Scene({"mini": [play]}), Ask("mini", "Two and two?"))
    assert not told.ok
    assert "as asked" not in aside.detail + told.detail
    assert aside.detail.startswith("status ")


def test_what_has_no_time_or_no_money_left_or_no_model_is_not_sent() -> None:
    scene = Scene({"mini": [Says("yes")]})
    for ask, left, money in [(Ask("mini", "?"), 0.0, None), (Ask("mini", "?" * 4000), None, 1e-6), (Ask("nobody", "?"), None, None)]:
        (told,), (aside,) = asked(scene, ask, left=left, money=money)
        assert not told.ok and aside.detail == told.detail
    assert scene.models.calls == []


def test_the_time_left_is_the_calls_own_limit() -> None:
    scene = Scene({"mini": [Says("yes")]})
    asked(scene, Ask("mini", "?"), left=3.0)
    asked(scene, Ask("mini", "?", timeout=2.0), left=3.0)
    assert [call.timeout for call in scene.models.calls] == pytest.approx([3.0, 2.0], abs=0.1)


def test_one_that_is_cancelled_is_charged_for_what_it_was_sent() -> None:
    scene, asides = Scene({"mini": [Says("yes", seconds=9.0)]}), list[Aside]()

    async def left(ask: Callable[[], Awaitable[Told]]) -> None:
        task = asyncio.ensure_future(ask())
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(left(lambda: _asker(scene).told(Ask("mini", "?" * 4000), "p", asides)))
    assert [(aside.error, aside.usage.estimated) for aside in asides] == [("cancelled", True)] and asides[0].cost > 0
    assert scene.models.cancelled == ["mini"] and not any(scene.world.in_flight.values())
