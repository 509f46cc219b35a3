"""Tools first, over HTTP: whole and streamed, in every client's dialect, with an honest row for each."""

from __future__ import annotations

import json
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from server.harness import Running, Said, serving, until
from tierline import plugins
from tierline.config.load import load
from tierline.dialects.events import joined
from tierline.routing.router import Router
from tierline.types.completion import Completion
from tierline.types.conversation import Text

SPEC = """
version: 1
providers:
  fleet: {{kind: scripted, script: {{seed: 7, latency: none, models: {{mini: {{ability: 0.5}}, big: {{ability: 0.99}}}}}}}}
models:
  mini: {{provider: fleet, tier: fast, price: {{input: 0.1, output: 0.4}}, context: 100000, capabilities: [tools, json_object]}}
  big: {{provider: fleet, tier: best, price: {{input: 5, output: 20}}, context: 100000, capabilities: [tools, json_object]}}
tiers: [fast, best]
tasks:
  checked: {{why: Every answer passes., models: [mini], validate: [{{max_chars: 100000}}]}}
  refused: {{why: No answer passes., models: [mini], validate: [{{max_chars: 1}}]}}
sources:
  slow: {{url: "http://127.0.0.1:{port}/"}}
  orders: {{url: "sqlite:///orders.db", query: "select status from orders where id = :id"}}
  nobody: {{url: "http://127.0.0.1:1/"}}
routes:
  auto:
    log_text: all
    tools_first:
      - {{lookup: faq.csv, match: normalised}}
      - {{sql: orders, pattern: '(?i)where is order (?P<id>\\d+)', answer: 'Order {{id}} is {{status}}.'}}
      - {{http: nobody, pattern: '(?i)search for (?P<q>.+)'}}
  cached: {{tools_first: [{{cache: exact}}]}}
  optimistic: {{stream: optimistic, tools_first: [{{cache: exact}}]}}
  slow: {{tools_first: [{{http: slow, pattern: wait, timeout: 30s}}]}}
  plain: {{}}
keys:
  all: {{secret: "${{KEY}}", scopes: [call, admin]}}
  other: {{secret: "${{OTHER}}", scopes: [call]}}
  plain: {{secret: "${{PLAIN}}", scopes: [call], routes: [plain]}}
"""
KEYS = {"KEY": "the-key-that-may-do-all-here", "OTHER": "the-key-of-somebody-else", "PLAIN": "the-key-for-the-plain-route"}
FAQ = "question,answer\nWhen do you open?,At nine.\n"
OPENS = "when do you open"


