"""Answers and streams that pass through unchanged, and what is read of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tierline.types.errors import ProviderFailure
from tierline.types.outcome import Usage

from .worlds import ASKED, DIALECT, MODEL, parsed

CASES = Path(__file__).parent.parent / "cases" / "openai_responses"
REQUEST = parsed({**ASKED, "stream": True})
COUNTED = Usage(20, 9, 5, 2, 4)


def upstream(case: str, name: str = "upstream.txt") -> bytes:
    return (CASES / case / name).read_bytes()


def read(stream: bytes) -> Any:
    reader = DIALECT.reader(REQUEST)
    passed = reader.feed(stream) + reader.finished()
    return reader, passed


def test_the_path_is_that_of_responses() -> None:
    assert DIALECT.upstream_path(REQUEST, MODEL) == "/responses"


@pytest.mark.parametrize(
    ("case", "text", "finish", "usage"),
    [
        ("answer_text", "Hello", "stop", COUNTED),
        ("answer_everything", "See hereand here", "tool_calls", COUNTED),
        ("answer_refused", "I cannot.", "refusal", COUNTED),
        ("answer_truncated", "Hel", "length", COUNTED),
        ("answer_filtered", "", "content_filter", None),
    ],
)
def test_words_stop_reason_and_usage_of_an_answer_are_read(case: str, text: str, finish: str, usage: Usage | None) -> None:
    body = upstream(case, "upstream.json")
    answer, counted = DIALECT.read_answer(REQUEST, body)
    assert (answer.text, answer.finish, answer.served_model, counted) == (text, finish, "gpt-5-mini-2025-08-07", usage)
    assert answer.body == body


def test_a_stream_passes_unchanged_and_is_counted() -> None:
    stream = upstream("stream_everything")
    reader, passed = read(stream)
    assert passed == stream
    assert (reader.content, reader.done, reader.finish, reader.usage) == (True, True, "tool_calls", COUNTED)
    assert reader.served_model == "gpt-5-mini-2025-08-07"
    assert reader.output_chars == len("Thinking" + "See here" + "and here" + '{\\"a\\":1}' + 'a \\"b\\"')


@pytest.mark.parametrize(
    ("event", "content"),
    [
        ({"type": "response.output_item.added", "item": {"type": "message"}}, False),
        ({"type": "response.content_part.added", "part": {"type": "output_text", "text": ""}}, False),
        ({"type": "keepalive"}, False),
        ({"type": "response.output_text.delta", "delta": "a"}, True),
        ({"type": "response.refusal.delta", "delta": "a"}, True),
        ({"type": "response.function_call_arguments.delta", "delta": "{"}, True),
        ({"type": "response.reasoning_summary_text.delta", "delta": "a"}, True),
        ({"type": "response.web_search_call.in_progress"}, True),
        ({"type": "response.an_event_of_tomorrow"}, True),
    ],
)
def test_a_stream_commits_at_its_first_content(event: Any, content: bool) -> None:
    reader = DIALECT.reader(REQUEST)
    reader.feed(b"data: " + json.dumps(event).encode() + b"\n\n")
    assert reader.content is content


def test_words_that_look_like_the_end_are_words() -> None:
    said = b'data: {"type":"response.output_text.delta","delta":"response.completed response.failed {\\"type\\":\\"error\\"}"}\n\n'
    reader = DIALECT.reader(REQUEST)
    assert reader.feed(said) + reader.feed(said) == said + said
    assert (reader.done, reader.error) == (False, None)


@pytest.mark.parametrize(
    ("case", "kind"),
    [
        ("stream_failed", "rate_limited"),
        ("stream_error_event", "context_exceeded"),
        ("stream_flat_error_event", "server"),
        ("stream_of_another_format", "malformed"),
    ],
)
def test_an_error_inside_a_stream_is_kept_and_not_passed_on(case: str, kind: str) -> None:
    reader, passed = read(upstream(case))
    assert reader.error is not None
    assert reader.error.kind == kind
    assert not reader.done
    assert b"error" not in passed.replace(b'"error": null', b"")


def test_a_cut_stream_is_neither_done_nor_finished() -> None:
    reader, _ = read(upstream("stream_cut"))
    assert (reader.content, reader.done, reader.finish) == (True, False, "")


def test_a_body_that_is_no_stream_is_malformed() -> None:
    reader, passed = read(b"<html>busy</html>")
    assert passed == b""
    assert reader.error.kind == "malformed"


def test_an_error_as_the_whole_body_of_a_stream_has_its_class() -> None:
    reader, _ = read(b'{"error": {"message": "Slow down", "code": "rate_limit_exceeded"}}')
    assert reader.error.kind == "rate_limited"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"id": "r", "status": "failed", "output": [], "error": {"code": "rate_limit_exceeded", "message": "x"}}, "rate_limited"),
        ({"id": "r", "status": "failed", "output": [], "error": {"code": "invalid_prompt", "message": "x"}}, "bad_request"),
        ({"id": "r", "status": "failed", "output": [], "error": {"code": "bio_policy", "message": "x"}}, "content_filter"),
        ({"id": "r", "status": "failed", "output": [], "error": {"code": "server_error", "message": "x"}}, "server"),
        ({"id": "r", "status": "cancelled", "output": []}, "server"),
        ({"error": {"message": "no", "type": "authentication_error"}}, "auth"),
        ({"choices": []}, "malformed"),
        ({"output": "text"}, "malformed"),
        ([], "malformed"),
    ],
)
def test_a_failed_answer_raises_its_class(body: Any, kind: str) -> None:
    for fails in (DIALECT.read_completion, lambda raw: DIALECT.read_answer(REQUEST, raw)):
        with pytest.raises(ProviderFailure) as failed:
            fails(json.dumps(body).encode())
        assert failed.value.kind == kind


def test_a_page_instead_of_an_answer_is_called_so() -> None:
    with pytest.raises(ProviderFailure, match="an HTML page"):
        DIALECT.read_answer(REQUEST, b"<!doctype html><html></html>")
