"""Conversations of other dialects: whatever order their turns stand in, Anthropic gets the order it demands."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierline.types.catalog import Model
from tierline.types.conversation import (
    Conversation,
    Media,
    Output,
    Reasoning,
    Sampling,
    Text,
    Thinking,
    ToolCall,
    ToolChoice,
    ToolResult,
    ToolSpec,
    Turn,
)

from .worlds import DIALECT, HAIKU, MODEL, OPUS

SECRET = "SIGNED-ELSEWHERE"
WORDS = st.sampled_from(["a", " ", "", "two words"])
IDS = st.sampled_from(["call_1", "functions.f:0", "", "toolu_1"])
PARTS = st.one_of(
    st.builds(Text, WORDS),
    st.builds(
        Media, st.sampled_from(["image", "audio", "document"]), url=st.sampled_from(["", "https://x.example/a", "gs://b/a"]), data=WORDS
    ),
    st.builds(Thinking, WORDS, st.just(SECRET), by=st.sampled_from(["gemini", "openai_responses"])),
    st.builds(
        ToolCall,
        IDS,
        st.just("f"),
        st.sampled_from(["{}", '{"a":1}', "", "[1]", "{broken"]),
        signature=st.just(SECRET),
        by=st.just("gemini"),
    ),
    st.builds(ToolResult, IDS, st.lists(st.builds(Text, WORDS), max_size=2).map(tuple), st.just("f")),
)
CONVERSATIONS = st.builds(
    Conversation,
    st.sampled_from(["openai_chat", "gemini"]),
    st.lists(
        st.builds(Turn, st.sampled_from(["system", "developer", "user", "assistant", "tool"]), st.lists(PARTS, max_size=3).map(tuple)),
        max_size=6,
    ).map(lambda turns: (Turn("user", (Text("Hi"),)), *turns)),
    tools=st.sampled_from([(), (ToolSpec("f"),)]),
    tool_choice=st.sampled_from([ToolChoice(), ToolChoice("required"), ToolChoice("one", "f", False)]),
    reasoning=st.builds(
        Reasoning, st.sampled_from(["", "none", "low", "xhigh"]), st.sampled_from([None, 0, 5000]), st.sampled_from([None, True])
    ),
    sampling=st.builds(
        Sampling, st.sampled_from([None, 500, 9000]), st.sampled_from([None, 0.0, 2.0]), st.sampled_from([None, 0.5]), top_k=st.none()
    ),
)


def body(conversation: Conversation, model: Any = MODEL) -> Any:
    return json.loads(DIALECT.render_body(conversation, model).body)


@given(CONVERSATIONS, st.sampled_from([HAIKU, MODEL, OPUS]))
def test_user_and_assistant_speak_in_turn_and_the_user_first(conversation: Conversation, model: Any) -> None:
    roles = [message["role"] for message in body(conversation, model)["messages"]]
    assert roles == [("user", "assistant")[at % 2] for at in range(len(roles))]
    assert roles


@given(CONVERSATIONS)
def test_nothing_is_empty_and_every_id_is_one_that_anthropic_takes(conversation: Conversation) -> None:
    for message in body(conversation)["messages"]:
        assert message["content"]
        for block in message["content"] if isinstance(message["content"], list) else ():
            assert block["type"] != "text" or block["text"].strip()
            if block["type"] == "tool_use":
                assert re.fullmatch(r"[A-Za-z0-9_-]+", block["id"])
                assert isinstance(block["input"], dict)


@given(CONVERSATIONS)
def test_results_stand_before_all_else_in_their_message(conversation: Conversation) -> None:
    for message in body(conversation)["messages"]:
        if message["role"] == "user" and isinstance(message["content"], list):
            results = [block["type"] == "tool_result" for block in message["content"]]
            assert results == sorted(results, reverse=True)


@given(CONVERSATIONS)
def test_what_another_signed_is_never_sent_and_what_is_dropped_is_named_once(conversation: Conversation) -> None:
    rendered = DIALECT.render_body(conversation, MODEL)
    assert SECRET.encode() not in rendered.body
    assert len(rendered.dropped) == len(set(rendered.dropped))
    signed = any(isinstance(part, Thinking | ToolCall) for turn in conversation.turns for part in turn.parts)
    assert ("thinking.signature" in rendered.dropped) == signed


@given(CONVERSATIONS, st.sampled_from([HAIKU, MODEL, OPUS]))
def test_thinking_comes_with_nothing_that_forbids_it(conversation: Conversation, model: Any) -> None:
    sent = body(conversation, model)
    thinking = sent.get("thinking", {"type": "disabled"})
    if thinking["type"] != "disabled":
        assert sent.get("temperature", 1) == 1
        assert sent.get("tool_choice", {}).get("type", "auto") == "auto"
    if thinking["type"] == "enabled":
        assert 1024 <= thinking["budget_tokens"] < sent["max_tokens"]
    assert model is not OPUS or (thinking["type"] != "enabled" and not {"temperature", "top_p", "top_k"} & set(sent))
    assert model is not HAIKU or (thinking["type"] != "adaptive" and "effort" not in sent.get("output_config", {}))


@pytest.mark.parametrize(
    ("schema", "taken", "lost"),
    [
        ({"type": "object", "properties": {}}, {"type": "object", "properties": {}, "additionalProperties": False}, False),
        ({"type": "string", "format": "email"}, {"type": "string", "format": "email"}, False),
        ({"type": "string", "format": "iban", "maxLength": 34}, {"type": "string", "description": "(format: iban, maxLength: 34)"}, True),
        ({"oneOf": [{"type": "integer", "minimum": 1}]}, {"anyOf": [{"type": "integer", "description": "(minimum: 1)"}]}, True),
        ({"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/a"}, "$defs": {"a": {"properties": {}}}}, None, False),
        ({"type": "object", "additionalProperties": {"type": "string"}}, {"type": "object", "additionalProperties": False}, True),
    ],
)
def test_a_schema_is_written_as_anthropic_takes_it(schema: Any, taken: Any, lost: bool) -> None:
    output = Output("json_schema", json.dumps(schema).encode())
    rendered = DIALECT.render_body(Conversation("openai_chat", (Turn("user", (Text("x"),)),), output=output), MODEL)
    found = json.loads(rendered.body)["output_config"]["format"]["schema"]
    if taken is None:
        taken = {**schema, "$defs": {"a": {"properties": {}, "additionalProperties": False}}}
    assert found == taken
    assert rendered.dropped == (("json_schema.bounds",) if lost else ())


@pytest.mark.parametrize(
    ("upstream", "tokens"),
    [
        ("claude-3-haiku-20240307", 4096),
        ("claude-3-5-sonnet-20241022", 8192),
        ("claude-sonnet-4-5@20250929", 64000),
        ("anthropic.claude-opus-4-1-20250805-v1:0", 32000),
        ("claude-mythos-preview", 64000),
        ("kimi-k2", 8192),
    ],
)
def test_a_request_without_a_limit_gets_one_that_the_model_can_keep(upstream: str, tokens: int) -> None:
    conversation = Conversation("openai_chat", (Turn("user", (Text("x"),)),))
    assert body(conversation, Model("m", "fast", "p", upstream))["max_tokens"] == tokens
    assert body(conversation, Model("m", "fast", "p", upstream, max_output=777))["max_tokens"] == 777


def test_a_wish_not_to_think_is_told_to_models_that_think_by_default() -> None:
    conversation = Conversation("openai_chat", (Turn("user", (Text("x"),)),), reasoning=Reasoning("none"))
    assert "thinking" not in body(conversation, OPUS)
    assert body(conversation, Model("m", "fast", "p", "claude-haiku-5-5"))["thinking"] == {"type": "disabled"}
    always = DIALECT.render_body(conversation, Model("m", "best", "p", "claude-opus-5-5"))
    assert (json.loads(always.body)["output_config"], always.dropped) == ({"effort": "low"}, ("reasoning",))


def test_an_answer_that_is_not_to_be_gone_on_with_is_asked_to_go_on() -> None:
    turns = (Turn("user", (Text("x"),)), Turn("assistant", (Text("So far "),)))
    older = DIALECT.render_body(Conversation("openai_chat", turns), HAIKU)
    newer = DIALECT.render_body(Conversation("openai_chat", turns), MODEL)
    assert (json.loads(older.body)["messages"][-1], older.dropped) == ({"role": "assistant", "content": "So far"}, ())
    assert (json.loads(newer.body)["messages"][-1]["role"], newer.dropped) == ("user", ("prefill",))
