"""Golden cases of the neutral side: what clients and upstreams really write, and what becomes of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dialects.openai_chat.worlds import CASES, DIALECT, GPT, QWEN, case, decoded, encoded, named, parsed, shown, struct
from tierline.types.catalog import Model
from tierline.types.completion import Completion, Event
from tierline.types.conversation import Conversation
from tierline.types.request import Request

MODELS = {model.upstream: model for model in (GPT, QWEN)}


def asked(name: str) -> Request:
    """The request that the client of an answer had sent."""
    return parsed(**case(name, "request.json")) if (CASES / name / "request.json").exists() else parsed()


@pytest.mark.parametrize("name", named("request_"))
def test_a_request_expands_to_this_conversation(name: str) -> None:
    assert shown(DIALECT.expand(parsed(**case(name, "client.json")))) == case(name, "neutral.json")


@pytest.mark.parametrize("name", named("request_"))
def test_a_conversation_of_its_own_renders_to_this_body_and_loses_nothing(name: str) -> None:
    body = case(name, "upstream.json")
    rendered = DIALECT.render_body(struct(Conversation, case(name, "neutral.json")), MODELS[body["model"]])
    assert (json.loads(rendered.body), rendered.dropped) == (body, ())


@pytest.mark.parametrize("name", named("from_"))
def test_a_conversation_of_another_dialect_renders_to_this_body_and_names_what_is_lost(name: str) -> None:
    told = case(name, "told.json")
    rendered = DIALECT.render_body(struct(Conversation, case(name, "neutral.json")), Model("m", "fast", "p", told["model"]))
    assert json.loads(rendered.body) == case(name, "upstream.json")
    assert list(rendered.dropped) == told["dropped"]


@pytest.mark.parametrize("name", [name for name in named("answer_") if (CASES / name / "upstream.json").exists()])
def test_an_answer_is_read_as_this_completion(name: str) -> None:
    assert shown(DIALECT.read_completion((CASES / name / "upstream.json").read_bytes())) == case(name, "neutral.json")


@pytest.mark.parametrize("name", named("answer_"))
def test_a_completion_is_told_to_the_client_like_this(name: str) -> None:
    completion = struct(Completion, case(name, "neutral.json"))
    assert json.loads(DIALECT.render_completion(completion, asked(name))) == case(name, "client.json")


@pytest.mark.parametrize("name", named("stream_"))
def test_a_stream_is_read_as_these_events(name: str) -> None:
    assert shown(decoded((CASES / name / "upstream.txt").read_bytes())) == case(name, "events.json")


@pytest.mark.parametrize("name", named("stream_", "to_client_"))
def test_events_are_told_to_the_client_like_this(name: str) -> None:
    events: Any = struct(list[Event], case(name, "events.json"))
    assert encoded(asked(name), events) == (CASES / name / "client.txt").read_bytes()
