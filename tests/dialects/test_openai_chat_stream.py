"""Streams of openai_chat: what is passed on, what is known at the end, and that neither depends on where the network cut."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tierline.dialects import sse
from tierline.dialects.openai_chat import OpenAIChat
from tierline.testing.checks import check_stream, read_stream

CASES = sorted((Path(__file__).parent / "cases" / "openai_chat_streams").iterdir())
DIALECT = OpenAIChat()
REQUEST = DIALECT.parse(b'{"model":"auto","messages":[{"role":"user","content":"Hi"}],"stream":true}')
ASKS_USAGE = DIALECT.parse(
    b'{"model":"auto","messages":[{"role":"user","content":"Hi"}],"stream":true,"stream_options":{"include_usage":true}}'
)
TEXT = (Path(__file__).parent / "cases" / "openai_chat_streams" / "text" / "stream.txt").read_bytes()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_stream_is_passed_on_and_its_state_read(case: Path) -> None:
    passed, content, usage, finish, done, error, served, chars = read_stream(DIALECT.reader(REQUEST), [(case / "stream.txt").read_bytes()])
    assert passed == (case / "passed.txt").read_bytes()
    assert {
        "content": content,
        "usage": usage and list(msgspec.to_builtins(usage)),
        "finish": finish,
        "done": done,
        "error": error,
        "served_model": served,
        "output_chars": chars,
    } == json.loads((case / "state.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_stream_cut_anywhere_gives_the_same(case: Path) -> None:
    stream = (case / "stream.txt").read_bytes()
    check_stream(DIALECT, REQUEST, stream)
    assert read_stream(DIALECT.reader(REQUEST), [stream]) == read_stream(DIALECT.reader(REQUEST), [b"", stream, b""])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, len(TEXT)), max_size=12))
def test_a_stream_cut_many_times_gives_the_same(cuts: list[int]) -> None:
    at = [0, *sorted(cuts), len(TEXT)]
    pieces = [TEXT[start:end] for start, end in itertools.pairwise(at)]
    assert read_stream(DIALECT.reader(REQUEST), pieces) == read_stream(DIALECT.reader(REQUEST), [TEXT])


def test_the_usage_chunk_reaches_only_the_client_that_asked_for_it() -> None:
    asked, unasked = read_stream(DIALECT.reader(ASKS_USAGE), [TEXT]), read_stream(DIALECT.reader(REQUEST), [TEXT])
    assert asked[0] == TEXT
    assert b"prompt_tokens" not in bytes(unasked[0])
    assert asked[2] == unasked[2] is not None


def test_content_commits_at_its_first_event_and_not_before() -> None:
    reader = DIALECT.reader(REQUEST)
    first, second = sse.events(TEXT)[:2]
    reader.feed(first)
    assert reader.content is False
    assert reader.feed(second) == second
    assert reader.content is True


def test_an_event_that_never_ends_is_malformed_and_not_kept() -> None:
    reader = DIALECT.reader(REQUEST)
    passed = b"".join(reader.feed(b"data: " + b"x" * 100_000) for _ in range(12))
    assert passed == b""
    assert reader.error is not None
    assert reader.error.kind == "malformed"
    assert reader.feed(b"y" * 100) == b""


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.binary(max_size=40) | st.sampled_from([b"data: ", b"\n\n", b"\r\n\r\n", b"{}", b'{"choices":[]}', b"[DONE]", b": x\n"]),
        max_size=12,
    )
)
def test_no_stream_crashes_a_reader_and_but_for_stray_blank_lines_cuts_change_nothing(pieces: list[bytes]) -> None:
    passed, *state = read_stream(DIALECT.reader(REQUEST), pieces)
    whole, *whole_state = read_stream(DIALECT.reader(REQUEST), [b"".join(pieces)])
    assert state == whole_state
    assert bytes(passed).split() == bytes(whole).split()


@pytest.mark.parametrize(
    ("event", "data"),
    [
        (b"data: x\n\n", b"x"),
        (b"data:x\r\n\r\n", b"x"),
        (b"data: a\ndata: b\n\n", b"a\nb"),
        (b": ping\n\n", b""),
        (b"event: error\nid: 3\ndata: x\nretry: 5\n\n", b"x"),
        (b"data\n\n", b""),
    ],
)
def test_the_data_of_an_event(event: bytes, data: bytes) -> None:
    assert sse.data_of(event) == data
