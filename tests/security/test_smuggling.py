"""Requests that two readers may read in two ways, and bodies that are more than they seem, over raw sockets."""

from __future__ import annotations

import json
import socket

import pytest

from security.guarded import SECRETS, Guarded, read
from server.harness import HOST

BODY = b'{"model": "mini", "messages": [{"role": "user", "content": "hi"}]}'
LENGTH = len(BODY)
KEY = b"authorization: Bearer " + SECRETS["CALLER"].encode() + b"\r\n"
POST = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n" + KEY
HIDDEN = b"GET /health/liveness HTTP/1.1\r\nhost: x\r\n\r\n"
CHUNKED = b"%x\r\n" % LENGTH + BODY + b"\r\n0\r\n\r\n"

REFUSED = {
    "two lengths that differ": POST + b"content-length: %d\r\ncontent-length: %d\r\n\r\n" % (LENGTH, LENGTH + 10) + BODY + HIDDEN,
    "a list of lengths": POST + b"content-length: %d, %d\r\n\r\n" % (LENGTH, LENGTH) + BODY,
    "a length with a sign": POST + b"content-length: +%d\r\n\r\n" % LENGTH + BODY,
    "a negative length": POST + b"content-length: -1\r\n\r\n" + BODY,
    "a hexadecimal length": POST + b"content-length: 0x40\r\n\r\n" + BODY,
    "a length past all numbers": POST + b"content-length: 99999999999999999999999\r\n\r\n" + BODY,
    "the largest length": POST + b"content-length: 18446744073709551615\r\n\r\n" + BODY,
    "an unknown coding": POST + b"transfer-encoding: xchunked\r\n\r\n" + CHUNKED,
    "chunked that is not last": POST + b"transfer-encoding: chunked, identity\r\n\r\n" + CHUNKED,
    "identity": POST + b"transfer-encoding: identity\r\ncontent-length: %d\r\n\r\n" % LENGTH + BODY,
    "a coding behind a vertical tab": POST + b"transfer-encoding: \x0bchunked\r\n\r\n" + CHUNKED,
    "a space before the colon": POST + b"transfer-encoding : chunked\r\ncontent-length: %d\r\n\r\n" % LENGTH + BODY,
    "chunks in HTTP/1.0": POST.replace(b"HTTP/1.1", b"HTTP/1.0") + b"transfer-encoding: chunked\r\n\r\n" + CHUNKED,
    "a chunk whose size is no number": POST + b"transfer-encoding: chunked\r\n\r\nzz\r\n" + BODY + b"\r\n0\r\n\r\n",
    "a chunk larger than all numbers": POST + b"transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n" + BODY,
    "a folded header": POST + b"x-tierline-task: greet\r\n ing\r\ncontent-length: %d\r\n\r\n" % LENGTH + BODY,
    "a folded length": POST + b"x-a: b\r\n\tcontent-length: 3\r\ncontent-length: %d\r\n\r\n" % LENGTH + BODY,
    "NUL in a value": POST + b"x-tierline-session: a\x00b\r\ncontent-length: %d\r\n\r\n" % LENGTH + BODY,
    "a bare carriage return": POST + b"x-tierline-session: a\rx-evil: 1\r\ncontent-length: %d\r\n\r\n" % LENGTH + BODY,
    "a space in the path": b"GET /health/liveness /admin/spec HTTP/1.1\r\nhost: x\r\n\r\n",
    "two hundred headers": b"GET /health/liveness HTTP/1.1\r\n" + b"".join(b"x-%d: 1\r\n" % n for n in range(200)) + b"\r\n",
    "a header of 200 KB": b"GET /health/liveness HTTP/1.1\r\nhost: x\r\nx: " + b"a" * 200_000 + b"\r\n\r\n",
    "a path of 200 KB": b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n",
    "TLS": bytes.fromhex("16030100c8010000c40303") + b"\r\n\r\n",
}


