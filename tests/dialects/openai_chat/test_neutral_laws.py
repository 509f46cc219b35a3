"""The laws of the neutral side, for requests, answers and streams of any kind."""

from __future__ import annotations

import contextlib
import itertools
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dialects.openai_chat.bodies import ANSWERS, BODIES, JSON, REPLIES, streamed
from dialects.openai_chat.worlds import CASES, DIALECT, GPT, QWEN, chunks, decoded, encoded, named, parsed
from tierline.dialects.events import events_of, joined
from tierline.testing.checks import check_dialect
from tierline.testing.neutral import plain
from tierline.types.completion import Broken, Ended
from tierline.types.errors import BadRequest, ProviderFailure
from tierline.types.outcome import NO_USAGE

ASKS = parsed(stream=True, stream_options={"include_usage": True})
CUSTOM = {"tools": [{"type": "custom", "custom": {"name": "python"}}]}
quick = settings(max_examples=40, deadline=None)
UNSAID = ("model", "type", "role", "include_usage")
"""Fields whose words may change, or be left out as defaults."""


def leaves(value: Any, field: str = "") -> set[Any]:
    """Every word and number that a body says, the ids and arguments of calls among them."""
    if isinstance(value, dict):
        return set().union(*[leaves(inner, key) for key, inner in value.items() if key not in UNSAID])
    if isinstance(value, list):
        return set().union(*[leaves(inner, field) for inner in value])
    return set() if isinstance(value, bool | None) or value in ("auto", "text", "none") else {value}


def test_every_golden_body_and_answer_keeps_the_laws_of_a_dialect() -> None:
    bodies = [(CASES / name / "client.json").read_bytes() for name in named("request_")]
    answers = [(CASES / name / "upstream.json").read_bytes() for name in ("answer_text", "answer_refused", "answer_compatible")]
    check_dialect(DIALECT, bodies[1:2], answers)
    for body in bodies:
        expanded = DIALECT.expand(DIALECT.parse(body))
        assert plain(DIALECT.expand(DIALECT.parse(DIALECT.render_body(expanded, QWEN).body))) == plain(expanded)


@quick
@given(BODIES)
def test_rendering_what_was_expanded_gives_an_equal_conversation_and_loses_nothing(body: Any) -> None:
    expanded = DIALECT.expand(parsed(**body))
    rendered = DIALECT.render_body(expanded, GPT)
    assert plain(DIALECT.expand(DIALECT.parse(rendered.body))) == plain(expanded)
    assert rendered.dropped == ()


@quick
@given(BODIES)
def test_rendering_what_was_expanded_says_every_word_again(body: Any) -> None:
    written = json.loads(DIALECT.render_body(DIALECT.expand(parsed(**body)), GPT).body)
    assert leaves(body) <= leaves(written)


@quick
@given(BODIES)
def test_rendering_twice_gives_the_same_body(body: Any) -> None:
    once = DIALECT.render_body(DIALECT.expand(parsed(**body)), GPT).body
    assert json.loads(DIALECT.render_body(DIALECT.expand(DIALECT.parse(once)), GPT).body) == json.loads(once)


@quick
@given(ANSWERS)
def test_a_completion_that_was_read_and_rendered_reads_the_same(answer: Any) -> None:
    once = DIALECT.read_completion(json.dumps(answer).encode())
    names = [{"type": "custom", "custom": {"name": call["custom"]["name"]}} for call in _calls(answer) if call["type"] == "custom"]
    functions = {call["function"]["name"] for call in _calls(answer) if call["type"] == "function"}
    tools = [tool for tool in names if tool["custom"]["name"] not in functions]
    again = DIALECT.read_completion(DIALECT.render_completion(once, parsed(tools=tools)))
    assert (_bare(again.choices), again.usage) == (_bare(once.choices), once.usage)


@quick
@given(ANSWERS)
def test_a_stream_joined_equals_the_whole_answer(answer: Any) -> None:
    whole = DIALECT.read_completion(json.dumps(answer).encode())
    assert plain(joined(decoded(streamed(answer)), "openai_chat")) == plain(whole)


@quick
@given(ANSWERS)
def test_events_encoded_and_decoded_are_the_same_events(answer: Any) -> None:
    events = decoded(streamed(answer))
    told = [event for event in decoded(encoded(ASKS, events)) if not _is_empty(event)]
    assert _named(_bare(told)) == _named(_bare([event for event in events if not _is_empty(event)]))


@quick
@given(ANSWERS)
def test_a_completion_told_as_a_stream_says_what_it_says_whole(answer: Any) -> None:
    completion = DIALECT.read_completion(json.dumps(answer).encode())
    again = joined(decoded(encoded(ASKS, events_of(completion))), "openai_chat")
    assert [(_bare(choice.parts), choice.finish) for choice in again.choices] == [
        (_bare(choice.parts), choice.finish) for choice in completion.choices
    ]
    assert again.usage == completion.usage


@quick
@given(ANSWERS, st.data())
def test_a_stream_may_be_cut_anywhere(answer: Any, data: st.DataObject) -> None:
    stream = streamed(answer)
    at = [0, *sorted([data.draw(st.integers(0, len(stream))) for _ in range(3)]), len(stream)]
    decoder = DIALECT.decoder()
    events = [event for start, end in itertools.pairwise(at) for event in decoder.feed(stream[start:end])]
    assert [*events, *decoder.finished()] == decoded(stream)