@pytest.fixture(scope="module")
def silent() -> Iterator[socket.socket]:
    """A service that takes calls and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(10)
        yield listening


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, silent: socket.socket) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("shop")
    (folder / "faq.csv").write_text(FAQ)
    with closing(sqlite3.connect(folder / "orders.db")) as connection:
        connection.executescript("create table orders (id integer primary key, status text); insert into orders values (42, 'shipped');")
    (folder / "tierline.yaml").write_text(SPEC.format(port=silent.getsockname()[1]))
    with serving(folder / "tierline.yaml", **KEYS) as running:
        yield running


def asked(dialect: str, words: str, stream: bool, model: str = "auto") -> tuple[str, dict[str, Any]]:
    """Path and body of a question in a dialect."""
    turn = {"role": "user", "content": words}
    if dialect == "gemini":
        path = f"/v1beta/models/{model}:{'streamGenerateContent?alt=sse' if stream else 'generateContent'}"
        return path, {"contents": [{"role": "user", "parts": [{"text": words}]}]}
    body = {"model": model, "stream": stream}
    if dialect == "openai_responses":
        return "/v1/responses", {**body, "input": words, "store": False}
    if dialect == "anthropic_messages":
        return "/v1/messages", {**body, "max_tokens": 100, "messages": [turn]}
    return "/v1/chat/completions", {**body, "messages": [turn]}


def ask(shop: Running, words: str, dialect: str = "openai_chat", *, stream: bool = False, key: str = "KEY", **more: Any) -> Said:
    path, body = asked(dialect, words, stream, **more)
    return shop.ask("POST", path, body, {"authorization": f"Bearer {KEYS[key]}"})


def read(dialect: str, said: Said, *, stream: bool = False) -> Completion:
    spoken = plugins.find("dialects", dialect)()
    if not stream:
        return spoken.read_completion(said.body)
    decoder = spoken.decoder()
    return joined([*decoder.feed(said.body), *decoder.finished()], dialect)


def words_of(completion: Completion) -> str:
    return "".join(part.text for part in completion.choices[0].parts if isinstance(part, Text))


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("dialect", ["openai_chat", "openai_responses", "anthropic_messages", "gemini"])
def test_a_hit_is_an_answer_of_the_clients_dialect_at_no_tokens(shop: Running, dialect: str, stream: bool) -> None:
    said = ask(shop, OPENS, dialect, stream=stream)
    completion = read(dialect, said, stream=stream)
    assert said.status == 200
    assert (words_of(completion), completion.choices[0].finish) == ("At nine.", "stop")
    assert (completion.usage.input, completion.usage.output) == (0, 0)
    assert said.headers["x-tierline-answered"] == "lookup:faq.csv"
    assert said.headers["x-tierline-model"] == ""
    assert said.headers["x-tierline-attempts"] == "0"
    assert stream or said.headers["x-tierline-cost"] == "0.00000000"


def test_the_row_says_who_answered_what_would_have_been_asked_and_decides_again_alike(shop: Running) -> None:
    said = ask(shop, "Where is order 42?")
    assert said.json["choices"][0]["message"]["content"] == "Order 42 is shipped."
    row = shop.record(said.headers["x-tierline-decision"])
    assert (row.answered, row.model, row.tried, row.status, row.cost) == ("sql:orders", "", (), 200, 0.0)
    assert [(aside.target, aside.ok, aside.error) for aside in row.asides] == [("lookup:faq.csv", False, "miss"), ("sql:orders", True, "")]
    assert row.decision.target in {"mini", "big"}
    router = Router(load(shop.spec, KEYS))
    assert router.decide(row.features, row.scores, row.view) == row.decision


def test_a_miss_and_an_error_go_on_to_the_models_and_the_row_says_which(shop: Running) -> None:
    said = ask(shop, "Search for the meaning of it")
    assert said.status == 200 and said.headers["x-tierline-model"] in {"mini", "big"}
    assert "x-tierline-answered" not in said.headers
    row = shop.record(said.headers["x-tierline-decision"])
    assert (row.answered, len(row.tried)) == ("", 1)
    assert [aside.error for aside in row.asides] == ["miss", "miss", "failed"]


def test_explaining_says_what_the_tools_did(shop: Running) -> None:
    path, body = asked("openai_chat", OPENS, False)
    said = shop.ask("POST", path, body, {"authorization": f"Bearer {KEYS['KEY']}", "x-tierline-explain": "1"})
    assert said.headers["x-tierline-explanation"].startswith("Before any model, it was put to lookup:faq.csv, which answered.")
    shop.record(said.headers["x-tierline-decision"])
    looked_up = shop.ask(
        "GET", f"/admin/decisions/{said.headers['x-tierline-decision']}", headers={"authorization": f"Bearer {KEYS['KEY']}"}
    )
    assert looked_up.json["explanation"]["sentences"][0].startswith("Before any model, it was put to lookup:faq.csv")
    dry = shop.ask("POST", "/v1/route", body, {"authorization": f"Bearer {KEYS['KEY']}"})
    assert "it would be put to lookup:faq.csv, sql:orders, http:nobody" in " ".join(dry.json["explanation"]["sentences"])


def test_a_client_that_names_a_model_or_a_tier_gets_it(shop: Running) -> None:
    assert ask(shop, OPENS, model="big").headers["x-tierline-model"] == "big"
    assert ask(shop, OPENS, model="tier/fast").headers["x-tierline-model"] == "mini"


def test_a_key_reaches_the_tools_of_its_own_routes_only(shop: Running) -> None:
    assert ask(shop, OPENS, key="PLAIN").status == 403
    assert "x-tierline-answered" not in ask(shop, OPENS, key="PLAIN", model="auto/plain").headers


def test_the_text_of_a_hit_is_kept_where_the_route_keeps_text(shop: Running) -> None:
    said = ask(shop, "Where is order 42?")
    shop.record(said.headers["x-tierline-decision"])
    with closing(sqlite3.connect(shop.spec.parent / "tierline.db")) as log:
        (kept,) = log.execute("select body from texts where request_id = ?", (said.headers["x-tierline-decision"],)).fetchone()
    assert json.loads(kept)["answer"]["choices"][0]["message"]["content"] == "Order 42 is shipped."


@pytest.mark.parametrize("dialect", ["openai_chat", "openai_responses", "anthropic_messages", "gemini"])
def test_the_cache_gives_again_what_the_model_said_whole_or_streamed_to_the_same_key(shop: Running, dialect: str) -> None:
    words = f"Tell me something in {dialect}."
    first = ask(shop, words, dialect, model="auto/cached")
    said = words_of(read(dialect, first))
    assert said and "x-tierline-answered" not in first.headers
    for stream in (False, True):
        again = ask(shop, words, dialect, stream=stream, model="auto/cached")
        assert again.headers["x-tierline-answered"] == "cache:exact"
        completion = read(dialect, again, stream=stream)
        assert words_of(completion) == said
        assert completion.usage.output == 0
    assert "x-tierline-answered" not in ask(shop, words, dialect, model="auto/cached", key="OTHER").headers


@pytest.mark.parametrize("dialect", ["openai_chat", "openai_responses", "anthropic_messages", "gemini"])
def test_a_stream_is_kept_for_the_next_who_asks(shop: Running, dialect: str) -> None:
    words = f"Tell me something at length in {dialect}."
    first = ask(shop, words, dialect, stream=True, model="auto/cached")
    again = ask(shop, words, dialect, model="auto/cached")
    assert again.headers["x-tierline-answered"] == "cache:exact"
    assert words_of(read(dialect, again)) == words_of(read(dialect, first, stream=True)) != ""


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("route", ["cached", "optimistic"])
def test_an_answer_that_its_checks_accept_is_kept_and_one_that_none_accepts_is_not(shop: Running, route: str, stream: bool) -> None:
    for task, kept in (("checked", True), ("refused", False)):
        path, body = asked("openai_chat", f"Say what is {task} on {route}, {stream}.", stream, f"auto/{route}")
        headers = {"authorization": f"Bearer {KEYS['KEY']}", "x-tierline-task": task}
        first, again = (shop.ask("POST", path, body, headers) for _ in range(2))
        assert first.status == again.status == 200
        assert ("x-tierline-answered" in again.headers) is kept
        if kept:
            said = [words_of(read("openai_chat", answer, stream=stream)) for answer in (first, again)]
            assert said[0] == said[1] != ""


def test_a_client_that_leaves_while_a_tool_is_asked_is_let_go_and_has_its_row(shop: Running, silent: socket.socket) -> None:
    body = json.dumps({"model": "auto/slow", "messages": [{"role": "user", "content": "please wait"}]}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEYS['KEY']}\r\ncontent-length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", shop.port)) as client:
        client.sendall(head.encode() + body)
        taken, _ = silent.accept()
    with taken:
        row = until(lambda: next((row for row in shop.rows() if row.decision.route == "slow"), None))
    assert (row.status, row.error, row.tried) == (499, "client_closed", ())
    assert [(aside.target, aside.error) for aside in row.asides] == [("http:slow", "cancelled")]


def test_an_answer_that_calls_a_tool_is_not_kept(shop: Running) -> None:
    tool = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object", "properties": {}}}}
    headers = {"authorization": f"Bearer {KEYS['KEY']}"}
    body = {"model": "auto/cached", "messages": [{"role": "user", "content": "Look it up."}], "tools": [tool]}
    answers = [shop.ask("POST", "/v1/chat/completions", body, headers) for _ in range(2)]
    assert answers[0].json["choices"][0]["message"]["tool_calls"]
    assert "x-tierline-answered" not in answers[1].headers


def test_what_beta_a_client_asks_for_makes_another_request(shop: Running) -> None:
    path, body = asked("anthropic_messages", "Tell me of betas.", False, "auto/cached")
    key = {"authorization": f"Bearer {KEYS['KEY']}"}
    shop.ask("POST", path, body, key)
    assert "x-tierline-answered" in shop.ask("POST", path, body, key).headers
    assert "x-tierline-answered" not in shop.ask("POST", path, body, {**key, "anthropic-beta": "more-thinking"}).headers


def test_a_table_that_changed_is_read_at_the_next_reload_and_the_cache_begins_anew(shop: Running) -> None:
    headers = {"authorization": f"Bearer {KEYS['KEY']}"}
    ask(shop, "Keep this.", model="auto/cached")
    (shop.spec.parent / "faq.csv").write_text(FAQ.replace("At nine.", "At ten."))
    try:
        assert shop.ask("POST", "/admin/reload", b"", headers).json["changed"]
        assert ask(shop, OPENS).json["choices"][0]["message"]["content"] == "At ten."
        assert "x-tierline-answered" not in ask(shop, "Keep this.", model="auto/cached").headers
    finally:
        (shop.spec.parent / "faq.csv").write_text(FAQ)
        shop.ask("POST", "/admin/reload", b"", headers)


def test_a_table_that_broke_refuses_the_reload_and_the_old_one_answers(shop: Running) -> None:
    headers = {"authorization": f"Bearer {KEYS['KEY']}"}
    (shop.spec.parent / "faq.csv").write_text("frage,antwort\n")
    try:
        refused = shop.ask("POST", "/admin/reload", b"", headers)
        assert refused.status == 422 and "no column 'question'" in refused.json["problem"]
        assert ask(shop, OPENS).json["choices"][0]["message"]["content"] == "At nine."
    finally:
        (shop.spec.parent / "faq.csv").write_text(FAQ)
