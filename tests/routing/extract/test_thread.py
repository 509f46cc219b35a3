"""Where a conversation stands: its session, its tool loop, what failed in it, and what is sealed."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tierline.dialects.anthropic_messages import AnthropicMessages
from tierline.dialects.gemini import Gemini
from tierline.dialects.openai_chat import OpenAIChat
from tierline.dialects.openai_responses import OpenAIResponses
from tierline.routing.extract import Extractor
from tierline.routing.router import Router
from tierline.testing.builders import loaded
from tierline.types.access import ANYONE, Key
from tierline.types.features import Features
from tierline.types.hints import Hints
from tierline.types.request import Request
from tierline.types.scores import NO_SCORES
from tierline.types.view import NO_VIEW

STICKY = loaded({"routes": {"auto": {"session": {"sticky": True}}}})
DIALECTS: dict[str, Any] = {"openai": OpenAIChat, "anthropic": AnthropicMessages, "responses": OpenAIResponses, "gemini": Gemini}


def request(dialect: str, **body: Any) -> Request:
    whole = {"model": "auto", "max_tokens": 9, **body} if dialect == "anthropic" else {"model": "auto", **body}
    parsed: Request = DIALECTS[dialect]().parse(msgspec.json.encode(whole))
    return msgspec.structs.replace(parsed, id="r-1")


def chat(*messages: tuple[str, Any], session: str = "") -> Request:
    asked = request("openai", messages=[{"role": role, "content": content} for role, content in messages])
    return msgspec.structs.replace(asked, hints=Hints(session=session))


def features(asked: Request, key: Key = ANYONE) -> Features:
    return Extractor(STICKY)(asked, key)


def tool_use(name: str = "toolu_1", *more: dict[str, Any]) -> dict[str, Any]:
    return {"role": "assistant", "content": [*more, {"type": "tool_use", "id": name, "name": "f", "input": {}}]}


def result(failed: bool, *more: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "x", "is_error": failed}, *more]}


ASK = {"role": "user", "content": "What is the weather?"}


# sessions


def test_the_requests_of_one_conversation_are_one_session() -> None:
    first = features(chat(("system", "Be kind. Today is 2026-11-01."), ("user", "Hello, I need a plan.")))
    later = features(
        chat(("system", "Be kind. Today is 2026-11-02."), ("user", "Hello, I need a plan."), ("assistant", "Sure."), ("user", "Go on."))
    )
    assert first.session == later.session != ""


@pytest.mark.parametrize("other", [chat(("user", "Another question.")), chat(("system", "Be rude."), ("user", "Hello."))])
def test_another_beginning_is_another_session(other: Request) -> None:
    assert features(other).session != features(chat(("user", "Hello."))).session


def test_the_clients_own_session_id_counts_whatever_is_said() -> None:
    one, other = chat(("user", "Hello."), session="s-1"), chat(("user", "Anything else."), session="s-1")
    assert features(one).session == features(other).session != features(chat(("user", "Hello."), session="s-2")).session


def test_sessions_of_different_keys_are_never_the_same() -> None:
    asked = chat(("user", "Hello."), session="s-1")
    assert features(asked, Key("a")).session != features(asked, Key("b")).session


def test_without_a_sticky_route_nobody_counts_sessions() -> None:
    assert Extractor(loaded())(chat(("user", "Hello."), session="s-1")).session == ""


def test_a_session_tells_nothing_of_what_was_said() -> None:
    session = features(chat(("user", "Hello."), session="s-1")).session
    assert len(session) == 24 and int(session, 16) >= 0


# tool loops


def test_after_the_results_of_its_tools_the_model_is_in_a_loop() -> None:
    asked = request("anthropic", messages=[ASK, tool_use(), result(False)])
    assert features(asked).tool_loop


def test_words_beside_a_result_do_not_end_the_loop() -> None:
    asked = request(
        "anthropic", messages=[ASK, tool_use(), result(False, {"type": "text", "text": "<system-reminder>x</system-reminder>"})]
    )
    assert features(asked).tool_loop


def test_an_answer_ends_the_loop() -> None:
    asked = request("anthropic", messages=[ASK, tool_use(), result(True), {"role": "assistant", "content": "Sunny."}, ASK])
    found = features(asked)
    assert (found.tool_loop, found.tool_failures) == (False, 0)


def test_failures_are_counted_over_the_rounds_of_a_loop_up_to_a_success() -> None:
    rounds = [ASK, tool_use(), result(True), tool_use(), result(False), tool_use(), result(True), tool_use(), result(True)]
    assert features(request("anthropic", messages=rounds)).tool_failures == 2


def test_failures_before_the_users_last_words_are_forgotten() -> None:
    rounds = [ASK, tool_use(), result(True), {"role": "assistant", "content": "It failed."}, ASK, tool_use(), result(True)]
    assert features(request("anthropic", messages=rounds)).tool_failures == 1


def test_gemini_wraps_a_failure_as_an_error() -> None:
    def asked(response: dict[str, Any]) -> Request:
        call = {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]}
        answer = {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": response}}]}
        return request("gemini", contents=[{"role": "user", "parts": [{"text": "Weather?"}]}, call, answer])

    assert features(asked({"error": "no such town"})).tool_failures == 1
    found = features(asked({"output": "sunny"}))
    assert (found.tool_loop, found.tool_failures) == (True, 0)


def test_the_other_formats_know_tool_loops_too() -> None:
    called = {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
    }
    assert features(request("openai", messages=[ASK, called, {"role": "tool", "tool_call_id": "c", "content": "x"}])).tool_loop
    items = [
        ASK,
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "x"},
    ]
    assert features(request("responses", input=items)).tool_loop


# sealed reasoning

SIGNED = {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}
ENCRYPTED = {"type": "reasoning.encrypted", "data": "c2ln"}


@pytest.mark.parametrize(
    ("asked", "sealed"),
    [
        (request("anthropic", messages=[ASK, tool_use("toolu_1", SIGNED), result(False)]), True),
        (request("anthropic", messages=[ASK, tool_use("toolu_1", {"type": "redacted_thinking", "data": "x"}), result(False)]), True),
        (request("anthropic", messages=[ASK, tool_use("toolu_1", {"type": "thinking", "thinking": "Hm."}), result(False)]), False),
        (request("responses", input=[ASK, {"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "x"}, ASK]), True),
        (request("responses", input=[ASK, {"type": "reasoning", "id": "rs", "summary": []}, ASK]), False),
        (request("gemini", contents=[{"role": "model", "parts": [{"text": "Hm.", "thoughtSignature": "c2ln"}]}]), True),
        (request("gemini", contents=[{"role": "model", "parts": [{"text": "Hm."}]}]), False),
        (request("openai", messages=[ASK, {"role": "assistant", "content": "Hm.", "reasoning_details": [ENCRYPTED]}, ASK]), True),
        (request("openai", messages=[ASK, {"role": "assistant", "content": "Hm.", "reasoning_details": []}, ASK]), False),
    ],
)
def test_signed_or_encrypted_reasoning_is_seen_in_every_format(asked: Request, sealed: bool) -> None:
    assert features(asked).sealed is sealed


def test_rules_see_tool_loops_and_their_failures() -> None:
    rules = [{"when": "tool_loop && tool_failures >= 2", "use": "best", "why": "it keeps failing"}]
    spec = loaded({"routes": {"auto": {"rules": rules}}})
    rounds = [ASK, tool_use(), result(True), tool_use(), result(True)]
    asked = Extractor(spec)(request("anthropic", messages=rounds))
    assert Router(spec).decide(asked, NO_SCORES, NO_VIEW).tier == "best"
