"""Which of several answers is given: by what they say, or by what a judge says of them."""

from __future__ import annotations

import asyncio
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from gateway.scene import DIALECTS, Fails, Says, Scene, completion, in_turn, plan
from tierline.gateway.choose import agreed, judged, picked
from tierline.types.ask import Ask, Told
from tierline.types.conversation import ToolCall
from tierline.types.decision import Attempt, Combine, Round
from tierline.validators.normalise import normalised_all

REQUEST = DIALECTS["openai_chat"].parse(b'{"model":"auto","messages":[{"role":"user","content":"Two and two?"}]}')


def choice(by: Literal["agreement", "majority"], *texts: str, normalise: str = "number") -> int | None:
    return agreed(Combine(by, normalise), [completion(text) for text in texts], normalised_all)


def test_answers_agree_when_all_say_the_same_however_they_say_it() -> None:
    assert choice("agreement", "The answer is 1,200.", "1200") == 0
    assert choice("agreement", "1200", "1200", "1201") is None


def test_a_majority_is_more_than_half() -> None:
    assert choice("majority", "7", "8", "8") == 1
    assert choice("majority", "7", "7", "8", "8") is None
    assert choice("majority", "7", "8", "9") is None


def test_fewer_than_two_and_answers_that_say_nothing_agree_on_nothing() -> None:
    assert choice("agreement") is None and choice("majority", "7") is None
    assert choice("agreement", "no idea", "no idea") is None


def test_answers_that_call_tools_agree_when_their_calls_do() -> None:
    def calling(arguments: str) -> object:
        return completion("", (ToolCall("c", "add", arguments),))

    combine = Combine("agreement", "auto")
    assert agreed(combine, [calling('{"a":1,"b":2}'), calling('{"b":2, "a":1}')], normalised_all) == 0  # type: ignore[list-item]
    assert agreed(combine, [calling('{"a":1}'), calling('{"a":2}')], normalised_all) is None  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("reply", "place"),
    [
        ('{"best": 2}', 1),
        ('Sure!\n```json\n{"best": 1}\n```', 0),
        ('{"best": "2"}', 1),
        ("Answer 2 is best.", 1),
        ("2", 1),
        ("1 is good, 2 is better", None),
        ('{"best": 3}', None),
        ('{"best": 0}', None),
        ('{"best": true}', None),
        ('{"best": null}', None),
        ("", None),
        ("neither", None),
    ],
)
def test_a_judges_reply_is_read_whatever_stands_around_it(reply: str, place: int | None) -> None:
    assert picked(reply, 2) == place


@given(some.text(max_size=60))
def test_no_reply_breaks_the_reading(reply: str) -> None:
    assert picked(reply, 3) in (None, 0, 1, 2)


def judge(prefers: str, texts: list[str], draw: float = 0.0) -> tuple[int | None, list[Ask]]:
    """A judge that names the place where it reads `prefers`; always the first where it reads it nowhere."""
    asks: list[Ask] = []

    async def ask(asked: Ask) -> Told:
        asks.append(asked)
        shown = [asked.prompt.index(f"<answer {number}>") for number in range(1, len(texts) + 1)]
        at = asked.prompt.find(prefers)
        number = 1 if at < 0 else max(number for number, start in enumerate(shown, 1) if start < at)
        return Told(ok=True, text=f'{{"best": {number}}}')

    answers = [completion(text) for text in texts]
    return asyncio.run(judged(Combine("judge", judge="j"), answers, REQUEST, draw, ask)), asks


def test_a_judge_sees_two_answers_in_both_orders_and_not_who_wrote_them() -> None:
    pick, asks = judge("right", ["wrong", "right"])
    assert pick == 1 and len(asks) == 2
    assert asks[0].prompt.index("wrong") < asks[0].prompt.index("right")
    assert asks[1].prompt.index("wrong") > asks[1].prompt.index("right")
    assert all("Two and two?" in ask.prompt and "up" not in ask.prompt.split() for ask in asks)


def test_a_judge_that_goes_by_the_place_decides_nothing_and_the_first_stands() -> None:
    assert judge("nowhere", ["one", "two"])[0] == 0


@given(some.integers(3, 5), some.floats(0, 0.999), some.data())
def test_of_more_it_sees_one_order_and_its_pick_is_the_answers_own_place(number: int, draw: float, data: some.DataObject) -> None:
    best = data.draw(some.integers(0, number - 1))
    texts = ["right" if at == best else f"wrong{at}" for at in range(number)]
    pick, asks = judge("right", texts, draw)
    assert pick == best and len(asks) == 1


def combined(scene: Scene, combine: Combine) -> tuple[int | None, object]:
    branches = Round(tuple(Attempt(number, name, "branch") for number, name in enumerate(("a", "b"), 1)), "all")
    attempt = Attempt(3, combine.judge, "judge", of=(0, 1), combine=combine)
    result = scene.answers(in_turn(branches, attempt), plan(combine=combine))
    return result.attempts[-1][1].pick, result


def test_the_judges_calls_are_told_beside_its_attempt_and_make_up_its_cost() -> None:
    scene = Scene({"a": [Says("3")], "b": [Says("4")], "j": [Says('{"best": 2}'), Says('{"best": 1}')]})
    pick, result = combined(scene, Combine("judge", judge="j"))
    assert pick == 1
    _, outcome = result.attempts[-1]  # type: ignore[attr-defined]
    assert [(aside.purpose, aside.target) for aside in outcome.asides] == [("judge", "j")] * 2
    assert outcome.cost == pytest.approx(sum(aside.cost for aside in outcome.asides)) and outcome.cost > 0


def test_a_judge_that_cannot_be_reached_chooses_nothing() -> None:
    scene = Scene({"a": [Says("3")], "b": [Says("4")], "j": [Fails(503)]})
    pick, result = combined(scene, Combine("judge", judge="j"))
    assert pick is None and result.attempts[-1][1].ok  # type: ignore[attr-defined]


def test_models_of_other_formats_are_compared_all_the_same() -> None:
    scene = Scene({"a": [Says("It is 4.")], "b": [Says("4")]}, dialects={"a": "gemini", "b": "anthropic_messages"})
    assert combined(scene, Combine("agreement", "number"))[0] == 0
