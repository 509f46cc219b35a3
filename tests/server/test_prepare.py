"""Prepare, over HTTP: a small model looks at a request first, and what is answered is what it left."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from server.harness import Running, Said, serving, until
from tierline.config.load import load
from tierline.routing.router import Router
from tierline.types.record import Record

SPEC = """
version: 1
providers:
  up: {{dialect: openai_chat, base_url: "http://127.0.0.1:{port}/v1"}}
models:
  small: {{provider: up, tier: fast, price: {{input: 1, output: 1}}, capabilities: [json_schema]}}
  broken: {{provider: up, tier: fast, price: {{input: 9, output: 9}}}}
  mini: {{provider: up, tier: fast, price: {{input: 2, output: 2}}}}
tiers: [fast]
tasks:
  all: {{why: Everything., models: [mini]}}
routes:
  auto: {{task: all}}
  moderated: {{task: all, log_text: flagged, prepare: [{{moderate: small}}]}}
  trusting: {{task: all, prepare: [{{moderate: broken}}]}}
  strict: {{task: all, prepare: [{{moderate: broken, on_failure: block}}]}}
  rewritten: {{task: all, prepare: [{{rewrite_query: small}}]}}
  summed: {{task: all, prepare: [{{summarise_history: small, above: 40, keep: 2}}, {{rewrite_query: small}}]}}
keys:
  ops: {{secret: "${{KEY}}", scopes: [call, admin]}}
"""
KEYS = {"KEY": "the-key-that-may-do-all-here"}
ADMIN = {"authorization": f"Bearer {KEYS['KEY']}"}
USAGE = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}


class Model(BaseHTTPRequestHandler):
    """An upstream: it does what its system prompt asks for, or says back the last message; `broken` is always overloaded."""

    protocol_version = "HTTP/1.1"
    server: Upstream

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.seen.append(body)
        system, last = body["messages"][0], body["messages"][-1]["content"]
        words = last if isinstance(last, str) else "".join(part["text"] for part in last)
        if "may be passed to an assistant" in str(system["content"]):
            blocked = {"decision": "block", "category": "violence"}
            words = json.dumps(blocked if "bomb" in words else {"decision": "allow", "category": "other"})
        elif "Rewrite the user's last message" in str(system["content"]):
            words = "When does order 42 come?"
        elif "Sum it up" in str(system["content"]):
            words = "Ada asks for order 42."
        message = {"role": "assistant", "content": words}
        answer = {"id": "c", "object": "chat.completion", "created": 1, "model": body["model"], "usage": USAGE}
        self._send(
            503 if body["model"] == "broken" else 200, {**answer, "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
        )

    def _send(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed."""


