"""A service, asked over real sockets."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from answerers.asking import answers, spec
from tierline.answerers.http import Http
from tierline.types.access import Source
from tierline.types.errors import AnswererFailure

PATTERN = "(?i)what is (?P<topic>[^?]+)"
HANGS = threading.Event()


class Service(BaseHTTPRequestHandler):
    """Says back what it was asked; its path says how."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._say({name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()})

    def do_POST(self) -> None:
        self._say(json.loads(self.rfile.read(int(self.headers["content-length"]))))

    def _say(self, asked: dict[str, Any]) -> None:
        how = urlsplit(self.path).path.strip("/")
        if how == "hang":
            HANGS.wait(10)
        status = int(how) if how.isdecimal() else 200
        hits = [{"text": f"{asked.get('topic')} is nice", "price": 2.5, "none": None, "sure": True, "list": []}]
        body = {"large": b"x" * 5000, "text": b" just words \n", "garbage": b"{"}.get(how) or json.dumps(
            {"hits": hits, "asked": asked, "token": self.headers.get("x-token"), "": ""}
        ).encode()
        with contextlib.suppress(ConnectionError):  # whoever asked may not have waited
            self._send(status, body)

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        if status == 302:
            self.send_header("location", "/text")
        self.send_header("content-length", str(0 if status == 204 else len(body)))
        self.end_headers()
        if status != 204:
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    HANGS.set()
    server.shutdown()
    server.server_close()


def tool(url: str, answer: str = "hits.0.text", method: str = "GET", **entry: Any) -> Http:
    source = Source("search", url, method=method, headers=(("x-token", "secret-token"),))
    return Http({"http": "search", "pattern": PATTERN, "answer": answer, "timeout": "2s", **entry}, spec(search=source))


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_groups_are_sent_and_what_stands_at_the_place_is_the_answer(address: str, method: str) -> None:
    assert answers(tool(address, method=method), "So what is a tea pot & co=1?") == "a tea pot & co=1 is nice"
    assert answers(tool(address, "token", method=method), "what is it") == "secret-token"


@pytest.mark.parametrize(("place", "words"), [("hits.0.price", "2.5"), ("hits.0.sure", "true"), ("asked.topic", "tea")])
def test_numbers_and_truths_are_said_in_words(address: str, place: str, words: str) -> None:
    assert answers(tool(address, place), "what is tea?") == words


def test_without_a_place_the_body_is_the_answer(address: str) -> None:
    assert answers(tool(address + "text", ""), "what is tea?") == "just words"


@pytest.mark.parametrize("place", ["hits.1.text", "hits.x", "nowhere.at.all", "hits.0.none", "hits.0.text.more"])
def test_a_place_that_is_not_there_is_not_known(address: str, place: str) -> None:
    assert answers(tool(address, place), "what is tea?") is None


def test_what_the_pattern_does_not_match_is_not_asked() -> None:
    assert answers(tool("http://127.0.0.1:1/"), "who is there?") is None


@pytest.mark.parametrize("status", ["204", "404"])
def test_a_service_that_says_it_has_nothing_is_not_an_error(address: str, status: str) -> None:
    assert answers(tool(address + status), "what is tea?") is None


@pytest.mark.parametrize(
    ("path", "place", "said"),
    [
        ("500", "hits.0.text", "status 500"),
        ("302", "", "status 302"),
        ("garbage", "a", "not JSON"),
        ("", "hits.0.list", "no text"),
        ("large", "", "over the limit of 1024"),
    ],
)
def test_a_failure_says_what_is_wrong_and_quotes_nothing(address: str, path: str, place: str, said: str) -> None:
    with pytest.raises(AnswererFailure, match=said) as told:
        answers(tool(address + path, place, max_bytes="1KB"), "what is tea?")
    assert "tea" not in told.value.message and "secret" not in told.value.message


def test_a_service_that_is_not_there_or_hangs_is_told(address: str) -> None:
    with pytest.raises(AnswererFailure, match="cannot be reached"):
        answers(tool("http://127.0.0.1:1/"), "what is tea?")
    with pytest.raises(AnswererFailure, match="in time"):
        answers(tool(address + "hang", timeout="100ms"), "what is tea?")
