"""Golden cases of the dialect gemini: what stands in the files is what goes in and comes out."""

from __future__ import annotations

import json

import msgspec
import pytest

from dialects.gemini.gemini_worlds import DIALECT, FLASH, asked, case, case_names, neutral, raw_case, shown
from tierline.testing.checks import check_stream, read_stream

REQUESTS, ANSWERS, STREAMS = case_names("request_"), case_names("answer_"), case_names("stream_")


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_expands_to_the_neutral_form(name: str) -> None:
    conversation = DIALECT.expand(DIALECT.parse(raw_case(name, "client.json")))
    assert neutral(shown(conversation)) == case(name, "neutral.json")


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_renders_from_the_neutral_form(name: str) -> None:
    conversation = DIALECT.expand(DIALECT.parse(raw_case(name, "client.json")))
    assert json.loads(DIALECT.render_body(conversation, FLASH).body) == case(name, "rendered.json")


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_passes_through(name: str) -> None:
    assert json.loads(DIALECT.upstream_body(DIALECT.parse(raw_case(name, "client.json")), FLASH)) == case(name, "upstream.json")


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_reads_as_the_neutral_form(name: str) -> None:
    assert neutral(shown(DIALECT.read_completion(raw_case(name, "upstream.json")))) == case(name, "neutral.json")


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_is_rendered_for_the_client(name: str) -> None:
    completion = DIALECT.read_completion(raw_case(name, "upstream.json"))
    assert json.loads(DIALECT.render_completion(completion, asked())) == case(name, "client.json")


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_is_decoded(name: str) -> None:
    decoder = DIALECT.decoder()
    events = decoder.feed(raw_case(name, "upstream.txt")) + decoder.finished()
    assert neutral([shown(event) for event in events]) == case(name, "events.json")


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_is_encoded_for_the_client(name: str) -> None:
    decoder, encoder = DIALECT.decoder(), DIALECT.encoder(asked())
    events = decoder.feed(raw_case(name, "upstream.txt")) + decoder.finished()
    assert b"".join([encoder.encode(event) for event in events]) == raw_case(name, "client.txt")


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_is_passed_on_and_its_state_read(name: str) -> None:
    stream = raw_case(name, "upstream.txt")
    passed, content, usage, finish, done, error, served, chars = read_stream(DIALECT.reader(asked()), [stream])
    assert passed == raw_case(name, "passed.txt")
    state = case(name, "state.json")
    assert [content, finish, done, error, served, chars] == [
        state[name] for name in ("content", "finish", "done", "error", "served_model", "output_chars")
    ]
    assert (usage and list(msgspec.to_builtins(usage))) == state["usage"]


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_cut_at_any_byte_gives_the_same(name: str) -> None:
    check_stream(DIALECT, asked(), raw_case(name, "upstream.txt"))
