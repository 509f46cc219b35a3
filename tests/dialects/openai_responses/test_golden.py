"""Golden cases: each folder of `cases/openai_responses` holds what is read and what must come of it.

request_*     client.json → neutral.json → upstream.json        a request, back in this dialect
from_*        neutral.json → upstream.json, dropped.json        a conversation of another dialect
answer_*      upstream.json → neutral.json → client.json        a whole answer
stream_*      upstream.txt → events.json                        a stream of an upstream
to_client_*   client.json, events.json → client.txt             a client's stream
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tierline.types.completion import Event
from tierline.types.conversation import Conversation

from .worlds import ASKED, DIALECT, MODEL, canonical, parsed, shown

CASES = Path(__file__).parent.parent / "cases" / "openai_responses"


def cases(kind: str) -> list[Any]:
    found = sorted(CASES.glob(f"{kind}_*"))
    assert found, f"no golden case begins with {kind}_"
    return [pytest.param(path, id=path.name) for path in found]


def held(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def meant(value: Any) -> Any:
    """Golden JSON as msgspec wants it: what a field of bytes holds is written out in the file."""
    if isinstance(value, list):
        return [meant(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    raw = {"raw", "parameters", "schema"} | ({"extra"} if "turns" not in value else set())
    told = {name: json.dumps(entry).encode() if name in raw else meant(entry) for name, entry in value.items()}
    if "turns" in value:
        told["extra"] = {name: json.dumps(entry).encode() for name, entry in value.get("extra", {}).items()}
    return told


@pytest.mark.parametrize("case", cases("request"))
def test_a_request_is_expanded_and_rendered_again(case: Path) -> None:
    conversation = DIALECT.expand(parsed(held(case / "client.json")))
    assert shown(conversation) == held(case / "neutral.json")
    again = DIALECT.render_body(conversation, MODEL)
    assert json.loads(again.body) == held(case / "upstream.json")
    assert canonical(json.loads(again.body)) == canonical({**held(case / "client.json"), "model": MODEL.upstream})


@pytest.mark.parametrize("case", cases("from"))
def test_a_conversation_of_another_dialect_is_rendered(case: Path) -> None:
    conversation = msgspec.convert(meant(held(case / "neutral.json")), Conversation)
    found = DIALECT.render_body(conversation, MODEL)
    assert json.loads(found.body) == held(case / "upstream.json")
    assert list(found.dropped) == held(case / "dropped.json")


@pytest.mark.parametrize("case", cases("answer"))
def test_an_answer_is_read_and_rendered_again(case: Path) -> None:
    completion = DIALECT.read_completion((case / "upstream.json").read_bytes())
    assert shown(completion) == held(case / "neutral.json")
    assert json.loads(DIALECT.render_completion(completion, parsed(ASKED))) == held(case / "client.json")


@pytest.mark.parametrize("case", cases("stream"))
def test_a_stream_is_decoded(case: Path) -> None:
    decoder = DIALECT.decoder()
    events = decoder.feed((case / "upstream.txt").read_bytes()) + decoder.finished()
    assert shown(events) == held(case / "events.json")


@pytest.mark.parametrize("case", cases("to_client"))
def test_a_stream_is_encoded(case: Path) -> None:
    encoder = DIALECT.encoder(parsed(held(case / "client.json")))
    events = msgspec.convert([meant(event) for event in held(case / "events.json")], list[Event])
    assert b"".join([encoder.encode(event) for event in events]).decode() == (case / "client.txt").read_text(encoding="utf-8")
