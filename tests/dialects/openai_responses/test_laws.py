"""Laws of this dialect, for bodies and answers of any kind."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tierline.types.completion import Broken, Counted, Ended, Finished, Started
from tierline.types.conversation import Conversation
from tierline.types.errors import BadRequest, ProviderFailure

from .worlds import ANSWERS, ASKED, BODIES, DIALECT, JSON, MODEL, canonical, joined, parsed, rendered, shown, streamed


@given(BODIES)
def test_rendering_what_was_expanded_gives_an_equal_request(body: Any) -> None:
    assert canonical(rendered(body)) == canonical({**body, "model": MODEL.upstream})


@given(BODIES)
def test_nothing_is_dropped_within_the_dialect(body: Any) -> None:
    assert DIALECT.render_body(DIALECT.expand(parsed(body)), MODEL).dropped == ()


@given(BODIES)
def test_expanding_what_was_rendered_gives_the_same_conversation(body: Any) -> None:
    assert _unordered(DIALECT.expand(parsed(rendered(rendered(body))))) == _unordered(DIALECT.expand(parsed(rendered(body))))


def _unordered(conversation: Conversation) -> Any:
    told = shown(conversation)
    return {**told, "extra": sorted(told.get("extra", {}).items(), key=str)}


@given(BODIES)
def test_passing_through_changes_nothing_but_the_model(body: Any) -> None:
    assert json.loads(DIALECT.upstream_body(parsed(body), MODEL)) == {**body, "model": MODEL.upstream}


@given(ANSWERS)
def test_a_stream_joined_is_the_whole_answer(answer: Any) -> None:
    whole = DIALECT.read_completion(json.dumps(answer).encode())
    decoder = DIALECT.decoder()
    events = decoder.feed(streamed(answer)) + decoder.finished()
    assert shown(joined(events)) == shown(whole.choices[0].parts)
    assert events[0] == Started(whole.id, whole.model, whole.created)
    assert events[-3:] == [Finished(whole.choices[0].finish), Counted(whole.usage), Ended()]


@given(ANSWERS)
def test_encoding_and_decoding_again_gives_the_same_events(answer: Any) -> None:
    events = DIALECT.decoder().feed(streamed(answer))
    encoder = DIALECT.encoder(parsed({**ASKED, "model": answer["model"]}))
    again = DIALECT.decoder().feed(b"".join([encoder.encode(event) for event in events]))
    custom = {item["call_id"] for item in answer["output"] if item["type"] == "custom_tool_call"}
    if not custom:
        assert shown(again) == shown(events)
    assert shown(joined(again)) == shown(joined(events))


@given(ANSWERS)
def test_custom_calls_are_told_as_such_to_a_client_that_has_the_tool(answer: Any) -> None:
    request = parsed({**ASKED, "tools": [{"type": "custom", "name": "c"}]})
    encoder = DIALECT.encoder(request)
    stream = b"".join([encoder.encode(event) for event in DIALECT.decoder().feed(streamed(answer))])
    final = json.loads(stream.rsplit(b"data: ", 1)[1])["response"]
    wanted = [(item["call_id"], item["input"]) for item in answer["output"] if item["type"] == "custom_tool_call"]
    assert [(item["call_id"], item["input"]) for item in final["output"] if item["type"] == "custom_tool_call"] == wanted


@given(ANSWERS)
def test_a_stream_ends_with_the_response_that_a_whole_answer_is(answer: Any) -> None:
    request = parsed(ASKED)
    encoder = DIALECT.encoder(request)
    stream = b"".join([encoder.encode(event) for event in DIALECT.decoder().feed(streamed(answer))])
    final = json.loads(stream.rsplit(b"data: ", 1)[1])["response"]
    whole = json.loads(DIALECT.render_completion(DIALECT.read_completion(json.dumps(answer).encode()), request))
    assert _without_logprobs(final) == _without_logprobs(whole)


def _without_logprobs(response: Any) -> Any:
    """A whole answer does not say which of several texts its log probabilities belong to."""
    for item in response["output"]:
        for content in item["content"] if item["type"] == "message" else ():
            content.pop("logprobs", None)
    return response


@given(ANSWERS)
def test_rendering_a_completion_that_was_read_gives_an_equal_answer(answer: Any) -> None:
    request = parsed({**ASKED, "tools": [{"type": "custom", "name": "c"}], "model": answer["model"]})
    once = DIALECT.read_completion(json.dumps(answer).encode())
    again = DIALECT.read_completion(DIALECT.render_completion(once, request))
    assert shown(again) == shown(once)


@given(ANSWERS)
def test_every_event_has_the_next_number_and_its_name_twice(answer: Any) -> None:
    encoder = DIALECT.encoder(parsed(ASKED))
    stream = b"".join([encoder.encode(event) for event in DIALECT.decoder().feed(streamed(answer))]).decode()
    told = [event.split("\ndata: ") for event in stream.removesuffix("\n\n").split("\n\n")]
    assert [json.loads(data)["sequence_number"] for _, data in told] == list(range(len(told)))
    assert all(name == f"event: {json.loads(data)['type']}" for name, data in told)


@given(ANSWERS, st.data())
def test_a_stream_may_be_cut_anywhere(answer: Any, data: st.DataObject) -> None:
    stream = streamed(answer)
    at = sorted([data.draw(st.integers(0, len(stream))) for _ in range(3)])
    pieces = [stream[start:end] for start, end in zip([0, *at], [*at, len(stream)], strict=True)]
    decoder, reader = DIALECT.decoder(), DIALECT.reader(parsed(ASKED))
    events = [event for piece in pieces for event in decoder.feed(piece)]
    assert shown(events) == shown(DIALECT.decoder().feed(stream))
    assert b"".join([reader.feed(piece) for piece in pieces]) + reader.finished() == stream
    assert reader.done
    assert reader.error is None
    assert reader.served_model == answer["model"]
    assert reader.usage == DIALECT.read_completion(json.dumps(answer).encode()).usage


@given(ANSWERS)
def test_a_stream_without_its_end_is_broken(answer: Any) -> None:
    decoder = DIALECT.decoder()
    stream = streamed(answer)
    assert not any(isinstance(event, Broken | Ended) for event in decoder.feed(stream[: stream.rindex(b"event: ")]))
    assert decoder.finished() == [Broken("cut", "the upstream closed the stream before its end")]


FIELDS = st.sampled_from(
    ["input", "instructions", "tools", "tool_choice", "text", "reasoning", "include", "metadata", "temperature", "stream", "user", "prompt"]
)
KINDS = st.sampled_from(
    ["message", "reasoning", "function_call", "function_call_output", "custom_tool_call", "item_reference", "compaction", "input_text", "x"]
)
KEYS = st.sampled_from(
    ["role", "content", "id", "call_id", "name", "arguments", "input", "output", "summary", "encrypted_content", "text", "image_url"]
)
ROLES = st.just({"role": "user"}) | st.just({"role": "assistant"}) | st.just({})
BROKEN_ITEMS = st.builds(
    lambda kind, role, more: {"type": kind, **role, **more},
    KINDS,
    ROLES,
    st.dictionaries(
        KEYS, JSON | st.lists(st.builds(lambda k, m: {"type": k, **m}, KINDS, st.dictionaries(KEYS, JSON, max_size=2)), max_size=2)
    ),
)
BROKEN_BODIES = st.builds(
    lambda items, more: {"model": "m", "input": items, **more},
    st.lists(BROKEN_ITEMS, max_size=3),
    st.dictionaries(FIELDS, JSON | st.lists(BROKEN_ITEMS, max_size=2), max_size=2),
)


@given(BROKEN_BODIES)
def test_a_broken_request_is_refused_with_its_field_or_taken(body: Any) -> None:
    with contextlib.suppress(BadRequest):
        request = parsed(body)
        assert json.loads(DIALECT.upstream_body(request, MODEL))["model"] == MODEL.upstream
        assert DIALECT.render_body(DIALECT.expand(request), MODEL).body


@given(st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_a_bad_request_or_a_failure(body: bytes) -> None:
    with contextlib.suppress(BadRequest):
        DIALECT.parse(body)
    with contextlib.suppress(ProviderFailure):
        DIALECT.read_completion(body)
    with contextlib.suppress(ProviderFailure):
        DIALECT.read_answer(parsed(ASKED), body)
    kind, message = DIALECT.read_error(500, body)
    assert (kind, message[:10]) == ("server", "status 500")
    decoder = DIALECT.decoder()
    assert isinstance((decoder.feed(body) + decoder.finished())[-1], Broken)


@given(st.lists(BROKEN_ITEMS, max_size=3))
def test_an_answer_of_any_shape_is_read_or_malformed(items: list[Any]) -> None:
    body = json.dumps({"id": "r", "status": "completed", "output": items}).encode()
    for read in (DIALECT.read_completion, lambda body: DIALECT.read_answer(parsed(ASKED), body)):
        try:
            assert read(body) is not None
        except ProviderFailure as failure:
            assert failure.kind == "malformed"  # either way is fine, each with its own promise


EVENTS = st.builds(
    lambda kind, more: {"type": kind, **more},
    st.sampled_from(
        [
            "response.created",
            "response.output_item.added",
            "response.output_item.done",
            "response.content_part.added",
            "response.content_part.done",
            "response.output_text.delta",
            "response.output_text.done",
            "response.function_call_arguments.delta",
            "response.reasoning_summary_text.delta",
            "response.completed",
            "response.failed",
            "error",
            "keepalive",
        ]
    ),
    st.dictionaries(
        st.sampled_from(["output_index", "content_index", "item", "part", "delta", "text", "response", "error", "annotation"]),
        JSON | BROKEN_ITEMS | st.integers(0, 2) | st.just({}),
        max_size=4,
    ),
)


@given(st.lists(EVENTS, max_size=5))
def test_events_of_any_shape_never_crash_a_reader(events: list[Any]) -> None:
    stream = b"".join([b"data: " + json.dumps(event).encode() + b"\n\n" for event in events])
    decoder = DIALECT.decoder()
    found = decoder.feed(stream) + decoder.finished()
    assert sum(isinstance(event, Broken | Ended) for event in found) == 1
    assert isinstance(found[-1], Broken | Ended)
    reader = DIALECT.reader(parsed(ASKED))
    passed = reader.feed(stream) + reader.finished()
    assert reader.error is not None or passed == stream
