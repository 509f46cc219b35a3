"""Models that answer beside, over sockets: the client has its answer before they are asked, and nothing that befalls them befalls it."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from server.harness import Running, Said, serving, until
from tierline.config.load import load
from tierline.gateway.shadow.pool import OF_ONE
from tierline.ledger.ledger import Ledger
from tierline.ledger.shadows import Shadowed
from tierline.routing.router import Router
from tierline.types.label import Label
from tierline.types.record import Record

SPEC = """
version: 1
providers:
  up: {{dialect: openai_chat, base_url: "http://127.0.0.1:{port}/v1"}}
  claude: {{dialect: anthropic_messages, base_url: "http://127.0.0.1:{port}/v1"}}
  house: {{dialect: openai_chat, base_url: "http://127.0.0.1:{port}/v1", residency: on_prem}}
tiers: [fast, best]
models:
  mini: {{provider: up, tier: fast, price: {{input: 1, output: 1}}, capabilities: [tools]}}
  big: {{provider: up, tier: best, price: {{input: 10, output: 10}}, capabilities: [tools]}}
  echo: {{provider: up, tier: best, price: {{input: 10, output: 10}}}}
  opus: {{provider: claude, tier: best, price: {{input: 10, output: 10}}, capabilities: [tools]}}
  home: {{provider: house, tier: best, price: {{input: 0, output: 0}}}}
  hung: {{provider: up, tier: best, price: {{input: 10, output: 10}}}}
  single: {{provider: up, tier: best, price: {{input: 10, output: 10}}, max_concurrency: 1}}
  broken: {{provider: up, tier: best, price: {{input: 10, output: 10}}}}
  fair: {{provider: up, tier: best, price: {{input: 1, output: 1}}}}
  first: {{provider: up, tier: best, price: {{input: 1, output: 1}}}}
  mumbles: {{provider: up, tier: best, price: {{input: 1, output: 1}}}}
tasks:
  all: {{why: Everything., models: [mini], validate: [{{pattern: "big|mini|opus"}}, {{max_chars: 20}}]}}
  plain: {{why: Nothing is checked., models: [mini]}}
routes:
  auto: {{task: all}}
  compared: {{task: all, shadow: {{models: [big], share: 1, judge: fair, max_cost_per_day: 10}}}}
  streamed: {{task: plain, shadow: {{models: [big], share: 1, judge: fair}}}}
  unjudged: {{task: all, shadow: {{models: [big], share: 1, judge: broken}}}}
  biased: {{task: all, shadow: {{models: [big], share: 1, judge: first}}}}
  unread: {{task: all, shadow: {{models: [big], share: 1, judge: mumbles}}}}
  alike: {{task: all, shadow: {{models: [echo], share: 1, judge: fair}}}}
  translated: {{task: all, shadow: {{models: [opus], share: 1, judge: fair}}}}
  hanging: {{task: all, shadow: {{models: [hung], share: 1}}}}
  single: {{task: all, shadow: {{models: [single], share: 1}}}}
  failing: {{task: all, shadow: {{models: [broken], share: 1}}}}
  unchecked: {{task: all, shadow: {{models: [big], share: 1, validate: false}}}}
  governed: {{task: all, shadow: {{models: [big, home], share: 1, sensitive: true}}}}
  private: {{task: all, shadow: {{models: [big], share: 1}}}}
  poor: {{task: all, shadow: {{models: [big], share: 1, max_cost_per_day: 0.0012}}}}
governance:
  rules:
    - {{when: sensitivity.pii, allow: {{residency: on_prem}}, why: It stays here.}}
    - {{when: "risk == 'high'", allow: {{models: [mini]}}, why: Approved.}}
keys:
  ops: {{secret: "${{KEY}}", scopes: [call, read, admin]}}
  narrow: {{secret: "${{NARROW}}", models: [mini]}}
