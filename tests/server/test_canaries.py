"""Planted secrets, sent through everything there is: none of them may be heard upstream, or be found in any file, log line or metric."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.clients import CLIENTS
from server.echo import Echo
from server.harness import Running, serving, until
from server.test_governed import told

CANARIES = {
    "email": "zoe.canary@example.org",
    "phone": "+49 30 901820",
    "card": "4111 1111 1111 1111",
    "iban": "DE89 3704 0044 0532 0130 00",
    "ssn": "536-22-8726",
    "github": "ghp_CANARYcanary0123456789CANARYcanary0123",
    "aws": "AKIACANARY7EXAMPLE12",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJjYW5hcnkiOiJDQU5BUlkifQ.CANARYcanaryCANARYcanary",
    "pem": "-----BEGIN PRIVATE KEY-----\nMIICANARYcanary\n-----END PRIVATE KEY-----",
}
"""What is planted."""
TRACES = [*(value.encode() for name, value in CANARIES.items() if name != "pem"), b"MIICANARYcanary", b"901820", b"canary@example"]
TEXT = "Here it is: " + " ; ".join(CANARIES.values()) + " ; and my password is hunter2!CANARY"
KEYS = {"KEY": "the-key-that-may-do-all-of-it"}
ADMIN = {"authorization": f"Bearer {KEYS['KEY']}"}


def spec(port: int, rule: str) -> str:
    able = "price: {input: 1, output: 2}, capabilities: [tools, json_object, json_schema, reasoning]"
    return f"""
version: 1
providers:
  cloud: {{dialect: openai_chat, base_url: "http://127.0.0.1:{port}/cloud/v1"}}
  clouded: {{dialect: anthropic_messages, base_url: "http://127.0.0.1:{port}/cloud/v1"}}
  home: {{dialect: openai_chat, base_url: "http://127.0.0.1:{port}/home/v1", residency: on_prem}}
tiers: [fast, balanced, best]
models:
  down: {{provider: cloud, model: status-500, tier: fast, {able}}}
  mini: {{provider: cloud, model: echo-1, tier: fast, {able}}}
  mid: {{provider: clouded, model: echo-2, tier: balanced, {able}}}
  quoting: {{provider: cloud, model: quoting-400, tier: balanced, {able}}}
  cut: {{provider: cloud, model: cut, tier: balanced, {able}}}
  big: {{provider: cloud, model: echo-3, tier: best, {able}}}
  vectors: {{provider: cloud, model: v, tier: fast, price: {{input: 1, output: 0}}, capabilities: [embeddings]}}
  house: {{provider: home, model: echo-2, tier: best, {able.replace("1, output: 2", "3, output: 6")}}}
sources:
  search: {{url: "http://127.0.0.1:{port}/search", method: POST}}
tasks:
  falls: {{why: A test., owner: t, models: [down, mini], fallback: [mid, house]}}
  climbs: {{why: A test., owner: t, models: [mini, mid, house], validate: [{{pattern: "never said"}}]}}
  judged: {{why: A test., owner: t, models: [mid, house], validate: [{{judge: Is it right?, model: big}}]}}
  quotes: {{why: A test., owner: t, models: [quoting, house]}}
  cuts: {{why: A test., owner: t, models: [cut, house]}}
routes:
  auto: {{owner: t, log_text: all, cascade: {{retries: 0}}}}
  asks:
    owner: t
    log_text: all
    tools_first: [{{cache: exact}}, {{http: search, pattern: "(?s)(?P<q>.+)", answer: answer}}]
    prepare: [{{moderate: big}}, {{rewrite_query: mini}}, {{summarise_history: mid, keep: 1}}]
  joins: {{owner: t, log_text: flagged, combine: {{models: [mini, mid], by: judge, judge: big, else: house}}}}
  races: {{owner: t, hedge: {{after: 1ms}}}}
governance:
  detect: [email, phone, credit_card, iban, national_id, secret]
  rules:
    - {rule}
keys:
  all: {{secret: "${{KEY}}", scopes: [call, read, admin]}}
