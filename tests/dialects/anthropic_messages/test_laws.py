"""Laws of this dialect, for bodies and answers of any kind."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from tierline.types.completion import Broken, Ended, Finished, Started
from tierline.types.errors import BadRequest, ProviderFailure

from .worlds import ANSWERS, BODIES, DIALECT, JSON, MODEL, canonical, joined, parsed, rendered, said, shown, streamed


@given(BODIES)
def test_rendering_what_was_expanded_gives_an_equal_request(body: Any) -> None:
    assert canonical(rendered(body)) == canonical({**body, "model": MODEL.upstream})


@given(BODIES)
def test_nothing_is_dropped_within_the_dialect(body: Any) -> None:
    assert DIALECT.render_body(DIALECT.expand(parsed(body)), MODEL).dropped == ()


@given(BODIES)
def test_expanding_what_was_rendered_gives_the_same_conversation(body: Any) -> None:
    once = DIALECT.expand(parsed(rendered(body)))
    assert shown(DIALECT.expand(parsed(rendered(rendered(body))))) == shown(once)


@given(BODIES)
def test_passing_through_changes_nothing_but_the_model(body: Any) -> None:
    sent = json.loads(DIALECT.upstream_body(parsed({**body, "model": "auto"}), MODEL))
    assert sent == {**body, "model": MODEL.upstream}


@given(ANSWERS)
def test_a_stream_joined_is_the_whole_answer(answer: Any) -> None:
    whole = DIALECT.read_completion(json.dumps(answer).encode())
    decoder = DIALECT.decoder()
    events = decoder.feed(streamed(answer)) + decoder.finished()
    assert said(shown(joined(events))) == said(shown(whole.choices[0].parts))
    assert isinstance(events[0], Started)
    assert isinstance(events[-1], Ended)
    finished = next(event for event in events if isinstance(event, Finished))
    assert (finished.finish, finished.stop_sequence) == (whole.choices[0].finish, whole.choices[0].stop_sequence)


@given(ANSWERS)
def test_encoding_and_decoding_again_gives_the_same_events(answer: Any) -> None:
    assume(answer["stop_reason"] != "end_turn" or all(block["type"] != "tool_use" for block in answer["content"]))
    events = DIALECT.decoder().feed(streamed(answer))
    encoder = DIALECT.encoder(parsed({"model": "claude-sonnet-4-6", "max_tokens": 1, "messages": [{"role": "user", "content": "x"}]}))
    again = DIALECT.decoder().feed(b"".join([encoder.encode(event) for event in events]))
    assert said(shown(again)) == said(shown(events))


@given(ANSWERS)
def test_rendering_a_completion_that_was_read_gives_an_equal_answer(answer: Any) -> None:
    request = parsed({"model": "auto", "max_tokens": 1, "messages": [{"role": "user", "content": "x"}]})
    once = DIALECT.read_completion(json.dumps(answer).encode())
    again = DIALECT.read_completion(DIALECT.render_completion(once, request))
    assert said(shown(again.choices[0].parts)) == said(shown(once.choices[0].parts))
    assert again.usage == once.usage


@given(ANSWERS, st.data())
def test_a_stream_may_be_cut_anywhere(answer: Any, data: st.DataObject) -> None:
    stream = streamed(answer)
    at = sorted([data.draw(st.integers(0, len(stream))) for _ in range(3)])
    pieces = [stream[start:end] for start, end in zip([0, *at], [*at, len(stream)], strict=True)]
    decoder, reader = (
        DIALECT.decoder(),
        DIALECT.reader(parsed({"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "x"}]})),
    )
    events = [event for piece in pieces for event in decoder.feed(piece)]
    assert shown(events) == shown(DIALECT.decoder().feed(stream))
    assert b"".join([reader.feed(piece) for piece in pieces]) + reader.finished() == stream
    assert reader.done
    assert reader.usage == DIALECT.read_completion(json.dumps(answer).encode()).usage


@given(ANSWERS)
def test_a_stream_without_its_end_is_broken(answer: Any) -> None:
    decoder = DIALECT.decoder()
    decoder.feed(streamed(answer).removesuffix(b'event: message_stop\ndata: {"type": "message_stop"}\n\n'))
    assert decoder.finished() == [Broken("cut", "the upstream closed the stream before its end")]


FIELDS = st.sampled_from(
    ["model", "max_tokens", "messages", "system", "tools", "tool_choice", "thinking", "output_config", "metadata", "temperature", "stream"]
)
KINDS = st.sampled_from(["text", "image", "document", "search_result", "tool_use", "tool_result", "thinking", "redacted_thinking", "x"])
KEYS = st.sampled_from(
    ["text", "source", "content", "id", "name", "input", "citations", "cache_control", "tool_use_id", "signature", "data"]
)
BROKEN_BLOCKS = st.builds(
    lambda kind, more: {"type": kind, **more}, KINDS, st.dictionaries(KEYS, JSON | st.lists(JSON, max_size=2), max_size=3)
)
BROKEN_BODIES = st.builds(
    lambda blocks, more: {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": blocks}], **more},
    st.lists(BROKEN_BLOCKS, max_size=3),
    st.dictionaries(FIELDS, JSON | st.lists(BROKEN_BLOCKS, max_size=2), max_size=2),
)


@given(BROKEN_BODIES)
def test_a_broken_request_is_refused_with_its_field_or_taken(body: Any) -> None:
    with contextlib.suppress(BadRequest):
        request = parsed(body)
        assert json.loads(DIALECT.upstream_body(request, MODEL))["model"] == MODEL.upstream
        assert DIALECT.render_body(DIALECT.expand(request), MODEL).body


@given(st.binary(max_size=60))
def test_any_bytes_are_a_bad_request_or_a_failure(body: bytes) -> None:
    with contextlib.suppress(BadRequest):
        DIALECT.parse(body)
    with contextlib.suppress(ProviderFailure):
        DIALECT.read_completion(body)
    with contextlib.suppress(ProviderFailure):
        DIALECT.read_answer(parsed({"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "x"}]}), body)
    kind, message = DIALECT.read_error(500, body)
    assert (kind, message[:10]) == ("server", "status 500")
    decoder = DIALECT.decoder()
    assert isinstance((decoder.feed(body) + decoder.finished())[-1], Broken)


EVENTS = st.builds(
    lambda kind, more: {"type": kind, **more},
    st.sampled_from(
        ["message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "error", "ping"]
    ),
    st.dictionaries(
        st.sampled_from(["index", "message", "content_block", "delta", "usage", "error"]), JSON | BROKEN_BLOCKS | st.just({}), max_size=4
    ),
)


@given(st.lists(EVENTS, max_size=5))
def test_events_of_any_shape_never_crash_a_reader(events: list[Any]) -> None:
    stream = b"".join([b"data: " + json.dumps(event).encode() + b"\n\n" for event in events])
    decoder = DIALECT.decoder()
    assert isinstance((decoder.feed(stream) + decoder.finished())[-1], Broken)
    reader = DIALECT.reader(parsed({"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "x"}]}))
    passed = reader.feed(stream) + reader.finished()
    assert stream.startswith(passed)


@given(BROKEN_BLOCKS)
def test_an_answer_of_any_shape_is_read_or_a_failure(block: Any) -> None:
    body = json.dumps({"type": "message", "content": [block], "usage": block}).encode()
    with contextlib.suppress(ProviderFailure):
        assert len(DIALECT.read_completion(body).choices) == 1