@quick
@given(ANSWERS)
def test_every_chunk_for_the_client_has_one_choice_and_the_clients_model(answer: Any) -> None:
    told = chunks(encoded(ASKS, decoded(streamed(answer))))
    assert {chunk["model"] for chunk in told} == {"auto"}
    assert all(len(chunk["choices"]) == 1 for chunk in told[:-1])
    assert (told[-1]["choices"], told[-1]["usage"]["prompt_tokens"]) == ([], answer["usage"]["prompt_tokens"])


@quick
@given(ANSWERS)
def test_usage_is_told_only_to_the_client_that_asked_for_it(answer: Any) -> None:
    stream = encoded(parsed(stream=True), decoded(streamed(answer)))
    assert b"prompt_tokens" not in stream
    assert stream.endswith(b"data: [DONE]\n\n")
    assert joined(decoded(stream), "").usage == NO_USAGE


BROKEN = st.dictionaries(
    st.sampled_from(
        ["role", "content", "tool_calls", "function_call", "refusal", "annotations", "name", "tool_call_id", "reasoning", "type"]
    ),
    JSON
    | st.lists(
        st.dictionaries(st.sampled_from(["type", "text", "image_url", "file", "function", "custom", "id"]), JSON, max_size=3), max_size=2
    ),
    max_size=4,
)
FIELDS = st.sampled_from(
    [
        "tools",
        "functions",
        "tool_choice",
        "function_call",
        "response_format",
        "reasoning",
        "stop",
        "metadata",
        "stream_options",
        "user",
        "n",
    ]
)


@quick
@given(st.lists(BROKEN, max_size=2), st.dictionaries(FIELDS, JSON | BROKEN | st.lists(BROKEN, max_size=2), max_size=2))
def test_a_broken_request_is_refused_with_its_field_or_taken(messages: Any, fields: Any) -> None:
    with contextlib.suppress(BadRequest):
        request = parsed(
            messages=[{"role": "user", "content": "Hi"}, *[{"role": "assistant", **message} for message in messages]], **fields
        )
        assert json.loads(DIALECT.render_body(DIALECT.expand(request), GPT).body)["model"] == GPT.upstream
        assert DIALECT.render_completion(DIALECT.read_completion(b'{"choices":[{"message":{}}]}'), request)
        assert encoded(request, [Ended()])


@quick
@given(st.lists(BROKEN, min_size=1, max_size=2))
def test_an_answer_of_any_shape_is_read_or_a_failure(messages: Any) -> None:
    body = json.dumps({"choices": [{"message": message} for message in messages]}).encode()
    with contextlib.suppress(ProviderFailure):
        assert len(DIALECT.read_completion(body).choices) == len(messages)


@quick
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["choices", "id", "usage", "error"]), JSON | st.lists(BROKEN.map(lambda d: {"delta": d})), max_size=3
        )
    )
)
def test_a_stream_of_any_chunks_ends_or_breaks(events: Any) -> None:
    stream = b"".join([b"data: " + json.dumps(event).encode() + b"\n\n" for event in events])
    assert isinstance(decoded(stream + b"data: [DONE]\n\n")[-1], Ended | Broken)


@quick
@given(st.binary(max_size=60))
def test_any_bytes_are_a_failure(body: bytes) -> None:
    with contextlib.suppress(ProviderFailure):
        DIALECT.read_completion(body)
    assert isinstance(decoded(body)[-1], Broken)


@quick
@given(st.lists(REPLIES, min_size=1, max_size=2), st.integers(0, 400), st.integers(0, 255))
def test_a_stream_with_one_wrong_byte_ends_or_breaks(messages: Any, at: int, byte: int) -> None:
    answer = {"id": "x", "created": 1, "model": "m", "usage": {"prompt_tokens": 1}}
    choices = [{"index": i, "message": message, "finish_reason": "stop", "logprobs": None} for i, message in enumerate(messages)]
    stream = bytearray(streamed({**answer, "choices": choices}))
    stream[at % len(stream)] = byte
    assert isinstance(decoded(bytes(stream))[-1], Ended | Broken)


def _calls(answer: Any) -> list[Any]:
    return [call for choice in answer["choices"] for call in choice["message"].get("tool_calls", ())]


def _is_empty(event: Any) -> bool:
    return getattr(event, "text", None) == ""


def _named(events: Any) -> Any:
    """The events with the model that the client named."""
    return [{**event, "model": "auto"} if event["struct"] == "Started" else event for event in events]


def _bare(value: Any) -> Any:
    """What is said, without the marks of custom tools: a client that declared none gets functions."""
    return _unmarked(plain(value))


def _unmarked(value: Any) -> Any:
    if isinstance(value, dict):
        marks = ("extra", "by") if value.get("struct") == "ToolCall" else ()
        return {key: _unmarked(inner) for key, inner in value.items() if key not in marks}
    return [_unmarked(inner) for inner in value] if isinstance(value, list) else value