"""


RULES = {
    "redacted": "{when: sensitivity.pii || sensitivity.secret, redact: [pii, secret], why: nothing leaves}",
    "at home": "{when: sensitivity.pii || sensitivity.secret, allow: {residency: on_prem}, why: it stays in the house}",
}


@pytest.fixture(scope="module", params=RULES.values(), ids=list(RULES))
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Echo]]:
    with Echo().running() as echo:
        path = tmp_path_factory.mktemp("canaries") / "tierline.yaml"
        path.write_text(spec(echo.port, request.param))
        with serving(path, **KEYS) as running:
            yield running, echo


def everything(gateway: Running) -> list[bytes]:
    """Send the canaries through every way there is; what faces but the client's own answers said."""
    decisions: list[str] = []
    for client in CLIENTS:
        for task in ("falls", "climbs", "judged", "quotes", "cuts"):
            for stream in (False, True):
                path, body = told(client, TEXT, stream=stream, tools=task == "falls")
                said = gateway.ask("POST", path, body, {**ADMIN, "x-tierline-task": task, "x-tierline-session": CANARIES["email"]})
                decisions.append(said.headers["x-tierline-decision"])
                assert b"[EMAIL_1]" not in said.body or stream, (client, task)
                if task == "quotes" and "redact:" in gateway.spec.read_text():  # asked first, and final; at home nobody may ask it
                    assert (said.status, said.headers["x-tierline-model"]) == (400, "quoting"), client
                elif task != "cuts":
                    assert CANARIES["iban"].encode() in said.body or stream, (client, task)
        for route in ("auto/asks", "auto/asks", "auto/joins", "auto/races", "mini", "tier/best", "nobody-has-this"):
            path, body = told(client, TEXT, model=route)
            gateway.ask("POST", path, body, ADMIN)
    conversation = [
        {"role": role, "content": f"{TEXT} {n}"} for n, role in enumerate(["system", "user", "assistant", "user", "assistant", "user"])
    ]
    gateway.ask("POST", "/v1/chat/completions", {"model": "auto/asks", "messages": conversation}, ADMIN)
    gateway.ask("POST", "/v1/chat/completions", {"model": "auto", "messages": TEXT}, ADMIN)
    gateway.ask("POST", "/v1/chat/completions", TEXT.encode(), ADMIN)
    gateway.ask("POST", "/v1/embeddings", {"model": "vectors", "input": [TEXT]}, ADMIN)
    gateway.ask("POST", "/v1/messages/count_tokens", {"model": "mini", "messages": [{"role": "user", "content": TEXT}]}, ADMIN)
    gateway.record(decisions[-1])
    correction = {"decision": decisions[0], "correction": TEXT}
    assert gateway.ask("POST", "/v1/feedback", correction, ADMIN).status == 200
    dry = gateway.ask("POST", "/v1/route", told("openai_chat", TEXT)[1], ADMIN)
    reviews = gateway.ask("GET", "/admin/reviews", headers=ADMIN)
    shown = [gateway.ask("GET", f"/admin/decisions/{decision}", headers=ADMIN).body for decision in decisions]
    each = [gateway.ask("GET", f"/admin/reviews/{decision}", headers=ADMIN).body for decision in decisions]
    return [dry.body, reviews.body, gateway.ask("GET", "/metrics", headers=ADMIN).body, *shown, *each]


def traces(data: bytes) -> list[bytes]:
    return [trace for trace in (*TRACES, b"hunter2!CANARY") if trace in data or json.dumps(trace.decode())[1:-1].encode() in data]


def test_no_planted_secret_is_heard_or_written_anywhere(run: tuple[Running, Echo]) -> None:
    gateway, echo = run
    said = everything(gateway)
    assert [found for answer in said if (found := traces(answer))] == []
    redacted = "redact:" in gateway.spec.read_text()
    outside = [(path, head + body) for path, head, body in echo.heard if redacted or not path.startswith("/home/")]
    assert [(path, found) for path, data in outside if (found := traces(data))] == []
    if redacted:
        assert "/search" in {path for path, _, _ in echo.heard} and len(echo.heard) > 50
    else:
        assert any(CANARIES["email"].encode() in body for _, _, body in echo.heard) and not outside
    until(lambda: len(gateway.rows()) > 40)
    gateway.stop()
    files = {path: path.read_bytes() for path in Path(gateway.spec.parent).iterdir() if path != gateway.spec and path.is_file()}
    assert {path.name: found for path, data in files.items() if (found := traces(data))} == {}
    assert any(b"[EMAIL_1]" in data for data in files.values())
