"""An event that cannot be read, in the midst of a stream that passes through: never handed on, never passed over in silence."""

from __future__ import annotations

import re

import pytest

from gateway.scene import DIALECTS, Client, Expects, Says, Scene, completion, in_turn, plan
from tierline.dialects.events import events_of
from tierline.types.decision import Attempt

TEXT = "First.. Second. Third.. Fourth. "
GARBLED = b'data: {"choices":[{"delta":{"content":"it al\n\n'


def stream(dialect: str) -> bytes:
    encoder = DIALECTS[dialect].encoder(DIALECTS[dialect].parse(BODIES[dialect]))
    return b"".join([encoder.encode(event) for event in events_of(completion(TEXT), 8)])


BODIES = {
    "openai_chat": b'{"model":"m","stream":true,"messages":[{"role":"user","content":"?"}]}',
    "openai_responses": b'{"model":"m","stream":true,"input":"?"}',
    "anthropic_messages": b'{"model":"m","stream":true,"max_tokens":9,"messages":[{"role":"user","content":"?"}]}',
    "gemini": b'{"contents":[{"role":"user","parts":[{"text":"?"}]}]}',
}


def garbled(dialect: str) -> bytes:
    """The stream with an unreadable event behind the one that brings the second word."""
    whole = stream(dialect)
    blank = re.compile(rb"\n\r?\n").search(whole, whole.index(b"Second."))
    assert blank is not None
    at = blank.end()
    return whole[:at] + GARBLED + whole[at:]


@pytest.mark.parametrize("piece", [1, 60])
@pytest.mark.parametrize("upstream", sorted(DIALECTS))
@pytest.mark.parametrize("client", sorted(DIALECTS))
def test_after_the_first_content_the_stream_is_cut_there_and_what_came_before_stands(client: str, upstream: str, piece: int) -> None:
    scene = Scene({"mini": [Says(raw=garbled(upstream), piece=piece)]}, client=client, dialects={"mini": upstream})
    seen = Client()
    result = scene.answers(in_turn(Attempt(1, "mini")), plan(), seen)
    assert result.attempts[0][1].error == "cut"
    assert b"Second." in seen.got and b"it al" not in seen.got and b"Third" not in seen.got


@pytest.mark.parametrize("upstream", sorted(DIALECTS))
def test_where_nothing_has_reached_the_client_yet_another_model_may_answer(upstream: str) -> None:
    scene, seen = Scene({"mini": [Says(raw=garbled(upstream), piece=100_000)]}, dialects={"mini": upstream}), Client()
    result = scene.answers(in_turn(Attempt(1, "mini")), plan(), seen)
    assert result.attempts[0][1].error == "malformed" and seen.opening is None


@pytest.mark.parametrize("upstream", sorted(DIALECTS))
def test_a_held_stream_fails_unseen(upstream: str) -> None:
    scene = Scene({"mini": [Says(raw=garbled(upstream))], "big": [Says("It is four.")]}, [Expects("four")], dialects={"mini": upstream})
    seen = Client()
    asked = [Attempt(1, "mini", validators=("t/expects",)), Attempt(2, "big", "fallback", ("t/expects",))]
    result = scene.answers(in_turn(*asked), plan(stream="buffered"), seen)
    assert result.attempts[0][1].error == "malformed" and result.model == "big"
    assert b"First" not in seen.got


@pytest.mark.parametrize("upstream", sorted(DIALECTS))
def test_line_breaks_inside_an_events_data_are_no_garbling(upstream: str) -> None:
    spread = stream(upstream).replace(b"data: {", b"data: {\ndata: ", 1)
    seen = Client()
    result = Scene({"mini": [Says(raw=spread)]}, client=upstream, dialects={"mini": upstream}).answers(
        in_turn(Attempt(1, "mini")), plan(), seen
    )
    assert result.attempts[0][1].ok, result.attempts[0][1].detail
