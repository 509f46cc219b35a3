"""What another dialect signed reaches it again through a client of this one, and reaches Anthropic never."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tierline.types.completion import Completion, CompletionChoice, PartEnded, PartStarted, Signed
from tierline.types.conversation import Citation, Conversation, Text, Thinking, ToolCall

from .worlds import DIALECT, MODEL, joined, parsed

ASKED: dict[str, Any] = {"model": "auto", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}
SIGNED = (
    Thinking("Hm.", "sig", by="gemini"),
    Thinking("", sealed="gAAA", id="rs_1", by="openai_responses"),
    Thinking("Unsigned."),
    Text("See.", citations=(Citation(url="https://x.example", title="X", quoted="see", by="gemini"),)),
    ToolCall("toolu_1", "f", "{}", signature="sig2", by="gemini"),
)


def returned(parts: Any) -> Any:
    """The request in which a client sends such an answer back."""
    answer = json.loads(DIALECT.render_completion(Completion("gemini", "r", "g", (CompletionChoice(parts),)), parsed(ASKED)))
    result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "4"}]}
    return parsed({**ASKED, "messages": [*ASKED["messages"], {"role": "assistant", "content": answer["content"]}, result]})


def test_signatures_come_back_as_they_were() -> None:
    assert DIALECT.expand(returned(SIGNED)).turns[1].parts == SIGNED


def test_nothing_carried_goes_to_anthropic_by_passing_through() -> None:
    body = DIALECT.upstream_body(returned(SIGNED), MODEL)
    assert b"tierline:" not in body
    assert json.loads(body)["messages"][1]["content"] == [
        {"type": "text", "text": "See."},
        {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}},
    ]


def test_nothing_carried_goes_to_anthropic_by_translation_and_it_is_named() -> None:
    rendered = DIALECT.render_body(DIALECT.expand(returned(SIGNED)), MODEL)
    assert b"tierline:" not in rendered.body
    assert b"sig" not in rendered.body
    assert rendered.dropped == ("thinking", "thinking.signature", "citations")


def test_an_answer_that_was_only_carried_leaves_no_empty_message() -> None:
    body = json.loads(DIALECT.upstream_body(returned((Thinking("Hm.", "sig", by="gemini"),)), MODEL))
    assert [message["role"] for message in body["messages"]] == ["user", "user"]


def test_words_that_only_look_carried_stay() -> None:
    messages = [{"role": "user", "content": [{"type": "text", "text": "tierline:", "citations": "tierline:"}]}]
    assert json.loads(DIALECT.upstream_body(parsed({**ASKED, "messages": messages}), MODEL))["messages"] == messages


def test_anthropics_own_signatures_are_named_by_no_other() -> None:
    own = Conversation("anthropic_messages", DIALECT.expand(returned((Thinking("Hm.", "EqQB", by="anthropic_messages"),))).turns)
    assert json.loads(DIALECT.render_body(own, MODEL).body)["messages"][1]["content"][0]["signature"] == "EqQB"


def test_a_signature_that_comes_in_a_stream_is_carried_too() -> None:
    encoder = DIALECT.encoder(parsed(ASKED))
    events = [
        PartStarted(0, Thinking("Hm.", by="gemini")),
        Signed(0, "sig"),
        PartEnded(0),
        PartStarted(1, ToolCall("toolu_1", "f", "", by="gemini")),
        Signed(1, "sig2"),
        PartEnded(1),
    ]
    parts = joined(DIALECT.decoder().feed(b"".join([encoder.encode(event) for event in events])))
    assert [type(part).__name__ for part in parts] == ["Thinking", "ToolCall", "Foreign"]
    assert "gemini" in parts[0].signature  # type: ignore[union-attr]


@given(st.text(max_size=9), st.text(min_size=1, max_size=9), st.text(max_size=9), st.text(max_size=9))
def test_any_signature_of_any_dialect_is_carried(text: str, signature: str, sealed: str, id: str) -> None:
    part = Thinking(text, signature, sealed, id, "some_dialect")
    assert DIALECT.expand(returned((part,))).turns[1].parts == (part,)
