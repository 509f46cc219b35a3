"""Golden cases: what clients and upstreams of this dialect really write, and what becomes of it."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from tierline.types.catalog import Model
from tierline.types.completion import Completion, Event
from tierline.types.conversation import Conversation

from .worlds import CASES, DIALECT, MODEL, canonical, case, named, parsed, said, shown, struct

ANY = parsed({"model": "auto", "max_tokens": 1, "messages": [{"role": "user", "content": "x"}]})


@pytest.mark.parametrize("name", named("request_"))
def test_a_request_expands_to_this_conversation(name: str) -> None:
    assert said(shown(DIALECT.expand(parsed(case(name, "client.json"))))) == said(case(name, "neutral.json"))


@pytest.mark.parametrize("name", named("request_"))
def test_a_conversation_of_its_own_renders_to_this_body_and_loses_nothing(name: str) -> None:
    rendered = DIALECT.render_body(struct(Conversation, case(name, "neutral.json")), MODEL)
    assert (json.loads(rendered.body), rendered.dropped) == (case(name, "upstream.json"), ())


@pytest.mark.parametrize("name", [name for name in named("request_") if "older" not in name])
def test_such_a_body_says_what_the_client_said(name: str) -> None:
    assert canonical(case(name, "upstream.json")) == canonical({**case(name, "client.json"), "model": MODEL.upstream})


@pytest.mark.parametrize("name", named("request_"))
def test_a_request_passes_through_with_only_the_model_changed(name: str) -> None:
    body = case(name, "client.json")
    assert json.loads(DIALECT.upstream_body(parsed(body), MODEL)) == {**body, "model": MODEL.upstream}


@pytest.mark.parametrize("name", named("from_"))
def test_a_conversation_of_another_dialect_renders_to_this_body_and_names_what_is_lost(name: str) -> None:
    told = case(name, "told.json")
    model = Model("m", "best", "p", told["model"], max_output=told["max_output"])
    rendered = DIALECT.render_body(struct(Conversation, case(name, "neutral.json")), model)
    assert json.loads(rendered.body) == case(name, "upstream.json")
    assert list(rendered.dropped) == told["dropped"]


@pytest.mark.parametrize("name", [name for name in named("answer_") if (CASES / name / "upstream.json").exists()])
def test_an_answer_is_read_as_this_completion(name: str) -> None:
    assert said(shown(DIALECT.read_completion((CASES / name / "upstream.json").read_bytes()))) == said(case(name, "neutral.json"))


@pytest.mark.parametrize("name", named("answer_"))
def test_a_completion_is_told_to_the_client_like_this(name: str) -> None:
    completion = struct(Completion, case(name, "neutral.json"))
    assert json.loads(DIALECT.render_completion(completion, ANY)) == case(name, "client.json")


@pytest.mark.parametrize("name", named("stream_"))
def test_a_stream_is_read_as_these_events(name: str) -> None:
    decoder = DIALECT.decoder()
    events = decoder.feed((CASES / name / "upstream.txt").read_bytes()) + decoder.finished()
    assert shown(events) == case(name, "events.json")


@pytest.mark.parametrize("name", named("to_client_"))
def test_events_are_told_to_the_client_like_this(name: str) -> None:
    assert encoded(case(name, "events.json")) == (CASES / name / "client.txt").read_bytes()


@pytest.mark.parametrize("name", ["stream_text", "stream_everything"])
def test_a_stream_read_and_told_again_is_the_same_stream_but_for_the_model(name: str) -> None:
    told = list(_data((CASES / name / "upstream.txt").read_bytes()))
    told[0]["message"]["model"] = "auto"
    for event, again in zip(told, _data(encoded(case(name, "events.json"))), strict=True):
        for part in ("usage", "message", "content_block"):
            event.pop(part, None)
            again.pop(part, None)
        assert event == again


def encoded(events: Any) -> bytes:
    encoder = DIALECT.encoder(ANY)
    return b"".join([encoder.encode(event) for event in struct(list[Event], events)])


def _data(stream: bytes) -> list[Any]:
    return [msgspec.json.decode(line[6:]) for line in stream.splitlines() if line.startswith(b"data: ")]
