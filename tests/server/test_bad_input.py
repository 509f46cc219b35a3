"""Bad input: a clear error each, in the dialect's envelope, and the gateway stays up."""

from __future__ import annotations

import http.client
import socket

import pytest

from server.harness import HOST, Running

USER = [{"role": "user", "content": "Hello"}]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"{not json", "not valid JSON"),
        (b"", "JSON"),
        (b"[1, 2]", "must be a JSON object"),
        (b'{"model": "auto", "messages": [{"role": "user", "content": "\xff\xfe"}]}', "UTF-8"),
        (b'{"model": 7, "messages": []}', "model: expected"),
        (b'{"model": "auto", "messages": "hello"}', "messages: expected"),
        (b'{"model": "auto", "messages": []}', "at least one message"),
        (b'{"messages": [{"role": "user", "content": "x"}]}', "model: is missing"),
        (b"[" * 100_000, "limit"),
    ],
)
def test_a_body_that_cannot_be_read_is_named(fleet: Running, body: bytes, says: str) -> None:
    said = fleet.ask("POST", "/v1/chat/completions", body)
    assert said.status in {400, 413}
    assert says.lower() in said.error["message"].lower()
    assert fleet.chat().status == 200


def test_an_unknown_model_gets_the_nearest_name(fleet: Running) -> None:
    said = fleet.chat("minni")
    assert (said.status, said.error["code"]) == (404, "model_not_found")
    assert "mini" in said.error["message"]


def test_no_eligible_model_says_which_constraint_removed_which(fleet: Running) -> None:
    picture = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}]}]
    said = fleet.chat("auto", messages=picture)
    assert (said.status, said.error["code"]) == (400, "no_eligible_model")
    assert "mini: it cannot do vision" in said.error["message"]
    row = fleet.record(said.headers["x-tierline-decision"])
    assert (row.status, row.error, row.tried) == (400, "no_eligible_model", ())


def test_a_body_over_the_limit_is_refused_before_it_is_read(fleet: Running) -> None:
    connection = http.client.HTTPConnection(HOST, fleet.port, timeout=30)
    connection.putrequest("POST", "/v1/chat/completions")
    connection.putheader("content-length", str(10**9))
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 413
    assert b"65536" in answer.read()
    connection.close()


def test_a_chunked_body_over_the_limit_is_refused_while_it_comes(fleet: Running) -> None:
    connection = http.client.HTTPConnection(HOST, fleet.port, timeout=30)
    pieces = (b"x" * 16_384 for _ in range(5))
    connection.request("POST", "/v1/chat/completions", pieces, {"transfer-encoding": "chunked"}, encode_chunked=True)
    assert connection.getresponse().status == 413
    connection.close()


def test_a_chunked_body_within_the_limit_is_taken(fleet: Running) -> None:
    body = b'{"model": "auto", "messages": [{"role": "user", "content": "Hello"}]}'
    connection = http.client.HTTPConnection(HOST, fleet.port, timeout=30)
    connection.request(
        "POST", "/v1/chat/completions", iter([body[:20], body[20:]]), encode_chunked=True, headers={"transfer-encoding": "chunked"}
    )
    assert connection.getresponse().status == 200
    connection.close()


def test_too_many_messages_are_refused(fleet: Running) -> None:
    said = fleet.chat(messages=USER * 51)
    assert said.status == 400 and "limit of 50" in said.error["message"]


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("x-tierline-latency-budget", "soon"),
        ("x-tierline-latency-budget", "0"),
        ("x-tierline-max-cost", "-1"),
        ("x-tierline-max-cost", "nan"),
        ("x-tierline-explain", "maybe"),
        ("x-tierline-task", "no-such-task"),
        ("x-tierline-tier", "no-such-tier"),
    ],
)
def test_a_header_without_meaning_is_named(fleet: Running, header: str, value: str) -> None:
    said = fleet.chat(headers={header: value})
    assert said.status == 400
    assert header.removeprefix("x-tierline-").split("-")[0] in said.error["message"]


def test_unknown_paths_and_wrong_methods_are_told_apart(fleet: Running) -> None:
    assert fleet.ask("GET", "/v1/nothing").status == 404
    wrong = fleet.ask("GET", "/v1/chat/completions")
    assert (wrong.status, wrong.headers["allow"]) == (405, "POST")
    assert fleet.ask("HEAD", "/").status == 200


def test_a_wrong_content_type_is_tolerated(fleet: Running) -> None:
    assert fleet.chat(headers={"content-type": "text/plain"}).status == 200


def test_what_is_not_http_and_endless_headers_do_no_harm(fleet: Running) -> None:
    for sent in (b"\x16\x03\x01\x02garbage\r\n\r\n", b"GET / HTTP/1.1\r\nx: " + b"a" * 200_000 + b"\r\n\r\n"):
        with socket.create_connection((HOST, fleet.port), 5) as raw:
            raw.sendall(sent)
            assert raw.recv(100)[:12] in {b"HTTP/1.1 400", b"HTTP/1.1 431", b""}
    assert fleet.chat().status == 200


def test_header_values_are_plain_whatever_the_names(fleet: Running) -> None:
    said = fleet.chat(headers={"x-tierline-tags": "ä\xff".encode("latin-1").decode("latin-1")})
    assert said.status in {200, 400}
    assert all(value.isascii() and value.isprintable() for value in said.headers.values())
