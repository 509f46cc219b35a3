"""What real servers and clients do beyond the rules, and what becomes of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dialects.openai_chat.worlds import DIALECT, GPT, QWEN, chunks, decoded, encoded, parsed
from tierline.dialects.events import joined
from tierline.types.catalog import Model
from tierline.types.completion import Broken, Completion, CompletionChoice, Counted, Ended, Event, Finished, PartDelta, PartStarted, Started
from tierline.types.conversation import Conversation, Foreign, Media, Reasoning, Refusal, Sampling, Text, ToolCall, ToolResult, Turn
from tierline.types.errors import BadRequest, ProviderFailure
from tierline.types.outcome import Usage

SAID = Turn("user", (Text("Hi"),))


def event(*deltas: Any, **fields: Any) -> bytes:
    choices = [{"index": 0, "delta": delta} for delta in deltas]
    return b"data: " + json.dumps({"id": "c", "choices": choices, **fields}).encode() + b"\n\n"


def finish(reason: str) -> bytes:
    return b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"%s"}]}\n\n' % reason.encode()


def call(**fields: Any) -> Any:
    return {"tool_calls": [{"index": 0, **fields}]}


def parts_of(*events: bytes) -> Any:
    return joined(decoded(b"".join(events) + b"data: [DONE]\n\n"), "openai_chat").choices[0].parts


def rendered(conversation: Conversation, model: Model = GPT) -> Any:
    return json.loads(DIALECT.render_body(conversation, model).body)


def test_embeddings_are_no_conversation() -> None:
    with pytest.raises(BadRequest, match="embeddings"):
        DIALECT.expand(DIALECT.parse(b'{"model":"e","input":"a"}', "embeddings"))


def test_a_response_that_another_upstream_holds_is_refused() -> None:
    with pytest.raises(BadRequest, match="previous_response_id"):
        DIALECT.render_body(Conversation("openai_responses", (SAID,), previous="resp_1"), GPT)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"temperature": "warm"}, "temperature"),
        ({"stop": [1]}, "stop[0]"),
        ({"tools": [{"type": "function", "function": {"name": 7}}]}, "tools[0].function.name"),
        ({"tool_choice": "maybe"}, "tool_choice"),
        ({"tool_choice": 7}, "tool_choice"),
        ({"response_format": {"type": "json_schema", "json_schema": 7}}, "response_format.json_schema"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": 7}]}]}, "messages[0].content[0].image_url"),
        ({"messages": [{"role": "assistant", "content": "x", "annotations": 7}]}, "messages[0].annotations"),
    ],
)
def test_a_field_that_has_no_meaning_is_refused_by_its_name(fields: Any, param: str) -> None:
    with pytest.raises(BadRequest) as refused:
        DIALECT.expand(parsed(**fields))
    assert refused.value.param == param


def test_a_client_text_with_a_lone_surrogate_is_carried_with_a_question_mark() -> None:
    request = DIALECT.parse(b'{"model":"auto","messages":[{"role":"user","content":"a\\ud83d"}],"user":"\\udfff"}')
    assert DIALECT.expand(request).turns[0].parts == (Text("a?"),)
    assert rendered(DIALECT.expand(request))["user"] == "?"


@pytest.mark.parametrize(
    ("upstream", "limit"),
    [
        ("gpt-5-mini", "max_completion_tokens"),
        ("openai/o3", "max_completion_tokens"),
        ("gpt-4.1", "max_completion_tokens"),
        ("openai/gpt-oss-120b", "max_tokens"),
        ("qwen3-32b", "max_tokens"),
    ],
)
def test_openais_own_models_get_the_newer_name_of_the_limit(upstream: str, limit: str) -> None:
    body = rendered(Conversation("gemini", (SAID,), sampling=Sampling(max_tokens=9)), Model("m", "fast", "p", upstream))
    assert {name: value for name, value in body.items() if "max" in name} == {limit: 9}


@pytest.mark.parametrize(
    ("upstream", "effort", "written", "kept"),
    [
        ("gpt-5-mini", "none", "minimal", False),
        ("gpt-5", "xhigh", "high", False),
        ("o4-mini", "minimal", "low", False),
        ("gpt-5.1", "none", "none", True),
        ("gpt-5.1", "low", "low", False),
        ("gpt-5.2", "xhigh", "xhigh", False),
        ("gpt-4.1", "high", None, True),
        ("qwen3-32b", "high", "high", True),
        ("qwen3-32b", "none", None, True),
    ],
)
def test_effort_and_temperature_are_what_the_model_takes(upstream: str, effort: Any, written: str | None, kept: bool) -> None:
    asked = Conversation("anthropic_messages", (SAID,), reasoning=Reasoning(effort), sampling=Sampling(temperature=0.5))
    result = DIALECT.render_body(asked, Model("m", "fast", "p", upstream))
    body = json.loads(result.body)
    assert (body.get("reasoning_effort"), body.get("temperature")) == (written, 0.5 if kept else None)
    assert ("temperature" in result.dropped) is not kept
    assert ("reasoning_effort" in result.dropped) is (written != effort and effort != "none")


@pytest.mark.parametrize(("budget", "effort"), [(0, None), (1024, "low"), (10_000, "medium"), (60_000, "high")])
def test_a_budget_of_thinking_becomes_an_effort(budget: int, effort: str | None) -> None:
    result = DIALECT.render_body(Conversation("anthropic_messages", (SAID,), reasoning=Reasoning(budget=budget)), QWEN)
    assert json.loads(result.body).get("reasoning_effort") == effort
    assert result.dropped == ("thinking.budget",)


def test_results_come_right_behind_their_calls_and_words_after_them() -> None:
    turn = Turn("tool", (Text("Here."), ToolResult("a", (Text("1"),)), ToolResult("b", (Text("2"),))))
    calls = Turn("assistant", (ToolCall("a", "f"), ToolCall("b", "f")))
    messages = rendered(Conversation("anthropic_messages", (SAID, calls, turn)))["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant", "tool", "tool", "user"]


def test_ids_that_openai_finds_too_long_are_shortened_for_call_and_result_alike() -> None:
    long = "call_" + "x" * 60
    turns = (SAID, Turn("assistant", (ToolCall(long, "f"),)), Turn("tool", (ToolResult(long, (Text("1"),)),)))
    _, called, given = rendered(Conversation("gemini", turns))["messages"]
    assert called["tool_calls"][0]["id"] == given["tool_call_id"]
    assert len(given["tool_call_id"]) <= 40


def test_a_developer_is_the_system_to_those_who_do_not_know_the_role() -> None:
    asked = Conversation("openai_responses", (Turn("developer", (Text("Metric."),)), SAID))
    assert [rendered(asked, model)["messages"][0]["role"] for model in (GPT, QWEN)] == ["developer", "system"]


def test_media_that_an_assistant_made_are_named_and_left_out() -> None:
    turns = (SAID, Turn("assistant", (Text("Here."), Media("image", data="aGk=", mime="image/png"))), SAID)
    result = DIALECT.render_body(Conversation("gemini", turns), GPT)
    assert json.loads(result.body)["messages"][1] == {"role": "assistant", "content": "Here."}
    assert result.dropped == ("image",)


def test_tool_choice_without_tools_is_left_out() -> None:
    turns = (Turn("user", (Text("Hi"), Foreign("gemini", "executableCode", b"{}"))),)
    asked = DIALECT.expand(parsed(parallel_tool_calls=True))
    assert "parallel_tool_calls" in rendered(asked)
    assert rendered(Conversation("gemini", turns, tool_choice=asked.tool_choice)).keys() == {"model", "messages"}


# streams


def test_calls_that_share_one_index_are_told_apart_by_their_ids() -> None:
    first, second = call(id="a", function={"name": "f", "arguments": "{}"}), call(id="b", function={"name": "g", "arguments": "{}"})
    assert parts_of(event(first), event(second), finish("tool_calls")) == (ToolCall("a", "f"), ToolCall("b", "g"))


def test_a_call_that_repeats_its_id_goes_on() -> None:
    pieces = [event(call(id="a", function={"name": "f", "arguments": piece})) for piece in ('{"x"', ":1}")]
    assert parts_of(*pieces, finish("tool_calls")) == (ToolCall("a", "f", '{"x":1}'),)


def test_calls_without_ids_get_one_that_is_the_same_whole_and_streamed() -> None:
    whole = {"id": "c", "choices": [{"message": {"tool_calls": [{"function": {"name": "f"}}, {"function": {"name": "g"}}]}}]}
    streamed = parts_of(event({"tool_calls": [{"function": {"name": "f"}}, {"function": {"name": "g"}}]}), finish("stop"))
    assert streamed == DIALECT.read_completion(json.dumps(whole).encode()).choices[0].parts
    assert len({part.id for part in streamed}) == 2


def test_a_stream_that_goes_back_to_an_earlier_call_is_broken() -> None:
    other = {"tool_calls": [{"index": 1, "id": "b", "function": {"name": "g", "arguments": ""}}]}
    events = decoded(event(call(id="a", function={"name": "f", "arguments": ""}), other) + event(call(function={"arguments": "{}"})))
    assert isinstance(events[-1], Broken)
    assert events[-1].kind == "malformed"


def test_a_stream_without_done_has_ended_where_its_choices_have() -> None:
    assert isinstance(decoded(event({"content": "x"}) + finish("stop"))[-1], Ended)
    assert isinstance(decoded(event({"content": "x"}))[-1], Broken)


def test_done_finishes_a_choice_that_nothing_finished() -> None:
    events = decoded(event({"content": "x"}) + b"data: [DONE]\n\n")
    assert [type(event).__name__ for event in events[-3:]] == ["PartEnded", "Finished", "Ended"]


def test_usage_in_every_chunk_is_told_once_at_the_end() -> None:
    counts = [{"prompt_tokens": 3, "completion_tokens": at} for at in (1, 2)]
    stream = b"".join([event({"content": "x"}, usage=count) for count in counts]) + finish("stop") + b"data: [DONE]\n\n"
    assert [event for event in decoded(stream) if isinstance(event, Counted)] == [Counted(Usage(3, 2))]


def test_a_lone_surrogate_in_a_stream_breaks_nothing() -> None:
    assert parts_of(b'data: {"id":"c","choices":[{"index":0,"delta":{"content":"a\\ud83d"}}]}\n\n', finish("stop")) == (Text("a?"),)


def test_nothing_follows_the_end_or_an_error() -> None:
    decoder = DIALECT.decoder()
    decoder.feed(event({"content": "x"}) + finish("stop") + b"data: [DONE]\n\n")
    assert (decoder.feed(event({"content": "y"})), decoder.finished()) == ([], [])
    assert encoded(parsed(), [Started("c"), Broken("server", "x"), Ended()]).endswith(b'"code":"server"}}\n\n')


def test_an_event_that_never_ends_is_malformed_and_not_kept() -> None:
    decoder = DIALECT.decoder()
    events = [event for _ in range(12) for event in decoder.feed(b"data: " + b"x" * 100_000)]
    assert events == [Broken("malformed", "the upstream sent an event of more than 1048576 bytes")]


@pytest.mark.parametrize(
    ("body", "kind"),
    [(b'{"error":{"message":"slow","code":429}}', "rate_limited"), (b'{"choices":[]}', "malformed"), (b"<html>", "malformed")],
)
def test_whole_answers_are_refused_where_they_are_errors_or_nothing(body: bytes, kind: str) -> None:
    with pytest.raises(ProviderFailure) as failed:
        DIALECT.read_completion(body)
    assert failed.value.kind == kind


@pytest.mark.parametrize(
    ("end", "parts", "told"),
    [
        ("refusal", (Refusal("No."),), "stop"),
        ("refusal", (Text("No."),), "content_filter"),
        ("pause", (Text("So"),), "stop"),
        ("stop_sequence", (Text("So"),), "stop"),
        ("error", (), "error"),
    ],
)
def test_stop_reasons_that_openai_does_not_have_become_its_own_whole_and_streamed(end: Any, parts: Any, told: str) -> None:
    completion = Completion("x", "r", "m", (CompletionChoice(parts, end),))
    assert json.loads(DIALECT.render_completion(completion, parsed()))["choices"][0]["finish_reason"] == told
    events: list[Event] = [Started("r"), *[PartStarted(at, part) for at, part in enumerate(parts)], Finished(end), Ended()]
    assert chunks(encoded(parsed(), events))[-1]["choices"][0]["finish_reason"] == told


def test_a_client_of_functions_is_told_of_the_first_call_only() -> None:
    request = parsed(functions=[{"name": "f"}], stream=True)
    events: list[Event] = [Started("r")]
    for at, name in enumerate("fg"):
        events += [PartStarted(at, ToolCall(name, name, "")), PartDelta(at, '{"a":1}')]
    stream = encoded(request, [*events, Finished("tool_calls"), Ended()])
    told = [chunk["choices"][0]["delta"].get("function_call") for chunk in chunks(stream)]
    assert [piece for piece in told if piece] == [{"name": "f", "arguments": ""}, {"arguments": '{"a":1}'}]
