"""The review queue of a running gateway: what no check accepted comes in, an admin judges it, and it is a label."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from server.harness import Running, Said, serving, until

SPEC = """
version: 1
providers:
  fleet: {kind: scripted, script: {seed: 7, latency: none, models: {mini: {ability: 0.5}}}}
models:
  mini: {provider: fleet, tier: fast, price: {input: 0.1, output: 0.4}, context: 100000}
tiers: [fast]
tasks:
  short: {why: Nobody reads more., validate: [{max_chars: 3}]}
routes:
  auto: {log_text: flagged}
  silent: {}
keys:
  ops: {secret: "${KEY}", scopes: [call, admin]}
  user: {secret: "${USER_KEY}", scopes: [call]}
"""
KEYS = {"KEY": "the-key-that-may-do-all-here", "USER_KEY": "the-key-of-a-plain-user-here"}
ADMIN = {"authorization": f"Bearer {KEYS['KEY']}"}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    spec = tmp_path_factory.mktemp("reviews") / "tierline.yaml"
    spec.write_text(SPEC)
    with serving(spec, **KEYS) as running:
        yield running


def flagged(gateway: Running, model: str = "auto", **more: Any) -> str:
    """A request whose answer no check accepts; its decision, once it is in the queue."""
    said = gateway.chat(model, {**ADMIN, "x-tierline-task": "short"}, **more)
    assert said.status == 200
    decision = said.headers["x-tierline-decision"]
    until(lambda: look(gateway, f"/{decision}").status == 200)
    return decision


def look(gateway: Running, rest: str = "", headers: dict[str, str] = ADMIN) -> Said:
    return gateway.ask("GET", f"/admin/reviews{rest}", headers=headers)


def judge(gateway: Running, decision: str, headers: dict[str, str] = ADMIN, **body: Any) -> Said:
    return gateway.ask("POST", f"/admin/reviews/{decision}", body, headers)


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_no_check_accepted_comes_in_with_its_words(gateway: Running, stream: bool) -> None:
    decision = flagged(gateway, stream=stream)
    told = until(lambda: (found := look(gateway, f"/{decision}").json)["text"] and found)
    assert (told["review"]["kind"], told["review"]["state"], told["review"]["model"]) == ("flagged", "open", "mini")
    assert told["review"]["verdicts"][0][:2] == ["short/max_chars", False]
    assert "capital of France" in told["text"] and '"answer"' in told["text"]
    assert decision in {entry["request_id"] for entry in look(gateway).json["reviews"]}


def test_what_was_accepted_does_not_come_in_and_its_words_are_not_kept(gateway: Running) -> None:
    said = gateway.chat("auto", ADMIN)
    decision = said.headers["x-tierline-decision"]
    gateway.record(decision)
    flagged(gateway)
    assert look(gateway, f"/{decision}").status == 404


def test_a_route_that_keeps_no_words_shows_none(gateway: Running) -> None:
    decision = flagged(gateway, "auto/silent")
    assert look(gateway, f"/{decision}").json["text"] is None


def test_an_admin_judges_and_it_is_no_longer_open(gateway: Running) -> None:
    decision = flagged(gateway)
    judged = judge(gateway, decision, state="corrected", correction="Paris", note="sure")
    assert (judged.status, judged.json["state"], judged.json["reviewed_by"]) == (200, "corrected", "ops")
    assert decision not in {entry["request_id"] for entry in look(gateway).json["reviews"]}
    assert decision in {entry["request_id"] for entry in look(gateway, "?state=corrected").json["reviews"]}
    again = judge(gateway, decision, state="accepted")
    assert again.status == 404 and "corrected already, by ops" in again.error["message"]


@pytest.mark.parametrize(
    ("body", "said"),
    [({"state": "corrected"}, "right answer"), ({"state": "open"}, "Invalid enum"), ({"state": "accepted", "correction": "x"}, "with")],
)
def test_a_judgement_that_makes_no_sense_is_refused(gateway: Running, body: dict[str, Any], said: str) -> None:
    refused = judge(gateway, flagged(gateway), **body)
    assert refused.status == 400 and said in refused.error["message"]


@pytest.mark.parametrize("query", ["?state=odd", "?limit=0", "?limit=x"])
def test_a_list_that_makes_no_sense_is_refused(gateway: Running, query: str) -> None:
    assert look(gateway, query).status == 400


def test_the_queue_is_for_admins(gateway: Running) -> None:
    user = {"authorization": f"Bearer {KEYS['USER_KEY']}"}
    assert look(gateway, headers=user).status == judge(gateway, "x", user, state="accepted").status == 403


def test_a_client_may_say_whether_the_tools_it_was_told_to_call_did_their_work(gateway: Running) -> None:
    decision = gateway.chat("auto", ADMIN).headers["x-tierline-decision"]
    gateway.record(decision)
    said = gateway.ask("POST", "/v1/feedback", {"decision": decision, "tool_success": False}, ADMIN)
    assert said.json == {"decision": decision, "kept": True}
