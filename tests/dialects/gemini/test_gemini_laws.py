"""Laws of the dialect gemini, for bodies and answers of any kind."""

from __future__ import annotations

import contextlib
import itertools
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dialects.gemini.gemini_worlds import (
    ANSWERS,
    BODIES,
    DIALECT,
    FLASH,
    JSON,
    as_stream,
    asked,
    canonical,
    in_pieces,
    joined,
    parsed,
    rendered,
    shown,
)
from tierline.testing.checks import read_stream
from tierline.types.completion import Broken, Counted, Ended
from tierline.types.errors import BadRequest, ProviderFailure


@given(BODIES)
def test_rendering_what_was_expanded_gives_an_equal_request(body: Any) -> None:
    assert rendered(body) == canonical(body)


@given(BODIES)
def test_nothing_is_dropped_within_the_dialect(body: Any) -> None:
    assert DIALECT.render_body(DIALECT.expand(parsed(body)), FLASH).dropped == ()


@given(BODIES)
def test_expanding_what_was_rendered_gives_the_same_conversation(body: Any) -> None:
    once = DIALECT.expand(parsed(body))
    assert shown(DIALECT.expand(parsed(rendered(body)))) == shown(once)


@given(BODIES)
def test_passing_through_changes_nothing(body: Any) -> None:
    assert json.loads(DIALECT.upstream_body(parsed(body), FLASH)) == body


@given(ANSWERS, st.integers(1, 4))
def test_a_stream_joined_is_the_whole_answer(answer: Any, size: int) -> None:
    whole = DIALECT.read_completion(json.dumps(answer).encode())
    decoder = DIALECT.decoder()
    events = decoder.feed(as_stream(in_pieces(answer, size))) + decoder.finished()
    for index, choice in enumerate(whole.choices):
        parts, finish, _ = joined(events, index)
        assert parts == shown(choice.parts)
        assert finish == choice.finish
    assert events[-2:] == [Counted(whole.usage), Ended()]


@given(ANSWERS)
def test_encoding_and_decoding_again_gives_the_same_answer(answer: Any) -> None:
    decoder, again, encoder = DIALECT.decoder(), DIALECT.decoder(), DIALECT.encoder(asked("gemini-2.5-flash"))
    events = decoder.feed(as_stream(in_pieces(answer, 3))) + decoder.finished()
    sent = b"".join([encoder.encode(event) for event in events])
    read = again.feed(sent) + again.finished()
    for index in range(len(answer["candidates"])):
        (parts, finish, weights), (same, reason, likewise) = joined(events, index), joined(read, index)
        assert same == parts
        assert likewise == weights
        assert reason == ("content_filter" if finish == "refusal" else finish)
    assert shown(read[-2:]) == shown(events[-2:])


@given(ANSWERS)
def test_a_whole_answer_rendered_and_read_again_is_the_same(answer: Any) -> None:
    once = DIALECT.read_completion(json.dumps(answer).encode())
    assert shown(DIALECT.read_completion(DIALECT.render_completion(once, asked(once.model)))) == shown(once)


@settings(max_examples=50)
@given(ANSWERS, st.lists(st.integers(0, 4000), max_size=8), st.booleans())
def test_a_stream_cut_anywhere_gives_the_same_events(answer: Any, cuts: list[int], array: bool) -> None:
    stream = as_stream(in_pieces(answer, 3))
    if array:
        writer = DIALECT.array_writer()
        stream = writer.feed(stream) + writer.finished()
    at = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    pieces = [stream[start:end] for start, end in itertools.pairwise(at)]
    whole, cut = DIALECT.decoder(), DIALECT.decoder()
    expected = whole.feed(stream) + whole.finished()
    assert [event for piece in pieces for event in cut.feed(piece)] + cut.finished() == expected
    assert read_stream(DIALECT.reader(asked()), pieces) == read_stream(DIALECT.reader(asked()), [stream])


@given(st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
def test_no_bytes_crash_a_parser(body: bytes) -> None:
    with contextlib.suppress(BadRequest):
        DIALECT.expand(DIALECT.parse(body))
    with contextlib.suppress(BadRequest):
        DIALECT.parse(body, "embeddings")
    with contextlib.suppress(BadRequest):
        DIALECT.parse_count(body)
    with contextlib.suppress(ProviderFailure):
        DIALECT.read_completion(body)
    with contextlib.suppress(ProviderFailure):
        DIALECT.read_answer(asked(), body)
    kind, message = DIALECT.read_error(500, body)
    assert kind and message


FIELDS = [
    "contents",
    "parts",
    "text",
    "thought",
    "thoughtSignature",
    "role",
    "functionCall",
    "functionResponse",
    "name",
    "args",
    "response",
    "id",
]
FIELDS += [
    "inlineData",
    "fileData",
    "mimeType",
    "data",
    "tools",
    "functionDeclarations",
    "parameters",
    "generationConfig",
    "thinkingConfig",
]
FIELDS += ["stopSequences", "responseSchema", "toolConfig", "functionCallingConfig", "mode", "labels", "systemInstruction", "candidates"]
FIELDS += [
    "content",
    "finishReason",
    "index",
    "groundingMetadata",
    "groundingChunks",
    "groundingSupports",
    "segment",
    "web",
    "logprobsResult",
]
FIELDS += [
    "chosenCandidates",
    "topCandidates",
    "usageMetadata",
    "promptFeedback",
    "error",
    "function_call",
    "inline_data",
    "generation_config",
]
LIKE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["user", "model", "STOP", "AUTO", "dGllcmxpbmU6x", "{", "\ud800"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
    max_leaves=14,
)


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from(FIELDS), LIKE, max_size=4), LIKE)
def test_bodies_that_look_like_real_ones_crash_nothing(rest: Any, contents: Any) -> None:
    body = json.dumps({**rest, "contents": contents}).encode()
    with contextlib.suppress(BadRequest):
        request = DIALECT.parse(body)
        conversation = DIALECT.expand(request)
        DIALECT.upstream_body(request, FLASH)
        assert DIALECT.render_body(conversation, FLASH).body
    with contextlib.suppress(ProviderFailure):
        DIALECT.read_completion(json.dumps({**rest, "candidates": contents}).encode())


@settings(max_examples=200)
@given(
    st.lists(
        st.binary(max_size=20)
        | st.sampled_from([b"data: ", b"\r\n\r\n", b"[", b"{", b"}", b"]", b'"', b"\\", b": x\n\n"])
        | LIKE.map(lambda value: b"data: " + json.dumps(value).encode() + b"\n\n"),
        max_size=8,
    )
)
def test_no_stream_crashes_a_decoder_or_a_reader(pieces: list[bytes]) -> None:
    decoder, encoder = DIALECT.decoder(), DIALECT.encoder(asked())
    events = [event for piece in pieces for event in decoder.feed(piece)] + decoder.finished()
    assert all(isinstance(encoder.encode(event), bytes) for event in events)
    assert isinstance(events[-1], Broken | Ended)
    read_stream(DIALECT.reader(asked()), pieces)
