"""The pin command against a gateway's admin API, over a real socket."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest


class Gateway(HTTPServer):
    """Answers as the admin API does, and remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str, Any]] = []
        self.pins: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Gateway

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        asked = json.loads(body) if body else None
        self.server.asked.append((self.command, self.path, asked))
        if self.headers.get("authorization") != "Bearer secret":
            self.answer(401, {"error": {"message": "no key"}})
        elif self.command == "POST" and asked["model"] == "nope":
            self.answer(404, {"error": {"message": "the spec has no model 'nope'"}})
        elif self.command == "POST":
            self.answer(200, {**asked, "until": 1_790_000_000.0, "by": "ops"})
        elif self.command == "DELETE":
            self.answer(200, {})
        else:
            self.answer(200, {"pins": self.server.pins})

    do_POST = do_DELETE = do_GET  # noqa: N815  # the names that the server calls

    def answer(self, status: int, body: dict[str, Any]) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def run(*arguments: str, url: str, key: str = "secret", code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tierline", "pin", *arguments, "--url", url],
        capture_output=True,
        text=True,
        check=False,
        env={"TIERLINE_ADMIN_KEY": key, "PATH": ""},
    )
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


def test_a_pin_is_asked_for_in_seconds_with_its_reason(gateway: Gateway) -> None:
    said = run("auto", "sonnet", "--for", "30m", "--why", "mini is failing", url=gateway.url)
    assert "route auto is pinned to sonnet until 2026-" in said
    assert gateway.asked == [("POST", "/admin/pins", {"route": "auto", "model": "sonnet", "for": 1800.0, "why": "mini is failing"})]


def test_pins_are_listed_with_their_end(gateway: Gateway) -> None:
    assert "no route is pinned" in run("--list", url=gateway.url)
    gateway.pins.append({"route": "auto", "model": "sonnet", "until": 1_790_000_000.0, "by": "ops", "why": "incident"})
    assert "incident" in run("--list", url=gateway.url)
    assert json.loads(run("--list", "--json", url=gateway.url))["pins"] == gateway.pins


def test_a_pin_can_be_ended(gateway: Gateway) -> None:
    assert "has ended" in run("--end", "auto/hr", url=gateway.url)
    assert gateway.asked == [("DELETE", "/admin/pins/auto%2Fhr", None)]


def test_a_refusal_is_told_in_the_gateway_s_words(gateway: Gateway) -> None:
    assert "the spec has no model 'nope'" in run("auto", "nope", "--why", "x", url=gateway.url, code=2)
    assert "TIERLINE_ADMIN_KEY" in run("--list", url=gateway.url, key="wrong", code=2)


def test_a_gateway_that_is_not_there_is_said() -> None:
    assert "is it running?" in run("--list", url="http://127.0.0.1:9", code=2)
    assert "write http://host:port" in run("--list", url="file:///etc/passwd", code=2)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("auto",), "name a route and a model"),
        (("auto", "sonnet"), "say why"),
        (("auto", "sonnet", "--why", "x", "--for", "soon"), "no duration"),
        (("auto", "sonnet", "--why", "x", "--for", "0s"), "longer than nothing"),
    ],
)
def test_what_is_missing_is_asked_for_before_anything_is_sent(gateway: Gateway, arguments: tuple[str, ...], said: str) -> None:
    assert said in run(*arguments, url=gateway.url, code=2)
    assert gateway.asked == []
