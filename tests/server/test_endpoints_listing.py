"""Endpoints beside the answers: counts of tokens, lists of models in every shape, and where a key may stand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from server.clients import CLIENTS, ask
from server.conftest import FLEET
from server.harness import Running, serving

ANTHROPIC = {"anthropic-version": "2023-06-01"}
SECRET = "s-team-in-the-query"
ASKED = {"contents": [{"role": "user", "parts": [{"text": "What is the capital of France?"}]}]}


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    spec: Path = tmp_path_factory.mktemp("keys") / "tierline.yaml"
    spec.write_text(FLEET + 'keys:\n  team: {secret: "${TEAM}", scopes: [call]}\n')
    with serving(spec, TEAM=SECRET) as running:
        yield running


def test_tokens_are_counted_and_the_count_is_marked_as_an_estimate(fleet: Running) -> None:
    body = {"model": "auto", "messages": [{"role": "user", "content": "word " * 100}]}
    before = len(fleet.rows())
    said = fleet.ask("POST", "/v1/messages/count_tokens?beta=true", body, ANTHROPIC)
    assert said.status == 200 and 80 < said.json["input_tokens"] < 200
    assert said.headers["x-tierline-estimated"] == "input_tokens"
    more = fleet.ask("POST", "/v1/messages/count_tokens", body | {"system": "word " * 100}, ANTHROPIC)
    assert more.json["input_tokens"] > said.json["input_tokens"]
    assert len(fleet.rows()) == before, "nothing was decided on"


def test_tokens_of_a_body_that_cannot_be_read_are_refused_in_anthropics_envelope(fleet: Running) -> None:
    said = fleet.ask("POST", "/v1/messages/count_tokens", {"model": "auto", "messages": 7})
    assert (said.status, said.json["type"], said.error["type"]) == (400, "error", "invalid_request_error")


def test_gemini_counts_too(fleet: Running) -> None:
    said = fleet.ask("POST", "/v1beta/models/auto:countTokens", ASKED)
    assert said.json["totalTokens"] > 0 and said.headers["x-tierline-estimated"] == "input_tokens"
    nested = {"generateContentRequest": {"model": "models/auto", **ASKED, "systemInstruction": {"parts": [{"text": "word " * 50}]}}}
    assert fleet.ask("POST", "/v1beta/models/auto:countTokens", nested).json["totalTokens"] > said.json["totalTokens"]


def test_models_are_listed_in_the_shape_of_whoever_asks(fleet: Running) -> None:
    plain = fleet.ask("GET", "/v1/models").json
    anthropic = fleet.ask("GET", "/v1/models", headers=ANTHROPIC).json
    gemini = fleet.ask("GET", "/v1beta/models").json
    names = {entry["id"] for entry in plain["data"]}
    assert plain["object"] == "list" and {"auto", "tier/best", "mini"} <= names
    assert {entry["id"] for entry in anthropic["data"]} == names
    assert anthropic["data"][0]["type"] == "model" and anthropic["has_more"] is False
    assert {entry["name"].removeprefix("models/") for entry in gemini["models"]} == names


def test_one_model_is_shown_in_the_shape_of_whoever_asks(fleet: Running) -> None:
    assert fleet.ask("GET", "/v1/models/auto%2Faudited").json["object"] == "model"
    assert fleet.ask("GET", "/v1/models/mini", headers=ANTHROPIC).json["display_name"]
    assert fleet.ask("GET", "/v1beta/models/mini").json["name"] == "models/mini"
    assert fleet.ask("GET", "/v1/models/none", headers=ANTHROPIC).json["type"] == "error"
    assert fleet.ask("GET", "/v1beta/models/none").error["status"] == "NOT_FOUND"


@pytest.mark.parametrize("version", ["v1", "v1beta"])
@pytest.mark.parametrize("colon", [":", "%3A", "%3a"])
@pytest.mark.parametrize("model", ["mini", "auto/audited", "tier%2Fbest"])
def test_gemini_paths_are_understood_however_they_are_written(fleet: Running, version: str, colon: str, model: str) -> None:
    said = fleet.ask("POST", f"/{version}/models/{model}{colon}generateContent", ASKED)
    assert said.status == 200, said.body
    assert said.json["candidates"][0]["content"]["parts"][0]["text"]


def test_a_gemini_stream_comes_as_events_or_as_one_array(fleet: Running) -> None:
    client = CLIENTS["gemini"]
    events = ask(fleet, client, "big", stream=True)
    array = fleet.ask("POST", "/v1beta/models/big:streamGenerateContent", client.body("big", stream=True, tools=False)[1])
    assert events.headers["content-type"].startswith("text/event-stream")
    assert array.headers["content-type"] == "application/json"
    pieces = array.json
    joined = "".join(part["text"] for piece in pieces for part in piece["candidates"][0].get("content", {}).get("parts", ()))
    assert len(pieces) > 1 and joined == client.streamed(events.body).text


def test_a_gemini_verb_that_is_not_here_is_named(fleet: Running) -> None:
    said = fleet.ask("POST", "/v1beta/models/mini:predictLongRunning", ASKED)
    assert said.status == 404 and "generateContent" in said.error["message"]
    assert fleet.ask("POST", "/v1beta/models/mini", ASKED).status == 404
    wrong = fleet.ask("PUT", "/v1beta/models/mini:generateContent", ASKED)
    assert wrong.status == 405 and wrong.error["details"]


def test_a_key_may_come_as_google_sends_it_and_is_never_logged(keyed: Running) -> None:
    path = "/v1beta/models/mini:generateContent"
    assert keyed.ask("POST", path, ASKED).status == 401
    assert keyed.ask("POST", path, ASKED).error["status"] == "UNAUTHENTICATED"
    assert keyed.ask("POST", path, ASKED, {"x-goog-api-key": SECRET}).status == 200
    said = keyed.ask("POST", f"{path}?key={quote(SECRET)}", ASKED)
    assert keyed.record(said.headers["x-tierline-decision"]).features.key == "team"
    assert keyed.ask("POST", f"{path}?key=wrong", ASKED).status == 401
    assert keyed.ask("POST", f"/v1beta/models/none:nothing?key={quote(SECRET)}", ASKED).status == 404
    assert SECRET not in keyed.output


def test_a_key_in_the_query_opens_geminis_endpoints_only(keyed: Running) -> None:
    body = {"model": "mini", "messages": [{"role": "user", "content": "Hi"}]}
    assert keyed.ask("POST", f"/v1/chat/completions?key={SECRET}", body).status == 401
    refused = keyed.ask("POST", "/v1/messages", body | {"max_tokens": 5})
    assert (refused.status, refused.json["type"], refused.error["type"]) == (401, "error", "authentication_error")


def test_head_of_the_root_is_answered_as_claude_code_asks_it(fleet: Running) -> None:
    said = fleet.ask("HEAD", "/")
    assert (said.status, said.body) == (200, b"")
