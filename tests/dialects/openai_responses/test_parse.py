"""What is read of a request, and how a bad one is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tierline.types.errors import BadRequest
from tierline.types.request import Media, Message, Params, Refusal, Text, Tool, ToolCall, ToolResult

from .worlds import ASKED, DIALECT, MODEL, parsed


def test_a_text_is_the_users_turn_and_instructions_come_before_it() -> None:
    request = parsed({**ASKED, "instructions": "Be brief."})
    assert request.messages == (Message("system", (Text("Be brief."),)), Message("user", (Text("hello"),)))


def test_items_become_messages_and_those_nobody_can_read_are_passed_over() -> None:
    items = [
        {"role": "developer", "content": "rules"},
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "look"},
                {"type": "input_image", "image_url": "data:image/png;base64,AA=="},
                {"type": "input_file", "file_url": "https://example.org/a.pdf"},
                {"type": "input_audio", "input_audio": {"data": "BB==", "format": "wav"}},
            ],
        },
        {"type": "web_search_call", "id": "ws_1", "status": "completed"},
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
        {
            "type": "function_call_output",
            "call_id": "c1",
            "output": [{"type": "input_text", "text": "a"}, {"type": "input_text", "text": "b"}],
        },
        {"type": "custom_tool_call", "call_id": "c2", "name": "g", "input": "plain"},
        {"type": "custom_tool_call_output", "call_id": "c2", "output": "done"},
    ]
    looked = (Text("look"), Media("image", data="AA==", mime="image/png"), Media("document", url="https://example.org/a.pdf"))
    assert parsed({"model": "auto", "input": items}).messages == (
        Message("system", (Text("rules"),)),
        Message("user", (*looked, Media("audio", data="BB==", mime="audio/wav"))),
        Message("assistant", (Refusal("no"),)),
        Message("assistant", (ToolCall("c1", "f", "{}"),)),
        Message("tool", (ToolResult("c1", "ab"),)),
        Message("assistant", (ToolCall("c2", "g", "plain"),)),
        Message("tool", (ToolResult("c2", "done"),)),
    )


def test_tools_are_told_by_name_those_of_a_namespace_under_its_name() -> None:
    tools = [
        {"type": "function", "name": "f", "parameters": {"type": "object"}},
        {"type": "web_search"},
        {"type": "namespace", "name": "mcp__gh", "tools": [{"type": "function", "name": "list", "parameters": {}}]},
    ]
    assert parsed({**ASKED, "tools": tools}).tools == (Tool("f", "", b'{"type": "object"}'), Tool("web_search"), Tool("mcp__gh__list"))


@pytest.mark.parametrize(
    ("fields", "params"),
    [
        ({"max_output_tokens": 7}, Params(max_tokens=7)),
        ({"text": {"format": {"type": "json_schema", "name": "n", "schema": {}}}}, Params(response_format="json_schema")),
        ({"reasoning": {"effort": "low"}}, Params(reasoning=True)),
        ({"reasoning": {"effort": "none"}}, Params()),
        ({"reasoning": {"summary": "auto"}}, Params()),
        ({"tool_choice": {"type": "function", "name": "f"}}, Params(tool_choice="f")),
        ({"tool_choice": {"type": "allowed_tools", "mode": "required", "tools": []}}, Params(tool_choice="required")),
        ({"include": ["message.output_text.logprobs"]}, Params(logprobs=True)),
    ],
)
def test_routing_sees_the_parameters(fields: dict[str, Any], params: Params) -> None:
    assert parsed({**ASKED, **fields}).params == params


@pytest.mark.parametrize("field", ["previous_response_id", "conversation"])
def test_what_the_upstream_holds_may_stand_in_for_the_input(field: str) -> None:
    assert parsed({"model": "auto", field: "x"}).messages == ()


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"input": "x"}, "model"),
        ({"model": "", "input": "x"}, "model"),
        ({"model": "auto"}, "input"),
        ({"model": "auto", "input": []}, "input"),
        ({"model": "auto", "input": 3}, "input"),
        ({"model": "auto", "input": [{"role": "king", "content": "x"}]}, "input[0].role"),
        ({"model": "auto", "input": [{"type": "message", "content": "x"}]}, "input[0].role"),
        ({"model": "auto", "input": [{"role": "user", "content": 3}]}, "input[0].content"),
        ({"model": "auto", "input": [{"role": "user", "content": [{"type": "input_text", "text": 3}]}]}, "input[0].content[0].text"),
        ({"model": "auto", "input": [{"type": "function_call_output", "call_id": "c", "output": {}}]}, "input[0].output"),
        ({"model": "auto", "input": "x", "tools": [{"type": "function"}]}, "tools[0].name"),
        ({"model": "auto", "input": "x", "max_output_tokens": "many"}, "max_output_tokens"),
        ({"model": "auto", "input": "x", "stream": "yes"}, "stream"),
    ],
)
def test_a_bad_request_names_its_field(body: Any, param: str) -> None:
    with pytest.raises(BadRequest) as refused:
        parsed(body)
    assert refused.value.param == param
    assert refused.value.message.startswith(param)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"tool_choice": "perhaps"}, "tool_choice"),
        ({"text": {"format": {"type": "poem"}}}, "text.format.type"),
        ({"metadata": 3}, "metadata"),
    ],
)
def test_a_field_without_a_meaning_is_refused_when_it_must_be_translated(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as refused:
        DIALECT.expand(parsed({**ASKED, **fields}))
    assert refused.value.param == param


def test_embeddings_are_asked_for_elsewhere() -> None:
    with pytest.raises(BadRequest, match="/v1/embeddings"):
        DIALECT.parse(b"{}", "embeddings")


def test_broken_characters_are_taken_and_passed_on_as_they_came() -> None:
    body = rb'{"model": "auto", "input": [{"role": "user", "content": "a\ud800b"}], "metadata": {"k": "\ud800", "tierline_task": "t"}}'
    request = DIALECT.parse(body)
    assert request.messages == (Message("user", (Text("a?b"),)),)
    assert rb"a\ud800b" in DIALECT.upstream_body(request, MODEL)
    assert json.loads(DIALECT.render_body(DIALECT.expand(request), MODEL).body)["input"][0]["content"][0]["text"] == "a?b"


def test_what_is_meant_for_the_gateway_goes_no_further() -> None:
    request = parsed({**ASKED, "metadata": {"tierline_task": "t", "x-tierline-tier": "best", "team": "a"}})
    assert json.loads(DIALECT.upstream_body(request, MODEL))["metadata"] == {"team": "a"}
    assert json.loads(DIALECT.render_body(DIALECT.expand(request), MODEL).body)["metadata"] == {"team": "a"}
    only = parsed({**ASKED, "metadata": {"tierline_task": "t"}})
    assert "metadata" not in json.loads(DIALECT.upstream_body(only, MODEL))
