"""What is asked twice, and what is not; and how two answers are compared."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.scene import DIALECTS, completion
from tierline.gateway.shadow.carried import obstacle, quietly
from tierline.gateway.shadow.compare import compared, judge_id
from tierline.gateway.shadow.worth import labels_of
from tierline.ledger.shadows import Judgement, Shadowed
from tierline.testing.builders import model
from tierline.types.ask import Ask, Told
from tierline.types.conversation import ToolCall
from tierline.types.features import Features
from tierline.types.outcome import Verdict
from tierline.types.request import Request
from tierline.validators.normalise import normalised_all

CHAT: dict[str, Any] = {"model": "auto", "messages": [{"role": "user", "content": "Hello"}]}
ITEMS: dict[str, Any] = {"model": "auto", "input": "Hello"}
GEMINI: dict[str, Any] = {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}
FUNCTION = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}


def parsed(dialect: str, body: dict[str, Any]) -> Request:
    return DIALECTS[dialect].parse(json.dumps(body).encode())


@pytest.mark.parametrize(
    ("dialect", "body", "expected"),
    [
        ("openai_chat", CHAT, ""),
        ("openai_chat", {**CHAT, "tools": [FUNCTION], "stream": True, "store": True}, ""),
        ("openai_chat", {**CHAT, "web_search_options": {}}, "provider_tools"),
        ("openai_responses", ITEMS, ""),
        ("openai_responses", {**ITEMS, "tools": [{"type": "function", "name": "look", "parameters": {}}]}, ""),
        ("openai_responses", {**ITEMS, "tools": [{"type": "web_search"}]}, "provider_tools"),
        ("openai_responses", {**ITEMS, "tools": [{"type": "mcp", "server_label": "s", "server_url": "https://s"}]}, "provider_tools"),
        ("openai_responses", {**ITEMS, "previous_response_id": "resp_1"}, "held_upstream"),
        ("openai_responses", {**ITEMS, "conversation": "conv_1"}, "held_upstream"),
        ("openai_responses", {**ITEMS, "background": True}, "held_upstream"),
        ("anthropic_messages", {**CHAT, "max_tokens": 9}, ""),
        ("anthropic_messages", {**CHAT, "max_tokens": 9, "tools": [{"name": "look", "input_schema": {"type": "object"}}]}, ""),
        ("anthropic_messages", {**CHAT, "max_tokens": 9, "tools": [{"type": "web_search_20250305", "name": "w"}]}, "provider_tools"),
        ("anthropic_messages", {**CHAT, "max_tokens": 9, "mcp_servers": []}, "provider_tools"),
        ("gemini", GEMINI, ""),
        ("gemini", {**GEMINI, "tools": [{"functionDeclarations": [{"name": "look"}]}]}, ""),
        ("gemini", {**GEMINI, "tools": [{"googleSearch": {}}]}, "provider_tools"),
        ("gemini", {**GEMINI, "cachedContent": "cachedContents/1"}, "held_upstream"),
    ],
)
def test_what_would_happen_twice_or_cannot_be_told_whole_is_not_asked_twice(dialect: str, body: dict[str, Any], expected: str) -> None:
    request = parsed(dialect, body)
    assert obstacle(request, Features("r"), DIALECTS[dialect]) == expected
    assert obstacle(request, Features("r", sealed=True), DIALECTS[dialect]) == "sealed"


@pytest.mark.parametrize(
    ("dialect", "body"),
    [
        ("openai_chat", {**CHAT, "stream": True, "stream_options": {"include_usage": True}, "store": True, "metadata": {"a": "b"}}),
        ("openai_responses", {**ITEMS, "stream": True, "store": True}),
        ("openai_responses", ITEMS),
        ("anthropic_messages", {**CHAT, "max_tokens": 9, "stream": True}),
    ],
)
def test_a_shadow_is_asked_whole_and_leaves_nothing_with_its_provider(dialect: str, body: dict[str, Any]) -> None:
    request = quietly(parsed(dialect, body))
    sent = json.loads(DIALECTS[dialect].upstream_body(request, model("m", provider="p")))
    assert not request.stream and not sent.get("stream") and "stream_options" not in sent
    assert sent.get("store", False) is False and ("store" in sent) is (dialect == "openai_responses")
    assert sent.get("messages", sent.get("input")) == body.get("messages", body.get("input"))


def judgement(judge: Any, clients: str, shadows: str, *, calls: tuple[str, str] = ("", "")) -> tuple[Judgement, list[Ask]]:
    """What comes of comparing two answers, and what the judge was asked; `judge` is given the two texts as it is shown them."""
    asked: list[Ask] = []

    async def ask(question: Ask) -> Told:
        asked.append(question)
        shown = [question.prompt.split(f"<answer {n}>\n")[1].split(f"\n</answer {n}>")[0] for n in (1, 2)]
        return Told(ok=True, text=judge(*shown))

    pair = [
        completion(text, (ToolCall("t", "look", arguments),) if arguments else ())
        for text, arguments in zip((clients, shadows), calls, strict=True)
    ]
    found = asyncio.run(compared("fair", pair[0], pair[1], parsed("openai_chat", CHAT), normalised_all, ask))
    return found, asked


def best(number: int) -> str:
    return json.dumps({"best": number})


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_judge_that_goes_by_what_it_reads_agrees_with_itself_whichever_it_is_shown_first(clients: int, shadows: int) -> None:
    found, asked = judgement(lambda one, two: best(1 if int(one) > int(two) else 2), str(clients), str(shadows))
    assert found == ("same" if clients == shadows else "won" if shadows > clients else "lost")
    assert len(asked) == (0 if clients == shadows else 2)


@pytest.mark.parametrize("place", [1, 2])
def test_a_judge_that_goes_by_the_place_never_makes_one_win(place: int) -> None:
    assert judgement(lambda one, two: best(place), "yes", "no")[0] == "disagreed"


def test_a_judge_is_told_no_model_and_no_role() -> None:
    _, asked = judgement(lambda one, two: best(1), "yes", "no")
    told = " ".join(question.system + question.prompt for question in asked)
    assert not any(word in told for word in ("up", "mini", "shadow", "baseline", "candidate"))


def test_the_same_calls_are_the_same_answer_however_they_are_written() -> None:
    assert judgement(best, "Let me look.", "", calls=('{"a": 1, "b": 2}', '{"b":2,"a":1}')) == ("same", [])
    assert judgement(lambda one, two: best(1), "", "", calls=('{"a": 1}', '{"a": 2}'))[0] == "disagreed"


def test_a_judge_with_another_instruction_is_another() -> None:
    assert judge_id("fair") == judge_id("fair") != judge_id("other") and judge_id("fair").startswith("fair@")


@given(st.sampled_from(["", "won", "lost", "same", "disagreed", "unread"]), st.lists(st.booleans(), max_size=3))
def test_the_labels_of_two_answers_that_were_compared_add_up_to_one(said: Judgement, passed: list[bool]) -> None:
    verdicts = tuple(Verdict(f"v{n}", each) for n, each in enumerate(passed))
    row = Shadowed("r", 1.0, "auto", "", "big", "mini", 1.0, True, judge="big@1", judgement=said, verdicts=verdicts)
    labels = list(labels_of(row))
    judged = {label.model: label for label in labels if label.source == "judge"}
    assert sum(label.score for label in judged.values()) == (1.0 if said in ("won", "lost", "disagreed") else 0.0)
    assert all(label.trust == 0.0 and "the answer of big is the judge's own" in label.note for label in judged.values())
    assert [label.score for label in labels if label.source == "validator"] == [float(each) for each in passed]
