"""What a cache gives again, to whom, and for how long."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from answerers.asking import FEATURES, asks, run, spec
from tierline.answerers.cache import Cache
from tierline.dialects.anthropic_messages import AnthropicMessages
from tierline.dialects.openai_responses import OpenAIResponses
from tierline.types.completion import AnswerPart, Completion, CompletionChoice, Finish
from tierline.types.conversation import Foreign, Text, Thinking, ToolCall
from tierline.types.hints import Hints
from tierline.types.request import Request


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def cache(clock: Clock | None = None, **entry: Any) -> Cache:
    return Cache({"cache": "exact", **entry}, spec(), clock or Clock())


def words(text: str = "Hello.", *parts: AnswerPart, finish: Finish = "stop") -> Completion:
    return Completion("openai_chat", "a-1", "some-model", (CompletionChoice((Text(text), *parts), finish),))


def given_by(kept: Cache, request: Request) -> Completion | None:
    hit = run(kept.answer(request, FEATURES))
    return None if hit is None else hit.answer


def test_the_same_request_gets_the_same_answer_again() -> None:
    kept, answer = cache(), words("Hello.", Thinking("Well …"))
    assert given_by(kept, asks("Hi")) is None
    kept.keep(asks("Hi"), answer)
    assert given_by(kept, asks("Hi")) == answer


@pytest.mark.parametrize(
    "changes",
    [
        {"stream": True},
        {"stream": True, "stream_options": {"include_usage": True}},
        {"metadata": {"trace": "7"}},
        {"user": "somebody"},
        {"model": "auto/auto"},
        {"hints": Hints(session="another", explain=True)},
    ],
)
def test_what_changes_nothing_about_the_answer_does_not_matter(changes: dict[str, Any]) -> None:
    kept = cache()
    kept.keep(asks("Hi"), words())
    assert given_by(kept, asks("Hi", **changes)) == words()


@pytest.mark.parametrize(
    "changes",
    [
        {"temperature": 0.5},
        {"max_tokens": 5},
        {"key": "another"},
        {"route": "another"},
        {"hints": Hints(task="another")},
        {"hints": Hints(sensitivity="pii")},
        {"tools": [{"type": "function", "function": {"name": "f"}}]},
        {"response_format": {"type": "json_object"}},
        {"a_field_nobody_knows": 1},
        {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]},
        {"messages": [{"role": "user", "content": "Hi "}]},
    ],
)
def test_what_can_change_the_answer_makes_another_request(changes: dict[str, Any]) -> None:
    kept = cache()
    kept.keep(asks("Hi"), words())
    assert given_by(kept, asks("Hi", **changes)) is None


def test_an_answer_is_good_for_its_time_and_no_longer() -> None:
    clock = Clock()
    kept = cache(clock, ttl="10s")
    kept.keep(asks("Hi"), words())
    clock.now += 9.9
    assert given_by(kept, asks("Hi")) is not None
    clock.now += 0.2
    assert given_by(kept, asks("Hi")) is None


@pytest.mark.parametrize(
    "answer",
    [
        words("", ToolCall("c-1", "f")),
        words("", Foreign("openai_chat", "odd", b"{}")),
        words("Cut sh", finish="length"),
        words("I must not.", finish="content_filter"),
        Completion("openai_chat", "a-1", "m", ()),
        Completion("openai_chat", "a-1", "m", (CompletionChoice((Text("One"),)), CompletionChoice((Text("Tw"),), "length"))),
    ],
)
def test_an_answer_that_is_not_whole_or_calls_tools_is_not_kept(answer: Completion) -> None:
    kept = cache()
    kept.keep(asks("Hi"), answer)
    assert given_by(kept, asks("Hi")) is None


def test_the_answer_not_asked_for_longest_goes_first() -> None:
    kept = cache(max_entries=2)
    for name in ("one", "two"):
        kept.keep(asks(name), words(name))
    assert given_by(kept, asks("one")) is not None
    kept.keep(asks("three"), words("three"))
    assert [given_by(kept, asks(name)) is not None for name in ("one", "two", "three")] == [True, False, True]


def test_an_answer_larger_than_the_whole_room_is_not_kept_and_costs_none_of_the_others() -> None:
    kept = cache(max_bytes="1KB")
    kept.keep(asks("small"), words())
    kept.keep(asks("large"), words("x" * 2000))
    assert given_by(kept, asks("small")) is not None
    assert given_by(kept, asks("large")) is None


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 400)), max_size=60))
def test_it_never_holds_more_than_it_may_and_always_the_last(taken: list[tuple[int, int]]) -> None:
    kept = cache(max_entries=5, max_bytes=1500)
    for name, length in taken:
        kept.keep(asks(str(name)), words("x" * length))
        assert given_by(kept, asks(str(name))) == words("x" * length)
    held = [answer for name in range(10) if (answer := given_by(kept, asks(str(name)))) is not None]
    assert len(held) <= 5
    assert sum(len(msgspec.msgpack.encode(answer)) for answer in held) <= 1500


RESPONSES, MESSAGES = OpenAIResponses(), AnthropicMessages()


@pytest.mark.parametrize(
    ("body", "good"),
    [
        ({"model": "auto", "input": "Hi", "store": False}, True),
        ({"model": "auto", "input": "Hi", "store": True}, False),
        ({"model": "auto", "input": "Hi"}, False),
        ({"model": "auto", "input": "Hi", "store": False, "previous_response_id": "resp_1"}, False),
    ],
)
def test_what_an_upstream_holds_is_never_answered_from_memory(body: dict[str, Any], good: bool) -> None:
    kept, request = cache(), RESPONSES.parse(msgspec.json.encode(body))
    kept.keep(request, words())
    assert (given_by(kept, request) is not None) is good


def test_clients_of_different_dialects_do_not_share_answers() -> None:
    kept = cache()
    body = {"model": "auto", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
    kept.keep(asks("Hi", max_tokens=9), words())
    assert given_by(kept, MESSAGES.parse(msgspec.json.encode(body))) is None


def test_closing_forgets_everything() -> None:
    kept = cache()
    kept.keep(asks("Hi"), words())
    run(kept.close())
    assert given_by(kept, asks("Hi")) is None