"""
KEYS = {"KEY": "the-key-that-may-do-all-here", "NARROW": "the-key-that-may-do-little-here"}
ADMIN = {"authorization": f"Bearer {KEYS['KEY']}"}
SECRET = "Zanzibar"
ANSWERS = {"mini": "mini here", "big": "big here", "echo": "Mini  here", "opus": "opus here", "home": "home here"}


class Model(BaseHTTPRequestHandler):
    """An upstream: each model says its own name. As judges, `fair` prefers what big and opus say, `first` always the first answer, and
    `mumbles` names none."""

    protocol_version = "HTTP/1.1"
    server: Upstream

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        name = body["model"]
        self.server.seen.append(body)
        if name == "hung" or (name == "single" and self.server.asked(name) == [body]):
            self.server.release.wait(20)
        words = self._judged(name, body) if "compare answers" in json.dumps(body["messages"]) else ANSWERS.get(name, name)
        usage = {"prompt_tokens": 90, "completion_tokens": 10, "total_tokens": 100}
        if self.path.endswith("/messages"):
            told: Any = {"id": "m", "type": "message", "role": "assistant", "model": name, "stop_reason": "end_turn"}
            told |= {"content": [{"type": "text", "text": words}], "usage": {"input_tokens": 90, "output_tokens": 10}}
        else:
            call = {"id": "t", "type": "function", "function": {"name": "look", "arguments": json.dumps({"at": name})}}
            message = {"role": "assistant", "content": words} if not body.get("tools") else {"role": "assistant", "tool_calls": [call]}
            told = {"id": "c", "object": "chat.completion", "created": 1, "model": name, "usage": usage}
            told |= {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
        if body.get("stream"):
            self._stream(words, usage)
        else:
            self._send(429 if name == "broken" else 200, "application/json", json.dumps(told).encode())

    def _judged(self, name: str, body: dict[str, Any]) -> str:
        if name == "mumbles":
            return "Both are fine."
        shown = re.findall(r"<answer \d>\n(.*?)\n</answer \d>", body["messages"][-1]["content"], re.DOTALL)
        better = next((at for at, words in enumerate(shown) if "big" in words or "opus" in words), 0)
        return json.dumps({"best": 1 if name == "first" else better + 1})

    def _stream(self, words: str, usage: dict[str, int]) -> None:
        chunks = [{"choices": [{"index": 0, "delta": {"content": words}, "finish_reason": None}]}]
        chunks += [{"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}, {"choices": [], "usage": usage}]
        lines = [f"data: {json.dumps({'id': 'c', 'object': 'chat.completion.chunk', 'model': 'm', **chunk})}\n\n" for chunk in chunks]
        self._send(200, "text/event-stream", ("".join(lines) + "data: [DONE]\n\n").encode())

    def _send(self, status: int, kind: str, data: bytes) -> None:
        with contextlib.suppress(ConnectionError):
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed."""


