"""What another dialect signed reaches it again through a client of this one, and reaches an upstream of this one never."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dialects.openai_chat.worlds import DIALECT, GPT, chunks, encoded, parsed
from tierline.dialects.events import events_of
from tierline.types.completion import Completion, CompletionChoice
from tierline.types.conversation import Text, Thinking, ToolCall
from tierline.types.request import Request

ANTHROPIC, GEMINI = "anthropic_messages", "gemini"
SIGNED: tuple[Any, ...] = (
    Thinking("Unsigned. ", by="openai_chat"),
    Thinking("Hm.", "sig-1", by=ANTHROPIC),
    Thinking("", sealed="sealed-1", by=ANTHROPIC),
    Thinking("Oh.", sealed="sealed-2", id="rs_1", by="openai_responses"),
    Text("See."),
    ToolCall("call_1", "f", "{}", signature="sig-2", by=GEMINI),
    ToolCall("call_2", "f", "{}"),
)


def completion(parts: Any) -> Completion:
    return Completion(GEMINI, "r", "g", (CompletionChoice(parts, "tool_calls"),))


def returned(message: Any) -> Request:
    """The request in which a client sends such a message back."""
    return parsed(messages=[{"role": "user", "content": "x"}, message, {"role": "tool", "tool_call_id": "call_1", "content": "4"}])


def whole(parts: Any) -> Any:
    return json.loads(DIALECT.render_completion(completion(parts), parsed()))["choices"][0]["message"]


def gathered(parts: Any) -> Any:
    """The message that a client puts together from a stream, with every list joined."""
    message: dict[str, Any] = {"role": "assistant", "content": "", "reasoning_content": "", "reasoning_details": [], "tool_calls": []}
    for chunk in chunks(encoded(parsed(stream=True), events_of(completion(parts)))):
        delta = chunk["choices"][0]["delta"]
        for field in ("content", "reasoning_content", "reasoning_details"):
            message[field] += delta.get(field) or type(message[field])()
        for call in delta.get("tool_calls", ()):
            if "id" in call:
                message["tool_calls"].append(call)
            else:
                message["tool_calls"][call["index"]]["function"]["arguments"] += call["function"]["arguments"]
    return message


def test_signatures_of_a_whole_answer_come_back_as_they_were() -> None:
    assert DIALECT.expand(returned(whole(SIGNED))).turns[1].parts == SIGNED


def test_signatures_of_a_stream_come_back_as_they_were() -> None:
    assert DIALECT.expand(returned(gathered(SIGNED))).turns[1].parts == SIGNED


def test_nothing_carried_goes_to_an_upstream_by_passing_through() -> None:
    body = DIALECT.upstream_body(returned(whole(SIGNED)), GPT)
    assert b"sig-" not in body
    assert b"sealed-" not in body
    assert "reasoning_details" not in json.loads(body)["messages"][1]


def test_nothing_carried_goes_to_an_upstream_by_translation_and_it_is_named() -> None:
    rendered = DIALECT.render_body(DIALECT.expand(returned(whole(SIGNED))), GPT)
    assert b"sig-" not in rendered.body
    assert b"sealed-" not in rendered.body
    assert rendered.dropped == ("thinking", "thinking.signature")


def test_details_that_an_upstream_made_itself_pass_untouched() -> None:
    own = {"type": "reasoning.text", "text": "Hm.", "signature": "theirs"}
    message = whole(SIGNED)
    message["reasoning_details"].insert(1, own)
    sent = json.loads(DIALECT.upstream_body(returned(message), GPT))["messages"][1]
    assert sent["reasoning_details"] == [own]
    assert json.loads(DIALECT.render_body(DIALECT.expand(returned(message)), GPT).body)["messages"][1]["reasoning_details"] == [own]


def test_words_that_only_look_carried_pass_untouched() -> None:
    message = {"role": "assistant", "content": '"tierline"', "reasoning_details": "tierline"}
    sent = json.loads(DIALECT.upstream_body(returned(message), GPT))["messages"][1]
    assert sent == message


def test_a_thought_that_the_client_has_shortened_comes_back_without_signatures() -> None:
    message = whole(SIGNED) | {"reasoning_content": "Hm."}
    parts = DIALECT.expand(returned(message)).turns[1].parts
    assert parts[0] == Thinking("Hm.", by="openai_chat")
    assert [part for part in parts if isinstance(part, Thinking) and part.signature] == []


def test_an_answer_that_nobody_signed_has_no_details() -> None:
    assert "reasoning_details" not in whole((Thinking("Hm.", by="openai_chat"), Text("So.")))


SHORT = st.text(max_size=6)
THOUGHTS = st.builds(Thinking, SHORT, st.text(min_size=1, max_size=6), SHORT, by=st.just(GEMINI))


@settings(max_examples=40, deadline=None)
@given(st.lists(THOUGHTS, max_size=4))
def test_any_signed_thoughts_come_back_whole_and_streamed(thoughts: list[Thinking]) -> None:
    parts = (*thoughts, Text("So."))
    assert DIALECT.expand(returned(whole(parts))).turns[1].parts == parts
    assert DIALECT.expand(returned(gathered(parts))).turns[1].parts == parts
