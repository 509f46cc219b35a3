"""Where the gateway goes: to the addresses of its spec and nowhere else, whatever a client writes."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server.harness import HOST, Running, Said, serving

SPEC = """
version: 1
providers:
  up: {{dialect: openai_chat, base_url: "http://127.0.0.1:{up}/v1/", api_key: "${{UP}}", timeout: 3s}}
  other: {{dialect: anthropic_messages, base_url: "http://127.0.0.1:{up}", api_key: "${{UP}}", timeout: 3s}}
models:
  near: {{provider: up, tier: fast, price: {{input: 1, output: 2}}, context: 100000, capabilities: [tools, vision, json_schema]}}
  claude: {{provider: other, tier: best, price: {{input: 2, output: 3}}, context: 100000, capabilities: [tools, vision]}}
tiers: [fast, best]
sources:
  search: {{url: "http://127.0.0.1:{up}/found"}}
  moved: {{url: "http://127.0.0.1:{up}/moved"}}
routes:
  auto: {{}}
  asking: {{tools_first: [{{http: search, pattern: '^find (?P<q>(?s:.*))$', answer: a}}]}}
  leading: {{tools_first: [{{http: moved, pattern: '^find (?P<q>.*)$', answer: a}}]}}
"""


class Seen(http.server.BaseHTTPRequestHandler):
    """Notes what it is asked; `server.seen` is the list."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._note()

    def do_POST(self) -> None:
        self._note()

    def _note(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.server.seen.append((self.command, self.path, self.headers["host"], self.headers.get("authorization", ""), body))  # type: ignore[attr-defined]
        leads = self.path.startswith(("/moved", "/v1/moved")) or b"lead me away" in body
        said = json.dumps(
            {
                "a": "found",
                "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
                "type": "message",
                "content": [{"type": "text", "text": "hi"}],
                "stop_reason": "end_turn",
                "usage": {"prompt_tokens": 1, "completion_tokens": 1, "input_tokens": 1, "output_tokens": 1},
            }
        ).encode()
        self.send_response(307 if leads else 200)
        if leads:
            self.send_header("location", f"http://{HOST}:{self.server.elsewhere}/v1/stolen")  # type: ignore[attr-defined]
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed."""


class Listener(http.server.ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__((HOST, 0), Seen)
        self.seen: list[tuple[str, str, str, str, bytes]] = []
        self.elsewhere = 0
        self.daemon_threads = True
        self.thread = threading.Thread(target=self.serve_forever, daemon=True)
        self.thread.start()

    def end(self) -> None:
        self.shutdown()
        self.server_close()


@pytest.fixture(scope="module")
def canary() -> Iterator[Listener]:
    """An address that nobody has reason to call."""
    listening = Listener()
    yield listening
    listening.end()


@pytest.fixture(scope="module")
def upstream(canary: Listener) -> Iterator[Listener]:
    listening = Listener()
    listening.elsewhere = canary.server_port
    yield listening
    listening.end()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, upstream: Listener) -> Iterator[Running]:
    spec = tmp_path_factory.mktemp("reaching") / "tierline.yaml"
    spec.write_text(SPEC.format(up=upstream.server_port))
    with serving(spec, UP="sk-upstream-0123456789abcdef", HTTP_PROXY="http://127.0.0.1:1", http_proxy="http://127.0.0.1:1") as running:
        yield running


def lures(canary: Listener) -> list[str]:
    return [
        f"http://{HOST}:{canary.server_port}/x.png",
        f"HTTP://{HOST}:{canary.server_port}/x.png?a=1#b",
        f"http://127.1:{canary.server_port}/x.png",
        f"http://[::ffff:127.0.0.1]:{canary.server_port}/",
        "http://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_INFO",
    ]


def asked(gateway: Running, url: str, model: str) -> list[Said]:
    """One request in each format that can carry an address of a picture, a file or a tool."""
    headers = {"anthropic-version": "2023-06-01"}
    parts = [{"type": "text", "text": "what is this"}, {"type": "image_url", "image_url": {"url": url}}]
    tools = [{"type": "mcp", "server_url": url}, {"type": "function", "function": {"name": "f", "parameters": {"$ref": url}}}]
    shape = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"$ref": url}}}
    block = {"type": "image", "source": {"type": "url", "url": url}}
    words = [{"role": "user", "content": parts}]
    return [
        gateway.ask("POST", "/v1/chat/completions", {"model": model, "messages": words}),
        gateway.ask("POST", "/v1/chat/completions", {"model": model, "messages": words, "stream": True}),
        gateway.ask("POST", "/v1/chat/completions", {"model": model, "messages": words[:1], "tools": tools}),
        gateway.ask("POST", "/v1/chat/completions", {"model": model, "messages": words[:1], "response_format": shape}),
        gateway.ask(
            "POST", "/v1/responses", {"model": model, "input": [{"role": "user", "content": [{"type": "input_image", "image_url": url}]}]}
        ),
        gateway.ask("POST", "/v1/messages", {"model": model, "max_tokens": 9, "messages": [{"role": "user", "content": [block]}]}, headers),
        gateway.ask(
            "POST",
            f"/v1beta/models/{model}:generateContent",
            {"contents": [{"role": "user", "parts": [{"fileData": {"fileUri": url, "mimeType": "image/png"}}, {"text": "hi"}]}]},
        ),
    ]


@pytest.mark.parametrize("model", ["near", "claude"])
def test_no_address_that_a_client_writes_is_ever_fetched(gateway: Running, upstream: Listener, canary: Listener, model: str) -> None:
    statuses = {said.status for url in lures(canary) for said in asked(gateway, url, model)}
    assert 200 in statuses and upstream.seen  # they were passed on, for the upstream to fetch or refuse
    assert canary.seen == []


@pytest.mark.parametrize(
    "header",
    [
        "x-forwarded-host",
        "x-tierline-base-url",
        "x-base-url",
        "openai-base-url",
        "api-base",
        "x-tierline-provider",
        "x-portkey-custom-host",
        "host",
    ],
)
def test_no_header_or_field_says_where_a_call_goes(gateway: Running, upstream: Listener, canary: Listener, header: str) -> None:
    there = f"{HOST}:{canary.server_port}"
    before = len(upstream.seen)
    extra = dict.fromkeys(("api_base", "base_url", "api_key", "custom_llm_provider", "proxy", "endpoint"), f"http://{there}/v1")
    said = gateway.chat("near", headers={header: there if header == "host" else f"http://{there}"}, **extra)
    assert said.status == 200
    method, path, host, key, _ = upstream.seen[before]
    assert (method, path, host) == ("POST", "/v1/chat/completions", f"{HOST}:{upstream.server_port}")
    assert key == "Bearer sk-upstream-0123456789abcdef"
    assert canary.seen == []


@pytest.mark.parametrize("name", ["near/../../moved", "up/..%2f..%2fx", "near?x=1", "http://x/near", "up/http://x", "near#", "//near"])
def test_no_name_of_a_model_becomes_part_of_an_address(gateway: Running, upstream: Listener, canary: Listener, name: str) -> None:
    before = len(upstream.seen)
    assert gateway.chat(name).status in (400, 404)
    assert len(upstream.seen) == before and canary.seen == []


def test_a_provider_that_redirects_is_not_followed(gateway: Running, canary: Listener) -> None:
    said = gateway.chat("near", messages=[{"role": "user", "content": "lead me away"}])
    assert said.status == 502
    assert canary.seen == []


GROUPS = [
    "plain", "../../../etc/passwd", "@127.0.0.1:1/", "x@evil.example", "http://evil.example/", "//evil.example", "?q=2&admin=1",
    "#frag",
    "%2e%2e%2f",    "a\r\nhost: evil.example", "a\r\n\r\nGET /moved HTTP/1.1", "\x00", "a\u2028b", "&a=b", ";a=b", "\\..\\", "x" * 5000,
]  # fmt: skip


@pytest.mark.parametrize("words", GROUPS, ids=lambda words: ascii(words[:20]))
def test_a_group_fills_a_field_and_changes_neither_host_nor_path(
    gateway: Running, upstream: Listener, canary: Listener, words: str
) -> None:
    before = len(upstream.seen)
    said = gateway.chat("auto/asking", messages=[{"role": "user", "content": f"find {words}"}])
    assert said.status == 200
    first = upstream.seen[before]
    assert first[0] == "GET" and first[2] == f"{HOST}:{upstream.server_port}"
    path, _, query = first[1].partition("?")
    assert path == "/found" and query.startswith("q=") and "&" not in query and "#" not in query
    assert canary.seen == []


def test_an_answerer_that_redirects_is_not_followed_and_the_models_answer(gateway: Running, canary: Listener) -> None:
    said = gateway.chat("auto/leading", messages=[{"role": "user", "content": "find x"}])
    assert (said.status, said.headers["x-tierline-model"]) == (200, "near")
    assert canary.seen == []


def test_what_was_refused_names_no_address_of_a_provider(gateway: Running, upstream: Listener) -> None:
    said = gateway.chat("near", messages=[{"role": "user", "content": "lead me away"}])
    assert str(upstream.server_port) not in said.body.decode() and "sk-upstream" not in said.body.decode()


def test_the_spec_stays_where_it_is(gateway: Running) -> None:
    """No endpoint takes a path of a file."""
    for path in ("/admin/spec?path=/etc/passwd", "/admin/reload?path=/etc/passwd"):
        said = gateway.ask("POST" if "reload" in path else "GET", path)
        assert said.status == 200 and b"root:" not in said.body
    assert Path(gateway.ask("GET", "/admin/spec").json["path"]) == gateway.spec