@pytest.mark.parametrize("sent", REFUSED.values(), ids=REFUSED)
def test_what_is_not_plain_http_is_refused_and_its_connection_closed(guarded: Guarded, sent: bytes) -> None:
    got = guarded.raw(sent)
    assert got[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 413", b"HTTP/1.1 431"), got[:200]
    assert got.count(b"HTTP/1.") <= 1
    assert b"alive" not in got


@pytest.mark.parametrize(
    "sent",
    [
        POST + b"content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n" + CHUNKED + HIDDEN,
        POST + b"transfer-encoding: chunked\r\ncontent-length: %d\r\n\r\n" % (len(CHUNKED) + len(HIDDEN)) + CHUNKED + HIDDEN,
        POST + b"content-length: 6\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    ],
)
def test_a_length_beside_chunks_is_refused_and_nothing_follows(guarded: Guarded, sent: bytes) -> None:
    got = guarded.raw(sent)
    assert got.startswith(b"HTTP/1.1 400") and got.count(b"HTTP/1.1 ") == 1 and b"alive" not in got


def test_a_length_beside_chunks_does_not_open_the_limit_of_bodies(guarded: Guarded) -> None:
    chunk = b"10000\r\n" + b"a" * 65536 + b"\r\n"
    with socket.create_connection((HOST, guarded.running.port), 5) as open_:
        open_.sendall(POST + b"content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n" + chunk * 5)
        assert open_.recv(100).startswith(b"HTTP/1.1 400")


def test_trailers_name_no_key_and_no_task(guarded: Guarded) -> None:
    no_key = (
        POST.replace(KEY, b"connection: close\r\n")
        + b"transfer-encoding: chunked\r\n\r\n"
        + CHUNKED[:-2]
        + KEY
        + b"x-tierline-task: greeting\r\n\r\n"
    )
    assert guarded.raw(no_key).startswith(b"HTTP/1.1 401")


def test_of_two_keys_in_one_request_none_adds_to_the_other(guarded: Guarded) -> None:
    boss = b"authorization: Bearer " + SECRETS["BOSS"].encode() + b"\r\n"
    for keys in (KEY + boss, boss + KEY):
        got = guarded.raw(b"GET /admin/keys HTTP/1.1\r\nhost: x\r\nconnection: close\r\n" + keys + b"\r\n")
        assert got.startswith((b"HTTP/1.1 200" if keys.startswith(boss) else b"HTTP/1.1 403", b"HTTP/1.1 401"))


@pytest.mark.parametrize(
    "path",
    ["/v1/../admin/keys", "/v1/%2e%2e/admin/keys", "//admin/keys", "/ADMIN/keys", "/admin/keys/", "/admin//keys", "/admin/keys;x=1",
     "/admin%2fkeys", "/%61dmin/keys", "/v1/models/../../admin/keys", "/admin/keys%00", "/admin/keys%20", "http://x/admin/keys"],
)  # fmt: skip
def test_no_spelling_of_a_path_opens_what_the_path_does_not(guarded: Guarded, path: str) -> None:
    for key, allowed in ((b"", (401, 404, 400)), (KEY, (403, 404, 400))):
        got = guarded.raw(b"GET " + path.encode() + b" HTTP/1.1\r\nhost: x\r\nconnection: close\r\n" + key + b"\r\n")
        assert int(got[9:12]) in allowed, got[:200]


@pytest.mark.parametrize("header", [b"x-original-url: /admin/keys", b"x-rewrite-url: /admin/keys", b"x-http-method-override: DELETE",
                                    b"x-forwarded-for: 127.0.0.1", b"forwarded: for=127.0.0.1", b"x-forwarded-user: boss"])  # fmt: skip
def test_no_header_takes_the_place_of_a_path_a_method_or_a_key(guarded: Guarded, header: bytes) -> None:
    got = guarded.raw(b"GET /v1/models HTTP/1.1\r\nhost: x\r\nconnection: close\r\n" + KEY + header + b"\r\n\r\n")
    assert got.startswith(b"HTTP/1.1 200") and b'"object":"list"' in got
    assert guarded.raw(b"GET /admin/keys HTTP/1.1\r\nhost: x\r\nconnection: close\r\n" + header + b"\r\n\r\n").startswith(b"HTTP/1.1 401")


def test_a_name_is_decoded_once(guarded: Guarded) -> None:
    for written, meant in (("a%2562", "a%62"), ("a%62", "ab"), ("a%252f%2562", "a%2f%62")):
        assert repr(meant) in guarded.ask("GET", f"/admin/keys/{written}").error["message"]


START = b'{"model": "auto", "messages": [{"role": "user", "content": "x"}], '
BOTTOMLESS = {
    "arrays": b"[" * 60_000,
    "objects": b'{"a":' * 30_000,
    "arrays in messages": b'{"model": "auto", "messages": ' + b"[" * 60_000 + b"]" * 60_000 + b"}",
    "arrays in a field that passes": START + b'"x": ' + b"[" * 60_000 + b"]" * 60_000 + b"}",
    "a schema within a schema": START + b'"response_format": {"type": "json_schema", '
    b'"json_schema": {"name": "a", "schema": ' + b'{"items": ' * 10_000 + b"{}" + b"}" * 10_000 + b"}}}",
    "a number of 100,000 digits": START + b'"max_tokens": ' + b"9" * 100_000 + b"}",
    "an exponent": START + b'"temperature": 1e999999999}',
    "tokens past all sense": START + b'"max_tokens": 99999999999999999999}',
    "many messages": b'{"model": "auto", "messages": [' + b",".join([b'{"role":"user","content":"x"}'] * 51) + b"]}",
    "many keys": json.dumps({"model": "auto", "messages": []} | {f"k{n}": n for n in range(10_000)}).encode(),
    "one long string": b'{"model": "auto", "messages": [{"role": "user", "content": "' + b"a" * 250_000 + b'"}]}',
}


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses", "/v1/messages", "/v1beta/models/auto:generateContent"])
@pytest.mark.parametrize("body", BOTTOMLESS.values(), ids=BOTTOMLESS)
def test_deep_huge_and_endless_json_is_answered_and_not_suffered(guarded: Guarded, path: str, body: bytes) -> None:
    said = guarded.ask("POST", path, body)
    assert said.status in (200, 400, 413), said.body[:300]


def test_bodies_over_the_limit_are_refused_however_they_come(guarded: Guarded) -> None:
    assert guarded.ask("POST", "/v1/chat/completions", b"a" * 300_000).status == 413
    assert guarded.raw(POST + b"content-length: 4000000000\r\n\r\n").startswith(b"HTTP/1.1 413")
    assert guarded.ask("POST", "/admin/keys", b"a" * 300_000).status == 413


def test_a_client_that_leaves_in_the_middle_of_its_body_is_no_incident(guarded: Guarded) -> None:
    for end in (b"content-length: 100\r\n\r\nabc", b"transfer-encoding: chunked\r\n\r\n5\r\nab"):
        with socket.create_connection((HOST, guarded.running.port), 5) as open_:
            open_.sendall(POST + end)
            open_.shutdown(socket.SHUT_WR)
            open_.settimeout(3)
            read(open_)
    assert guarded.lives() and "incident" not in guarded.running.output