class Upstream(ThreadingHTTPServer):
    """`seen` keeps the body of every call."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Model)
        self.seen: list[dict[str, Any]] = []


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    server = Upstream()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, upstream: Upstream) -> Iterator[Running]:
    spec = tmp_path_factory.mktemp("prepare") / "tierline.yaml"
    spec.write_text(SPEC.format(port=upstream.server_port))
    with serving(spec, **KEYS) as running:
        yield running


@pytest.fixture(autouse=True)
def forget(upstream: Upstream) -> None:
    upstream.seen.clear()


def user(words: str) -> dict[str, str]:
    return {"role": "user", "content": words}


TALK = [
    {"role": "system", "content": "Be brief."},
    user("I am Ada, and I have ordered something nice at your shop a week ago."),
    {"role": "assistant", "content": "Hello Ada, how good of you. What is the number of your order?"},
    user("It is the order 42."),
    {"role": "assistant", "content": "It is on its way."},
    user("And when does it come?"),
]


def ask(gateway: Running, model: str, messages: list[dict[str, str]], **more: Any) -> Said:
    return gateway.ask("POST", "/v1/chat/completions", {"model": model, "messages": messages, **more}, ADMIN)


def row_of(gateway: Running, said: Said) -> Record:
    row = gateway.record(said.headers["x-tierline-decision"])
    assert Router(load(gateway.spec, KEYS)).decide(row.features, row.scores, row.view) == row.decision
    return row


def told(row: Record) -> list[tuple[str, str, bool, str]]:
    return [(aside.purpose, aside.target, aside.ok, aside.error) for aside in row.asides]


def test_what_may_be_answered_is_and_moderating_it_is_paid_for(gateway: Running, upstream: Upstream) -> None:
    said = ask(gateway, "auto/moderated", [user("What is a bee?")])
    assert said.json["choices"][0]["message"]["content"] == "What is a bee?"
    row = row_of(gateway, said)
    assert told(row) == [("prepare/moderate", "small", True, "")]
    assert row.asides[0].cost == pytest.approx(110 / 1e6)
    assert row.cost == pytest.approx((110 + 2 * 110) / 1e6)
    assert said.headers["x-tierline-cost"] == f"{row.cost:.8f}"
    assert row.asides[0].elapsed > 0
    assert upstream.seen[0]["response_format"]["type"] == "json_schema"


BODIES = [
    ("/v1/chat/completions", {}),
    ("/v1/responses", {"input": "How do I build a bomb?", "messages": None}),
    ("/v1/messages", {"max_tokens": 50}),
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("path", "more"), BODIES)
def test_what_may_not_is_refused_in_the_clients_dialect_and_waits_for_a_person(
    gateway: Running, upstream: Upstream, path: str, more: dict[str, Any], stream: bool
) -> None:
    body = {"model": "auto/moderated", "messages": [user("How do I build a bomb?")], "stream": stream, **more}
    said = gateway.ask("POST", path, {name: value for name, value in body.items() if value is not None}, ADMIN)
    assert said.status == 403
    assert "it asks for violence" in said.error["message"]
    assert len(upstream.seen) == 1, "nobody answered it"
    row = row_of(gateway, said)
    assert (row.status, row.error, row.tried, row.decision.target) == (403, "content_blocked", (), "mini")
    assert told(row) == [("prepare/moderate", "small", True, "content_blocked")]
    assert row.asides[0].detail == "violence"
    decision = said.headers["x-tierline-decision"]
    found = until(lambda: (given := gateway.ask("GET", f"/admin/reviews/{decision}", headers=ADMIN)).status == 200 and given.json)
    assert found["review"]["kind"] == "blocked"
    assert found["review"]["verdicts"][0][:3] == ["prepare/moderate", False, "violence"]
    assert "build a bomb" in until(lambda: gateway.ask("GET", f"/admin/reviews/{decision}", headers=ADMIN).json["text"])


def test_naming_a_model_does_not_get_around_moderation_on_the_default_route(gateway: Running) -> None:
    named = gateway.ask(
        "POST", "/v1/chat/completions", {"model": "auto/moderated", "messages": [user("A bomb?")]}, {**ADMIN, "x-tierline-tier": "fast"}
    )
    assert named.status == 403


def test_where_it_cannot_be_moderated_it_goes_on_unless_it_is_told_not_to(gateway: Running) -> None:
    went = ask(gateway, "auto/trusting", [user("What is a bee?")])
    assert went.status == 200
    assert told(row_of(gateway, went)) == [("prepare/moderate", "broken", False, "overloaded")]
    stopped = ask(gateway, "auto/strict", [user("What is a bee?")])
    assert stopped.status == 403 and "could not be moderated" in stopped.error["message"]
    assert told(row_of(gateway, stopped)) == [("prepare/moderate", "broken", False, "content_blocked")]


def test_the_rewritten_question_is_what_the_model_is_asked(gateway: Running, upstream: Upstream) -> None:
    said = ask(gateway, "auto/rewritten", TALK, temperature=0.5)
    assert said.json["choices"][0]["message"]["content"] == "When does order 42 come?"
    answered = upstream.seen[-1]
    assert answered["messages"][:-1] == TALK[:-1]
    assert answered["temperature"] == 0.5
    assert told(row_of(gateway, said)) == [("prepare/rewrite_query", "small", True, "")]


def test_a_first_question_stands_alone_and_is_not_rewritten(gateway: Running, upstream: Upstream) -> None:
    said = ask(gateway, "auto/rewritten", [user("What is a bee?")])
    assert len(upstream.seen) == 1
    assert told(row_of(gateway, said)) == []


def test_a_long_history_is_summed_up_then_the_question_rewritten_and_the_features_are_those_of_what_is_asked(
    gateway: Running, upstream: Upstream
) -> None:
    plain = row_of(gateway, ask(gateway, "auto", TALK))
    said = ask(gateway, "auto/summed", TALK)
    answered = upstream.seen[-1]["messages"]
    assert [message["role"] for message in answered] == ["system", "user", "assistant", "user"]
    assert "Ada asks for order 42." in json.dumps(answered[1]) and "a week ago" not in json.dumps(answered)
    assert answered[-1]["content"] == "When does order 42 come?" or answered[-1]["content"][-1]["text"] == "When does order 42 come?"
    row = row_of(gateway, said)
    assert told(row) == [("prepare/summarise_history", "small", True, ""), ("prepare/rewrite_query", "small", True, "")]
    assert row.features.turns < plain.features.turns
    assert row.features.session == plain.features.session


def test_a_short_history_is_left_as_it_is(gateway: Running, upstream: Upstream) -> None:
    ask(gateway, "auto/summed", [user("Hi"), {"role": "assistant", "content": "Hello"}, user("And it?")])
    assert "Sum it up" not in json.dumps(upstream.seen)


def test_explaining_says_what_was_prepared(gateway: Running) -> None:
    said = gateway.ask("POST", "/v1/chat/completions", {"model": "auto/rewritten", "messages": TALK}, {**ADMIN, "x-tierline-explain": "1"})
    assert said.headers["x-tierline-explanation"].startswith("small was asked to rewrite its question.")
    dry = gateway.ask("POST", "/v1/route", {"model": "auto/rewritten", "messages": TALK}, ADMIN)
    assert "small would be asked to rewrite its question" in dry.json["explanation"]["sentences"][0]
