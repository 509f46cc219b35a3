"""Asking a small model what a request is, on a clock that leaps: once for the same words, never for longer than it may take."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from gateway.clock import run
from gateway.scene import DIALECTS, Fails, Says, Scene, plan
from tierline.config.spec import AskSpec
from tierline.gateway.ask import Asker
from tierline.gateway.classify import Classified, Classifier
from tierline.gateway.translate import Translation
from tierline.gateway.weighed import Weighed
from tierline.testing import builders
from tierline.types.request import Message, Request, Text
from tierline.types.scores import Scores
from tierline.types.view import NO_VIEW

OWN = Scores(task={"orders": 0.4}, difficulty=0.1, abstained=True, by="hints")
NAMES_LAW = '{"task":"law","sure":"certain","difficulty":"hard"}'
BELIEVED = Scores(task={"law": 0.9}, difficulty=0.8, abstained=False, by="hints", asked="mini")
IN_VAIN = msgspec.structs.replace(OWN, asked="mini")


class Asking:
    """A classifier over a scene, and the requests that it is asked about."""

    def __init__(self, *plays: Says | Fails, forbidden: frozenset[str] = frozenset(), **ask: Any) -> None:
        self.scene = Scene({"mini": list(plays)}, forbidden=forbidden)
        loaded = msgspec.structs.replace(
            builders.loaded({"tasks": {"orders": {"why": "w"}, "law": {"why": "w"}}}),
            models={name: lane.model for name, lane in self.scene.lanes.items()},
        )
        self.classifier = Classifier(loaded, AskSpec(model="mini", **{"max_cost": 0.01, **ask}), 0.6, self.scene.means)

    async def ask(self, words: str = "Is it just?", left: float = 20.0, money: float | None = None) -> Classified:
        scene = self.scene
        request = msgspec.structs.replace(_request(words), id="r-1")
        translation = Translation(DIALECTS["openai_chat"], request, strict=False, input_tokens=100)
        asker = Asker(scene.means, scene.world, scene.features, "", translation, (), scene.waiting)
        weighed = Weighed(request, scene.features, OWN, NO_VIEW, plan("mini"))
        return await self.classifier.ask(weighed, asker, scene.waiting, left, money)

    @property
    def calls(self) -> int:
        return len(self.scene.models.calls)


def _request(words: str) -> Request:
    body = {"model": "auto", "messages": [{"role": "user", "content": words}]}
    return msgspec.structs.replace(DIALECTS["openai_chat"].parse(msgspec.json.encode(body)), messages=(Message("user", (Text(words),)),))


def asides(*found: Classified) -> list[tuple[bool, str, str]]:
    return [(aside.ok, aside.error, aside.detail) for one in found for aside in one.asides]


def test_what_it_says_is_believed_and_paid_for() -> None:
    asking = Asking(Says(NAMES_LAW))
    done = run(asking.ask())
    assert done.scores == BELIEVED and not done.cancelled
    (aside,) = done.asides
    assert (aside.purpose, aside.target, aside.ok) == ("classify", "mini", True) and aside.cost > 0


def test_the_same_words_are_asked_about_once_and_others_again() -> None:
    asking = Asking(Says(NAMES_LAW))

    async def asked() -> Sequence[Classified]:
        return [await asking.ask(), await asking.ask(), await asking.ask("Is it legal?")]

    first, again, other = run(asked())
    assert asking.calls == 2 and first.scores == again.scores == other.scores
    assert asides(first, again, other) == [(True, "", ""), (True, "", "remembered"), (True, "", "")]
    assert (again.asides[0].cost, again.asides[0].usage.input) == (0.0, 0)


@pytest.mark.parametrize(("remember", "calls"), [(0, 4), (1, 4), (2, 2)])
def test_no_more_is_remembered_than_the_spec_says_and_the_oldest_goes_first(remember: int, calls: int) -> None:
    asking = Asking(Says(NAMES_LAW), remember=remember)

    async def asked() -> None:
        for words in ("one thing", "other thing") * 2:
            await asking.ask(words * 9)

    run(asked())
    assert asking.calls == calls


def test_no_prompt_text_is_kept() -> None:
    asking = Asking(Says(NAMES_LAW))
    run(asking.ask("zanzibar quokka marzipan"))
    kept = [value for name, value in vars(asking.classifier).items() if name not in ("_means",)]
    assert "quokka" not in repr(kept)


@pytest.mark.parametrize("play", [Fails(500), Says("I would say it is law."), Says(raw=b"{")])
def test_what_went_wrong_is_not_remembered_and_is_asked_again(play: Says | Fails) -> None:
    asking = Asking(play, Says(NAMES_LAW))

    async def asked() -> Sequence[Classified]:
        return [await asking.ask(), await asking.ask()]

    first, second = run(asked())
    assert first.scores == IN_VAIN and not first.asides[0].ok and first.asides[0].error
    assert second.scores == BELIEVED


def test_a_reply_that_is_none_is_paid_for_all_the_same() -> None:
    done = run(Asking(Says("law, I think")).ask())
    assert asides(done) == [(False, "malformed", "the model named no task")] and done.asides[0].cost > 0


def test_after_its_time_it_is_cut_off_charged_and_its_model_is_none_the_worse() -> None:
    asking = Asking(Says(NAMES_LAW, seconds=3.0))

    async def asked() -> Sequence[Classified]:
        began = asyncio.get_running_loop().time()
        found = [await asking.ask(f"number {number}") for number in range(30)]
        assert asyncio.get_running_loop().time() - began == pytest.approx(30 * 0.05)
        return found

    found = run(asked())
    assert asides(*found) == [(False, "timeout", "no answer within 50 ms")] * 30
    assert all(one.scores == IN_VAIN and one.asides[0].usage.estimated and one.asides[0].cost > 0 for one in found)
    assert asking.scene.world.rest("mini") == 0.0, "too slow for a question is not ill"
    assert not any(asking.scene.world.in_flight.values())


def test_a_request_in_a_hurry_gives_it_a_fourth_of_the_time_that_it_has_left() -> None:
    asking = Asking(Says(NAMES_LAW, seconds=3.0))
    assert asides(run(asking.ask(left=0.08))) == [(False, "timeout", "no answer within 20 ms")]
    assert asides(run(asking.ask(left=0.0))) == [(False, "deadline", "the request has no time left")]
    assert asking.calls == 1


def test_what_would_cost_more_than_the_cap_or_the_request_may_is_not_asked() -> None:
    dear, poor = Asking(Says(NAMES_LAW), max_cost=0.00001), Asking(Says(NAMES_LAW))
    for asking, money in ((dear, None), (poor, 0.00001)):
        done = run(asking.ask(money=money))
        assert asides(done) == [(False, "", "it would cost more than the request may")]
        assert done.scores == IN_VAIN and asking.calls == 0


def test_a_model_that_may_not_see_the_request_is_not_asked_and_what_it_said_of_the_same_words_is_not_used() -> None:
    asking = Asking(Says(NAMES_LAW), forbidden=frozenset({"mini"}))
    done = run(asking.ask())
    assert done.scores == IN_VAIN and asking.calls == 0
    assert asides(done)[0][:2] == (False, "auth")


def test_requests_that_show_the_same_words_at_the_same_time_share_one_call_and_one_pays() -> None:
    asking = Asking(Says(NAMES_LAW, seconds=0.04))

    async def asked() -> Sequence[Classified]:
        return await asyncio.gather(*[asking.ask() for _ in range(5)])

    found = run(asked())
    assert asking.calls == 1
    assert [one.scores for one in found] == [BELIEVED] * 5
    assert sorted(one.asides[0].cost > 0 for one in found) == [False] * 4 + [True]


def test_where_the_one_that_asks_gets_nothing_the_others_go_up_in_their_own_time() -> None:
    asking = Asking(Says(NAMES_LAW, seconds=3.0))

    async def asked() -> Sequence[Classified]:
        return await asyncio.gather(asking.ask(), asking.ask(left=0.12), asking.ask())

    found = run(asked())
    assert [one.scores for one in found] == [IN_VAIN] * 3 and asking.calls == 1
    assert [one.asides[0].error for one in found[:2]] == ["timeout", "timeout"]
    assert found[2].asides[0].error in ("timeout", "failed")


def test_when_the_client_goes_away_the_call_is_cut_short_and_nobody_waits_for_it() -> None:
    asking = Asking(Says(NAMES_LAW, seconds=3.0), timeout=2.0)

    async def asked() -> tuple[Classified, Classified]:
        first = asyncio.ensure_future(asking.ask())
        await asyncio.sleep(0.01)
        other = asyncio.ensure_future(asking.ask())
        await asyncio.sleep(0.01)
        first.cancel()
        return await first, await other

    gone, other = run(asked())
    assert gone.cancelled and asides(gone) == [(False, "cancelled", "")] and gone.asides[0].cost > 0
    assert not other.cancelled and other.scores == IN_VAIN
    assert asking.scene.models.cancelled == ["mini"]
