"""A client and an upstream that both speak this dialect: what routing reads, and what little is changed on the way."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tierline.types.catalog import Model
from tierline.types.errors import BadRequest, ProviderFailure
from tierline.types.outcome import Usage
from tierline.types.request import Media, Message, Sealed, Text, ToolCall, ToolResult

from .worlds import CASES, DIALECT, HAIKU, MODEL, OPUS, case, parsed

PLAIN = {"model": "auto", "max_tokens": 2000, "messages": [{"role": "user", "content": "Hello"}]}


def sent(model: Any = MODEL, **more: Any) -> Any:
    return json.loads(DIALECT.upstream_body(parsed({**PLAIN, **more}), model))


def test_routing_reads_system_prompt_words_calls_results_and_media() -> None:
    request = parsed(
        {
            **PLAIN,
            "system": [{"type": "text", "text": "Be brief."}],
            "messages": [
                {"role": "user", "content": [{"type": "image", "source": {"type": "url", "url": "https://x.example/a.png"}}]},
                {"role": "assistant", "content": [{"type": "thinking", "thinking": "Hm", "signature": "s"}, _call("toolu_1")]},
                {
                    "role": "user",
                    "content": [
                        {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "4"}]},
                        {"type": "text", "text": "So?"},
                    ],
                },
            ],
        }
    )
    assert request.messages == (
        Message("system", (Text("Be brief."),)),
        Message("user", (Media("image", url="https://x.example/a.png"),)),
        Message(
            "assistant",
            (
                Sealed(),
                ToolCall("toolu_1", "f", '{"a": 1}'),
            ),
        ),
        Message("tool", (ToolResult("toolu_1", "4"),)),
        Message("user", (Text("So?"),)),
    )


@pytest.mark.parametrize(
    ("more", "read"),
    [
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, ("reasoning", True)),
        ({"thinking": {"type": "adaptive"}}, ("reasoning", False)),
        ({"output_config": {"format": {"type": "json_schema", "schema": {}}}}, ("response_format", "json_schema")),
        ({"output_format": {"type": "json_schema", "schema": {}}}, ("response_format", "json_schema")),
        ({"tool_choice": {"type": "any"}}, ("tool_choice", "required")),
        ({"tool_choice": {"type": "tool", "name": "f"}}, ("tool_choice", "f")),
        ({}, ("max_tokens", 2000)),
    ],
)
def test_routing_reads_the_parameters_it_needs(more: Any, read: tuple[str, Any]) -> None:
    assert getattr(parsed({**PLAIN, **more}).params, read[0]) == read[1]


def test_server_tools_and_their_results_of_any_shape_are_taken_untouched() -> None:
    blocks = [
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "code_execution", "input": {"code": "1"}},
        {"type": "code_execution_tool_result", "tool_use_id": "srvtoolu_1", "content": {"type": "code_execution_result", "stdout": "1"}},
        {"type": "of_tomorrow", "source": 1, "content": None, "input": [], "citations": "x"},
    ]
    message = {"role": "assistant", "content": blocks}
    assert sent(messages=[*PLAIN["messages"], message])["messages"][1] == message


def test_tierlines_own_metadata_stays_here() -> None:
    assert sent(metadata={"user_id": "u", "tierline_task": "t", "x-tierline-tier": "best"})["metadata"] == {"user_id": "u"}
    assert "metadata" not in sent(metadata={"tierline_task": "t"})


@pytest.mark.parametrize(
    ("body", "param", "said"),
    [
        ({"messages": PLAIN["messages"], "max_tokens": 1}, "model", "is missing"),
        ({**PLAIN, "messages": []}, "messages", "send at least one"),
        ({"model": "m", "messages": PLAIN["messages"]}, "max_tokens", "is missing"),
        ({**PLAIN, "max_tokens": -1}, "max_tokens", "below 0"),
        ({**PLAIN, "messages": [{"role": "wizard", "content": "x"}]}, "messages[0].role", "is no role"),
        ({**PLAIN, "messages": [{"role": "user", "content": 5}]}, "messages[0].content", "got int"),
        ({**PLAIN, "system": 5}, "system", "got int"),
        ({**PLAIN, "metadata": ["tierline"]}, "metadata", "got array"),
        (
            {**PLAIN, "messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "url", "url": 7}}]}]},
            "messages[0].content[0].source.url",
            "got int",
        ),
    ],
)
def test_a_fault_is_named_with_its_field(body: Any, param: str, said: str) -> None:
    with pytest.raises(BadRequest, match=said) as caught:
        parsed(body)
    assert caught.value.param == param


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0]"),
        ({"messages": [{"role": "assistant", "content": [{"type": "tool_use", "name": "f", "input": {}}]}]}, "messages[0].content[0]"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "x", "cache_control": 1}]}]}, "messages[0].content[0]"),
        ({"tool_choice": {"type": "some"}}, "tool_choice.type"),
        ({"output_config": {"format": {"type": "grammar"}}}, "output_config.format.type"),
        ({"stop_sequences": "END"}, "stop_sequences"),
    ],
)
def test_a_field_without_meaning_is_named_when_it_must_be_translated(more: Any, param: str) -> None:
    request = parsed({**PLAIN, **more})
    with pytest.raises(BadRequest) as caught:
        DIALECT.expand(request)
    assert caught.value.param == param


def test_a_count_needs_no_max_tokens_and_is_answered_with_a_number() -> None:
    body = {key: value for key, value in PLAIN.items() if key != "max_tokens"}
    request = DIALECT.parse_count(json.dumps(body).encode())
    assert json.loads(DIALECT.upstream_body(request, MODEL)) == {**body, "model": MODEL.upstream}
    assert DIALECT.read_count(DIALECT.render_count(42)) == 42
    with pytest.raises(ProviderFailure):
        DIALECT.read_count(b'{"input_tokens": null}')


def test_models_are_listed_on_one_page() -> None:
    listed = json.loads(DIALECT.render_models([{"id": "auto", "created": 0, "owned_by": "tierline"}, {"id": "b", "created": 1}]))
    assert (listed["first_id"], listed["last_id"], listed["has_more"]) == ("auto", "b", False)
    assert listed["data"][0] == {
        "type": "model",
        "id": "auto",
        "display_name": "auto",
        "created_at": "1970-01-01T00:00:00Z",
        "lifecycle": "active",
    }


# --- from one generation of Claude to another


def test_adaptive_thinking_becomes_a_budget_for_a_model_that_knows_no_other() -> None:
    body = sent(HAIKU, thinking={"type": "adaptive"}, output_config={"effort": "low"})
    assert body["thinking"] == {"type": "enabled", "budget_tokens": 1600}
    assert "output_config" not in body


def test_adaptive_thinking_is_left_out_where_a_budget_is_out_of_place() -> None:
    loop = [*PLAIN["messages"], {"role": "assistant", "content": [_call("toolu_1")]}, _result("toolu_1")]
    assert "thinking" not in sent(HAIKU, thinking={"type": "adaptive"}, messages=loop)
    assert "thinking" not in sent(HAIKU, thinking={"type": "adaptive"}, tool_choice={"type": "any"})
    assert "thinking" in sent(MODEL, thinking={"type": "adaptive"}, messages=loop)


def test_a_budget_becomes_an_effort_for_a_model_that_takes_no_budget() -> None:
    body = sent(OPUS, thinking={"type": "enabled", "budget_tokens": 9000, "display": "omitted"}, temperature=1, top_k=5)
    assert body["thinking"] == {"type": "adaptive", "display": "omitted"}
    assert body["output_config"] == {"effort": "high"}
    assert not {"temperature", "top_k"} & set(body)


@pytest.mark.parametrize(
    ("upstream", "thinking", "effort"),
    [
        ("claude-opus-4-8", {"type": "disabled"}, None),
        ("claude-opus-5", {"type": "disabled"}, None),
        ("claude-haiku-5-5", {"type": "disabled"}, None),
        ("claude-sonnet-5-5", {"type": "between_tools"}, None),
        ("claude-opus-5-5", None, "low"),
        ("claude-fable-5", None, "low"),
        ("claude-mythos-preview", None, "low"),
    ],
)
def test_thinking_is_turned_off_as_far_as_the_model_lets_it(upstream: str, thinking: Any, effort: str | None) -> None:
    body = sent(Model("m", "best", "anthropic", upstream), thinking={"type": "disabled"})
    assert body.get("thinking") == thinking
    assert body.get("output_config", {}).get("effort") == effort


def test_no_tool_is_demanded_of_a_model_that_refuses_it() -> None:
    choice = {"type": "tool", "name": "f", "disable_parallel_tool_use": True}
    body = sent(Model("m", "best", "anthropic", "claude-opus-5-5"), tool_choice=choice)
    assert body["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}
    assert sent(OPUS, tool_choice=choice)["tool_choice"] == choice


def test_thinking_between_tools_becomes_a_little_thinking_elsewhere() -> None:
    body = sent(OPUS, thinking={"type": "between_tools"})
    assert (body["thinking"], body["output_config"]) == ({"type": "adaptive"}, {"effort": "low"})
    assert sent(Model("m", "best", "p", "claude-sonnet-5-5"), thinking={"type": "between_tools"})["thinking"] == {"type": "between_tools"}


def test_a_model_that_is_no_claude_gets_what_the_client_wrote() -> None:
    more = {"thinking": {"type": "adaptive"}, "temperature": 0.5, "top_p": 0.5, "output_config": {"effort": "max"}}
    assert sent(Model("k", "fast", "p", "kimi-k2"), **more) == {**PLAIN, **more, "model": "kimi-k2"}


def test_no_more_is_asked_for_than_the_model_can_say() -> None:
    assert sent(Model("k", "fast", "p", "claude-3-5-haiku-20241022", max_output=512))["max_tokens"] == 512


# --- answers and streams


def test_an_answer_is_read_with_all_its_input_tokens() -> None:
    body = (CASES / "answer_text" / "upstream.json").read_bytes()
    answer, usage = DIALECT.read_answer(parsed(PLAIN), body)
    assert (answer.text, answer.finish, answer.served_model, answer.body) == ("Hello!", "stop", "claude-sonnet-4-6", body)
    assert usage == Usage(input=1110, output=5, cached=1000, cache_written=100)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html>", "malformed"),
        (b'{"type":"message"}', "malformed"),
        (b'{"content": 5}', "malformed"),
        (b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}', "overloaded"),
    ],
)
def test_an_answer_that_is_none_is_a_failure_of_its_class(body: bytes, kind: str) -> None:
    with pytest.raises(ProviderFailure) as caught:
        DIALECT.read_answer(parsed(PLAIN), body)
    assert caught.value.kind == kind


def test_an_answer_with_a_broken_character_is_still_read() -> None:
    answer, _ = DIALECT.read_answer(
        parsed(PLAIN), b'{"type":"message","content":[{"type":"text","text":"a\\ud800b"}],"stop_reason":"end_turn"}'
    )
    assert answer.text == "a?b"


def test_a_stream_passes_untouched_and_is_read_on_the_way() -> None:
    stream = (CASES / "stream_everything" / "upstream.txt").read_bytes()
    reader = DIALECT.reader(parsed(PLAIN))
    assert reader.feed(stream) + reader.finished() == stream
    assert (reader.done, reader.content, reader.finish, reader.served_model) == (True, True, "tool_calls", "claude-sonnet-4-6")
    assert reader.usage == Usage(input=25, output=89, reasoning=9)


def test_a_stream_commits_at_its_first_words_not_at_its_start() -> None:
    events = (CASES / "stream_text" / "upstream.txt").read_bytes().split(b"\n\n")
    reader = DIALECT.reader(parsed(PLAIN))
    committed = []
    for event in events[:-1]:
        reader.feed(event + b"\n\n")
        committed.append(reader.content)
    assert committed == [False, False, False, True, True, True, True, True]


def test_a_stream_that_was_cut_has_cost_its_input_and_what_came_of_its_output() -> None:
    events = (CASES / "stream_text" / "upstream.txt").read_bytes().split(b"\n\n")
    reader = DIALECT.reader(parsed(PLAIN))
    reader.feed(b"\n\n".join(events[:5]) + b"\n\n")
    assert reader.usage == Usage(input=30, output=4, cached=5, estimated=True)
    assert not reader.done


def test_an_error_in_a_stream_is_read_and_not_passed_on() -> None:
    reader = DIALECT.reader(parsed(PLAIN))
    passed = reader.feed((CASES / "stream_overloaded" / "upstream.txt").read_bytes())
    assert b"error" not in passed
    assert reader.error is not None
    assert (reader.error.kind, reader.error.status) == ("overloaded", 529)
    assert reader.feed(b"data: more\n\n") == b""


def test_words_that_look_like_an_event_are_only_words() -> None:
    stream = (CASES / "stream_text" / "upstream.txt").read_bytes().replace(b"Hel", b'\\"error\\" message_stop message_delta')
    reader = DIALECT.reader(parsed(PLAIN))
    assert reader.feed(stream) == stream
    assert reader.error is None


def test_a_body_that_is_no_stream_is_a_failure() -> None:
    reader = DIALECT.reader(parsed(PLAIN))
    reader.feed(b'{"type":"error","error":{"type":"rate_limit_error","message":"Slow down"}}')
    reader.finished()
    assert reader.error is not None
    assert reader.error.kind == "rate_limited"


def test_the_claude_code_request_is_read_as_what_its_user_said() -> None:
    request = parsed(case("request_claude_code", "client.json"))
    assert [message.role for message in request.messages] == ["system", "user", "assistant", "tool"]
    assert [tool.name for tool in request.tools] == ["Bash", "Read"]
    assert request.stream


def _call(id: str) -> Any:
    return {"type": "tool_use", "id": id, "name": "f", "input": {"a": 1}}


def _result(id: str) -> Any:
    return {"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": "4"}]}