class Upstream(ThreadingHTTPServer):
    """`seen` keeps the body of every call; what hangs goes on once `release` is set."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Model)
        self.seen: list[dict[str, Any]] = []
        self.release = threading.Event()

    def asked(self, model: str) -> list[dict[str, Any]]:
        return [body for body in self.seen if body["model"] == model]


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    server = Upstream()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.release.set()
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, upstream: Upstream) -> Iterator[Running]:
    spec = tmp_path_factory.mktemp("shadow") / "tierline.yaml"
    spec.write_text(SPEC.format(port=upstream.server_port))
    with serving(spec, **KEYS) as running:
        yield running


@pytest.fixture(autouse=True)
def forget(upstream: Upstream) -> None:
    upstream.seen.clear()


def ask(gateway: Running, route: str, headers: dict[str, str] = ADMIN, **more: Any) -> Said:
    return gateway.chat(f"auto/{route}", headers, **{"messages": [{"role": "user", "content": f"Tell me of {SECRET}."}], **more})


def row_of(gateway: Running, said: Said) -> Record:
    row = gateway.record(said.headers["x-tierline-decision"])
    assert Router(load(gateway.spec, KEYS)).decide(row.features, row.scores, row.view) == row.decision
    return row


@contextlib.contextmanager
def ledger(gateway: Running) -> Iterator[Ledger]:
    with contextlib.closing(Ledger(gateway.spec.parent / "tierline.db")) as opened:
        yield opened


def shadow_of(gateway: Running, said: Said) -> Shadowed:
    with ledger(gateway) as opened:
        (row,) = until(lambda: opened.shadows.of(said.headers["x-tierline-decision"]))
    return row


def labels_of(gateway: Running, said: Said) -> list[Label]:
    with ledger(gateway) as opened:
        return opened.labels.of(said.headers["x-tierline-decision"])


def metric(gateway: Running, name: str, **labels: str) -> float:
    for line in gateway.ask("GET", "/metrics", headers=ADMIN).body.decode().splitlines():
        if line.startswith(name) and all(f'{label}="{value}"' in line for label, value in labels.items()):
            return float(line.rpartition(" ")[2])
    return 0.0


def test_a_shadow_is_asked_the_same_and_its_answer_is_compared_blind_in_both_orders(gateway: Running, upstream: Upstream) -> None:
    said = ask(gateway, "compared", temperature=0.25)
    assert said.json["choices"][0]["message"]["content"] == "mini here"
    row, shadow = row_of(gateway, said), shadow_of(gateway, said)
    assert row.decision.shadows == ("big",)
    (beside,) = upstream.asked("big")
    assert (beside["messages"], beside["temperature"]) == (upstream.asked("mini")[0]["messages"], 0.25)
    prompts = [body["messages"][-1]["content"] for body in upstream.asked("fair")]
    shown = [re.findall(r"<answer \d>\n(.*?)\n</answer \d>", prompt) for prompt in prompts]
    assert shown == [["mini here", "big here"], ["big here", "mini here"]]
    assert not any(word in prompt for prompt in prompts for word in ("shadow", "client", "auto/compared")), "it is not told whose they are"
    assert (shadow.model, shadow.against, shadow.ok, shadow.judgement, shadow.share) == ("big", "mini", True, "won", 1.0)


def test_the_client_neither_waits_nor_pays_for_it(gateway: Running, upstream: Upstream) -> None:
    said = ask(gateway, "compared")
    row, shadow = row_of(gateway, said), shadow_of(gateway, said)
    assert row.cost == pytest.approx(100 / 1e6) and said.headers["x-tierline-cost"] == f"{row.cost:.8f}"
    assert shadow.cost == pytest.approx((100 * 10 + 2 * 100) / 1e6) and shadow.judging == pytest.approx(200 / 1e6)
    assert metric(gateway, "tierline_cost_usd_total", model="big") == 0
    assert metric(gateway, "tierline_shadow_cost_usd_total", model="big") >= shadow.cost


def test_what_validators_and_the_judge_say_are_labels_of_both_answers(gateway: Running) -> None:
    said = ask(gateway, "compared")
    shadow_of(gateway, said)
    labels = labels_of(gateway, said)
    checked = [(label.model, label.score, label.by) for label in labels if label.source == "validator"]
    assert checked == [("big", 1.0, "all/pattern"), ("big", 1.0, "all/max_chars")]
    judged = [label for label in labels if label.source == "judge"]
    assert [(label.model, label.score, label.trust) for label in judged] == [("big", 1.0, 0.0), ("mini", 0.0, 0.0)]
    assert all(re.fullmatch(r"fair@[0-9a-f]{12}", label.by) for label in judged)
    assert judged[0].note == "pairwise, blind; both orders agreed; against mini"


def test_a_judge_that_goes_by_the_place_disagrees_with_itself_and_nobody_wins(gateway: Running) -> None:
    said = ask(gateway, "biased")
    assert shadow_of(gateway, said).judgement == "disagreed"
    judged = [(label.model, label.score, label.note.split("; ")[1]) for label in labels_of(gateway, said) if label.source == "judge"]
    assert judged == [("big", 0.5, "the orders disagreed"), ("mini", 0.5, "the orders disagreed")]
    assert metric(gateway, "tierline_judgements_total", judgement="disagreed", task="all") >= 1


def test_a_judge_that_does_not_say_labels_nothing(gateway: Running) -> None:
    said = ask(gateway, "unread")
    assert shadow_of(gateway, said).judgement == "unread"
    assert {label.source for label in labels_of(gateway, said)} == {"validator"}


def test_where_the_judge_does_not_answer_nothing_is_compared(gateway: Running, upstream: Upstream) -> None:
    said = ask(gateway, "unjudged")
    shadow = shadow_of(gateway, said)
    assert (shadow.ok, shadow.passed, shadow.judgement, shadow.judging) == (True, True, "", 0.0)
    assert len(upstream.asked("broken")) == 1, "it is not asked in the other order"
    assert metric(gateway, "tierline_shadows_skipped_total", model="broken", why="judge") == 1


def test_answers_that_say_the_same_need_no_judge(gateway: Running, upstream: Upstream) -> None:
    said = ask(gateway, "alike")
    assert (shadow_of(gateway, said).judgement, upstream.asked("fair")) == ("same", [])
    assert {label.source for label in labels_of(gateway, said)} == {"validator"}


@pytest.mark.parametrize("route", ["compared", "streamed"])
def test_a_stream_is_compared_by_what_its_client_got_and_the_shadow_is_asked_whole(
    gateway: Running, upstream: Upstream, route: str
) -> None:
    said = ask(gateway, route, stream=True, stream_options={"include_usage": True}, store=True)
    assert b"mini here" in said.body and said.body.endswith(b"data: [DONE]\n\n")
    assert shadow_of(gateway, said).judgement == "won"
    assert not {"stream", "stream_options", "store"} & upstream.asked("big")[0].keys()
    row_of(gateway, said)


def test_a_model_of_another_dialect_is_asked_by_way_of_a_translation(gateway: Running, upstream: Upstream) -> None:
    said = ask(gateway, "translated")
    assert shadow_of(gateway, said).judgement == "won"
    assert "max_tokens" in upstream.asked("opus")[0]


WORDS = "Tell me of it."
CLIENTS: list[tuple[str, dict[str, Any]]] = [
    ("/v1/chat/completions", {"model": "auto/compared", "messages": [{"role": "user", "content": WORDS}]}),
    ("/v1/responses", {"model": "auto/compared", "input": WORDS}),
    ("/v1/messages", {"model": "auto/compared", "max_tokens": 50, "messages": [{"role": "user", "content": WORDS}]}),
    ("/v1beta/models/auto%2Fcompared", {"contents": [{"role": "user", "parts": [{"text": WORDS}]}]}),
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("path", "body"), CLIENTS)
def test_a_client_of_any_format_may_be_shadowed(
    gateway: Running, upstream: Upstream, path: str, body: dict[str, Any], stream: bool
) -> None:
    if "v1beta" in path:
        path += ":streamGenerateContent" if stream else ":generateContent"
    elif stream:
        body = {**body, "stream": True}
    said = gateway.ask("POST", path, body, ADMIN)
    assert said.status == 200 and b"mini here" in said.body
    assert shadow_of(gateway, said).judgement == "won"
    assert [prompt["messages"][-1]["content"].count(WORDS) for prompt in upstream.asked("fair")] == [1, 1]
    row_of(gateway, said)


def test_calls_of_tools_are_compared_as_calls(gateway: Running, upstream: Upstream) -> None:
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
    said = ask(gateway, "compared", tools=[tool])
    shadow_of(gateway, said)
    assert '[calls look with {"at": "mini"}]' in upstream.asked("fair")[0]["messages"][-1]["content"]


def test_a_shadow_that_hangs_or_fails_leaves_the_client_alone(gateway: Running, upstream: Upstream) -> None:
    for route in ("hanging", "failing"):
        began = time.monotonic()
        said = ask(gateway, route)
        assert said.status == 200 and time.monotonic() - began < 5
        assert said.headers["x-tierline-attempts"] == "1"
    until(lambda: upstream.asked("hung"))
    assert ask(gateway, "auto").status == 200, "while one hangs, others are answered"
    upstream.release.set()
    failed = shadow_of(gateway, said)
    assert (failed.ok, failed.error, failed.cost) == (False, "rate_limited", 0.0)
    asked = len(upstream.asked("broken"))
    ask(gateway, "failing")
    until(lambda: metric(gateway, "tierline_shadows_skipped_total", model="broken", why="quiet"))
    assert len(upstream.asked("broken")) == asked, "who has too much to do is left alone for a while"
    assert gateway.ask("GET", "/health/readiness").json["status"] == "ready"


def test_a_client_gets_the_place_of_a_shadow_at_once(gateway: Running, upstream: Upstream) -> None:
    upstream.release.clear()
    said = ask(gateway, "single")
    until(lambda: upstream.asked("single"))
    assert metric(gateway, "tierline_shadows_running") >= 1
    began = time.monotonic()
    direct = gateway.chat("single", ADMIN)
    assert direct.status == 200 and direct.headers["x-tierline-model"] == "single" and time.monotonic() - began < 5
    assert row_of(gateway, direct).view.load == {}, "routing does not see shadows"
    shadow = shadow_of(gateway, said)
    assert (shadow.ok, shadow.error) == (False, "cancelled") and shadow.cost > 0, "what was sent is paid for"
    upstream.release.set()
    until(lambda: metric(gateway, "tierline_shadows_running") == 0)


def test_what_governance_or_the_key_forbids_is_never_shadowed(gateway: Running, upstream: Upstream) -> None:
    risky = ask(gateway, "compared", {**ADMIN, "x-tierline-risk": "high"})
    narrow = ask(gateway, "compared", {"authorization": f"Bearer {KEYS['NARROW']}"})
    private = ask(gateway, "private", {**ADMIN, "x-tierline-sensitivity": "phone"})
    assert [row_of(gateway, said).decision.shadows for said in (risky, narrow, private)] == [(), (), ()]
    governed = ask(gateway, "governed", {**ADMIN, "x-tierline-sensitivity": "pii"})
    assert governed.headers["x-tierline-model"] == "home", "nobody else may see it"
    assert row_of(gateway, governed).decision.shadows == ()
    assert upstream.asked("big") == []


def test_a_request_that_would_do_something_twice_is_not_asked_twice(gateway: Running, upstream: Upstream) -> None:
    ask(gateway, "compared", web_search_options={})
    until(lambda: metric(gateway, "tierline_shadows_skipped_total", model="big", why="provider_tools"))
    assert upstream.asked("big") == []


def test_embeddings_and_dry_runs_have_no_shadow(gateway: Running, upstream: Upstream) -> None:
    body = {"model": "auto/compared", "messages": [{"role": "user", "content": "Hello"}]}
    assert gateway.ask("POST", "/v1/route", body, ADMIN).json["decision"]["shadows"] == ["big"]
    assert upstream.seen == []


def test_validators_can_be_left_out(gateway: Running) -> None:
    said = ask(gateway, "unchecked")
    shadow = shadow_of(gateway, said)
    assert (shadow.passed, shadow.verdicts, shadow.judgement, labels_of(gateway, said)) == (None, (), "", [])


def test_the_days_cap_holds_and_a_process_that_starts_later_does_not_begin_it_anew(
    gateway: Running, tmp_path: Path, upstream: Upstream
) -> None:
    shadow_of(gateway, ask(gateway, "poor", max_tokens=20))
    ask(gateway, "poor", max_tokens=20)
    until(lambda: metric(gateway, "tierline_shadows_skipped_total", model="big", why="budget"))
    assert len(upstream.asked("big")) == 1
    spec = tmp_path / "tierline.yaml"
    spec.write_text(SPEC.format(port=upstream.server_port))
    with serving(spec, "--log", str(gateway.spec.parent / "tierline.db"), **KEYS) as later:
        ask(later, "poor", max_tokens=20)
        until(lambda: metric(later, "tierline_shadows_skipped_total", model="big", why="budget"))
    assert len(upstream.asked("big")) == 1


def test_stopping_ends_what_runs_beside_and_writes_down_what_it_cost(tmp_path: Path, upstream: Upstream) -> None:
    upstream.release.clear()
    spec = tmp_path / "tierline.yaml"
    spec.write_text(SPEC.format(port=upstream.server_port))
    with serving(spec, **KEYS) as running:
        said = ask(running, "hanging")
        until(lambda: upstream.asked("hung"))
        began = time.monotonic()
        assert running.stop() == 0 and time.monotonic() - began < 10
    upstream.release.set()
    shadow = shadow_of(running, said)
    assert (shadow.ok, shadow.error) == (False, "cancelled") and shadow.cost > 0


def test_a_reload_leaves_what_runs_to_end_and_begins_nothing_of_the_old_spec(tmp_path: Path, upstream: Upstream) -> None:
    upstream.release.clear()
    spec = tmp_path / "tierline.yaml"
    spec.write_text(SPEC.format(port=upstream.server_port))
    with serving(spec, **KEYS) as running:
        asked = [ask(running, "hanging") for _ in range(OF_ONE + 2)]
        until(lambda: len(upstream.asked("hung")) == OF_ONE)
        spec.write_text(spec.read_text().replace("hanging: {task: all, shadow", "hanging: {task: all}\n  renamed: {task: all, shadow"))
        assert running.ask("POST", "/admin/reload", headers=ADMIN).status == 200
        until(lambda: metric(running, "tierline_shadows_skipped_total", model="hung", why="reloaded") == 2)
        upstream.release.set()
        with ledger(running) as opened:
            until(lambda: sum(len(opened.shadows.of(said.headers["x-tierline-decision"])) for said in asked) == OF_ONE)
        assert row_of(running, ask(running, "hanging")).decision.shadows == ()


def test_neither_log_nor_ledger_nor_output_holds_a_word_of_anybody(gateway: Running) -> None:
    shadow_of(gateway, ask(gateway, "compared"))
    with contextlib.closing(sqlite3.connect(gateway.spec.parent / "tierline.db")) as log:
        rows = [repr(row) for table in ("decisions", "shadows", "labels") for row in log.execute(f"SELECT * FROM {table}")]
    told = "".join(rows) + gateway.output + gateway.ask("GET", "/metrics", headers=ADMIN).body.decode()
    assert rows and SECRET not in told and "big here" not in told
