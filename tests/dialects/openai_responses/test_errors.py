"""Errors: the upstream's, and those a client is told."""

from __future__ import annotations

import json

import pytest

from tierline.dialects.held_state import refuse_held_state
from tierline.types.completion import Broken, Started
from tierline.types.errors import BadRequest, UpstreamFailed

from .worlds import ASKED, DIALECT, parsed


def test_an_upstreams_error_has_a_class_and_no_quoted_prompt() -> None:
    body = b'{"error": {"message": "Bad value \'my secret plan\' at input[0]", "type": "invalid_request_error", "param": "input"}}'
    kind, message = DIALECT.read_error(400, body)
    assert kind == "bad_request"
    assert "secret" not in message


def test_a_client_is_told_in_openais_envelope() -> None:
    told = json.loads(DIALECT.render_error(BadRequest("input: send a text", param="input")))
    assert told == {
        "error": {"message": "input: send a text", "type": "invalid_request_error", "param": "input", "code": "invalid_request"}
    }


def test_an_error_inside_a_stream_stands_where_every_client_looks_for_it() -> None:
    event = DIALECT.render_error_event(UpstreamFailed("cut", code="upstream_cut")).decode()
    name, data = event.removesuffix("\n\n").split("\ndata: ")
    told = json.loads(data)
    assert name == "event: error"
    assert (told["type"], told["code"], told["message"], told["param"]) == ("error", "upstream_cut", "cut", None)
    assert told["error"] == {"type": "server_error", "code": "upstream_cut", "message": "cut", "param": None}


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("rate_limited", "rate_limit_exceeded"),
        ("context_exceeded", "context_length_exceeded"),
        ("overloaded", "server_is_overloaded"),
        ("cut", "server_error"),
    ],
)
def test_a_broken_stream_ends_in_an_error_and_a_failed_response(kind: str, code: str) -> None:
    encoder = DIALECT.encoder(parsed(ASKED))
    encoder.encode(Started("resp_1", "m"))
    told = [json.loads(event.split("data: ")[1]) for event in encoder.encode(Broken(kind, "gone")).decode().split("\n\n") if event]  # type: ignore[arg-type]
    assert [event["type"] for event in told] == ["error", "response.failed"]
    assert [event["sequence_number"] for event in told] == [2, 3]
    assert told[1]["response"]["error"] == {"code": code, "message": "gone"}
    assert told[1]["response"]["id"] == "resp_1"
    assert encoder.encode(Broken("cut", "again")) == b""


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"prompt": {"id": "p"}}, "prompt"),
        ({"background": True}, "background"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input"),
        ({"input": [{"type": "compaction", "encrypted_content": "x"}]}, "input"),
    ],
)
def test_what_only_its_upstream_holds_goes_to_no_other_dialect(fields: dict[str, object], param: str) -> None:
    conversation = DIALECT.expand(parsed({**ASKED, **fields}))
    with pytest.raises(BadRequest) as refused:
        refuse_held_state(conversation, "openai_chat")
    assert refused.value.param == param
    refuse_held_state(conversation, "openai_responses")


def test_what_stands_whole_in_the_request_goes_anywhere() -> None:
    refuse_held_state(DIALECT.expand(parsed({**ASKED, "background": False, "store": True})), "gemini")
    assert DIALECT.expand(parsed(ASKED)).previous == ""
