"""What is carried for others: signatures to the model that signed, plain text to custom tools, names in namespaces."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierline.dialects import custom_tools
from tierline.dialects.openai_responses import seal
from tierline.types.completion import Completion, CompletionChoice, Started
from tierline.types.conversation import Conversation, Text, Thinking, ToolCall, ToolSpec, Turn

from .worlds import ASKED, DIALECT, MODEL, SOME, parsed


def answered(*parts: Any, **asked: Any) -> list[Any]:
    """The output items that a client gets for an answer of another dialect."""
    completion = Completion("other", "x1", "m", (CompletionChoice(parts),))
    output: list[Any] = json.loads(DIALECT.render_completion(completion, parsed({**ASKED, **asked})))["output"]
    return output


def handed_back(items: list[Any]) -> Any:
    return parsed({"model": "auto", "input": [{"role": "user", "content": "x"}, *items]})


SIGNED = Thinking("hm", signature="sig", by="anthropic_messages")
SEALED = Thinking(sealed="xx", by="anthropic_messages")
CALLED = ToolCall("c1", "f", "{}", signature="s", by="gemini")


def test_signatures_return_to_the_dialect_that_made_them() -> None:
    conversation = DIALECT.expand(handed_back(answered(SIGNED, SEALED, Text("Hi"), CALLED)))
    parts = conversation.turns[-1].parts
    assert parts[:2] == (SIGNED, SEALED)
    assert isinstance(parts[3], ToolCall)
    assert (parts[3].id, parts[3].signature, parts[3].by) == ("c1", "s", "gemini")


def test_signatures_of_others_reach_no_upstream_of_this_dialect() -> None:
    request = handed_back(answered(SIGNED, CALLED, Text("Hi")))
    passed = json.loads(DIALECT.upstream_body(request, MODEL))["input"]
    assert [item.get("type", "message") for item in passed] == ["message", "function_call", "message"]
    rendered = DIALECT.render_body(DIALECT.expand(request), MODEL)
    assert b"sig" not in rendered.body
    assert rendered.dropped == ("thinking", "thinking.signature")


def test_words_that_mention_a_seal_pass_untouched() -> None:
    items = [
        {"role": "user", "content": "what is tierline.v1. for?"},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "g"},
    ]
    assert json.loads(DIALECT.upstream_body(parsed({"model": "auto", "input": items}), MODEL))["input"] == items


def test_reasoning_that_this_api_sealed_is_not_sealed_again() -> None:
    own = Thinking("hm", id="rs_9", by="openai_responses", summary=True), Thinking(sealed="gAAA", id="rs_9", by="openai_responses")
    (item,) = answered(*own)
    assert (item["id"], item["encrypted_content"]) == ("rs_9", "gAAA")


@given(st.text(max_size=30))
def test_any_text_is_a_seal_or_none(text: str) -> None:
    assert seal.open_(text) is None
    assert isinstance(seal.open_(f"tierline.v1.{text}"), seal.Seal)


@given(SOME, SOME, SOME, SOME)
def test_a_seal_holds_what_was_put_into_it(by: str, signature: str, sealed: str, call: str) -> None:
    put = seal.Seal(by, signature, sealed, call)
    assert seal.open_(seal.close(put)) == put


@given(st.text(max_size=40), st.booleans(), st.sampled_from([None, 1]), st.data())
def test_plain_text_comes_out_of_json_arguments_cut_anywhere(text: str, ascii_only: bool, indent: int | None, data: st.DataObject) -> None:
    arguments = json.dumps({"input": text}, ensure_ascii=ascii_only, indent=indent)
    at = sorted([data.draw(st.integers(0, len(arguments))) for _ in range(4)])
    pieces = [arguments[start:end] for start, end in zip([0, *at], [*at, len(arguments)], strict=True)]
    reader = custom_tools.TextOfArguments()
    assert "".join([reader.feed(piece) for piece in pieces]) + reader.rest() == text


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ('{"note":1,"input":"a"}', "a"),
        ("plain", "plain"),
        ('{"other":1}', '{"other":1}'),
        ('{"input":"a\\u12', "a"),
        ('{"input":"\\ud800x"}', "\ufffdx"),
    ],
)
def test_arguments_of_another_shape_give_what_they_have(arguments: str, text: str) -> None:
    reader = custom_tools.TextOfArguments()
    assert reader.feed(arguments) + reader.rest() == text


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"])))
def test_plain_text_becomes_json_arguments_piece_by_piece(one: str, two: str) -> None:
    written = custom_tools.OPENING + custom_tools.escaped(one) + custom_tools.escaped(two) + custom_tools.CLOSING
    assert json.loads(written) == {"input": one + two}
    assert custom_tools.as_text(written) == one + two


def test_a_grammar_is_told_to_models_that_know_no_custom_tools() -> None:
    tool = {"type": "custom", "name": "c", "format": {"type": "grammar", "syntax": "regex", "definition": "[0-9]+"}}
    (spec,) = DIALECT.expand(parsed({**ASKED, "tools": [tool]})).tools
    assert "regex grammar:\n[0-9]+" in json.loads(spec.parameters)["properties"]["input"]["description"]


SPACE = {"type": "namespace", "name": "mcp__gh", "description": "GitHub", "tools": [{"type": "function", "name": "list", "parameters": {}}]}


def test_a_tool_of_a_namespace_is_called_by_its_full_name_and_told_by_its_own() -> None:
    (spec,) = DIALECT.expand(parsed({**ASKED, "tools": [SPACE]})).tools
    (item,) = answered(ToolCall("c1", spec.name, "{}"), tools=[SPACE])
    assert spec.name == "mcp__gh__list"
    assert (item["name"], item["namespace"]) == ("list", "mcp__gh")


def test_a_name_too_long_for_others_stays_short() -> None:
    long = {**SPACE, "name": "n" * 60}
    (spec,) = DIALECT.expand(parsed({**ASKED, "tools": [long]})).tools
    (item,) = answered(ToolCall("c1", spec.name, "{}"), tools=[long])
    assert (spec.name, item["name"], item["namespace"]) == ("list", "list", "n" * 60)


def test_fields_of_the_clients_own_dialect_do_not_come_back_from_another() -> None:
    spec = ToolSpec("f", extra=b'{"cache_control":{}}', by="anthropic_messages")
    conversation = Conversation(
        "anthropic_messages", (Turn("user", (Text("x", extra=b'{"citations":{}}', by="anthropic_messages"),)),), (spec,)
    )
    body = DIALECT.render_body(conversation, MODEL).body
    assert b"cache_control" not in body
    assert b"citations" not in body


@pytest.mark.parametrize(
    ("id", "suffix"), [("resp_a1", "a1"), ("msg_01", "01"), ("chatcmpl-x", "x"), ("ü/?", "req1"), ("", "req1"), ("plain", "plain")]
)
def test_ids_are_those_of_the_upstream_or_of_the_request(id: str, suffix: str) -> None:
    request = msgspec.structs.replace(parsed(ASKED), id="req1")
    parts = (Text("a"), ToolCall("", "f", "{}"), ToolCall("", "f", "{}"))
    told = json.loads(DIALECT.render_completion(Completion("other", id, "m", (CompletionChoice(parts),)), request))
    assert told["id"] == f"resp_{suffix}"
    assert [item["id"] for item in told["output"]] == [f"msg_{suffix}_0", f"fc_{suffix}_1", f"fc_{suffix}_2"]
    assert len({item["call_id"] for item in told["output"][1:]}) == 2


def test_pretty_printed_tools_do_not_break_the_stream() -> None:
    body = json.dumps({**ASKED, "tools": [SPACE]}, indent=2).encode()
    first = DIALECT.encoder(DIALECT.parse(body)).encode(Started("x", "m")).decode()
    assert [json.loads(event.split("\ndata: ")[1])["response"]["tools"] for event in first.split("\n\n") if event] == [[SPACE], [SPACE]]
