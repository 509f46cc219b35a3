"""Upstreams that fail: what the client sees, and what the log says of it."""

from __future__ import annotations

import http.client
import json
import socket

from server.harness import HOST, Running, Said, until
from server.upstream import Upstream


def stream(running: Running, model: str, headers: dict[str, str] | None = None) -> Said:
    return running.chat(model, headers, stream=True)


def words(said: Said) -> str:
    events = [line[6:] for line in said.body.decode().split("\n\n") if line.startswith("data: {")]
    chunks = [json.loads(event) for event in events]
    return "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks if chunk.get("choices"))


def test_a_stream_cut_before_its_first_content_fails_over_unseen(faults: Running) -> None:
    said = stream(faults, "tier/early")
    assert said.status == 200
    assert words(said) == "Hello there."
    assert said.body.endswith(b"data: [DONE]\n\n")
    assert (said.headers["x-tierline-model"], said.headers["x-tierline-attempts"]) == ("early-2", "2")
    row = faults.record(said.headers["x-tierline-decision"])
    assert [(tried.target, tried.cause, tried.ok) for tried in row.tried] == [("early-1", "first", False), ("early-2", "fallback", True)]


def test_a_stream_cut_after_it_ends_with_an_error_event_and_a_truncated_row(faults: Running, upstream: Upstream) -> None:
    others = upstream.seen["steady"]
    said = stream(faults, "tier/late")
    last = said.body.decode().rstrip().split("\n\n")[-1]
    assert words(said).startswith("Hel")
    assert json.loads(last.removeprefix("data: "))["error"]["code"] == "upstream_cut"
    assert b"[DONE]" not in said.body
    row = faults.record(said.headers["x-tierline-decision"])
    assert (row.truncated, row.tried[0].error, row.winner) == (True, "cut", 0)
    assert upstream.seen["steady"] == others, "no other model is asked once the client has seen content"


def test_when_all_fail_the_message_names_each_model_and_its_failure(faults: Running) -> None:
    said = faults.chat("tier/mixed")
    assert (said.status, said.error["code"]) == (502, "upstream_failed")
    assert all(part in said.error["message"] for part in ("mixed-1: malformed", "mixed-2: connect", "mixed-3: server (500)"))
    row = faults.record(said.headers["x-tierline-decision"])
    assert (row.status, row.winner, [tried.cause for tried in row.tried]) == (502, None, ["first", "fallback", "fallback", "retry"])


def test_a_stream_that_never_began_fails_with_a_proper_status(faults: Running) -> None:
    said = stream(faults, "tier/mixed")
    assert said.status == 502
    assert said.headers["content-type"] == "application/json"


def test_rate_limits_and_overload_carry_retry_after(faults: Running) -> None:
    hurried = {"x-tierline-latency-budget": "3s"}  # shorter than the wish: nothing is waited for
    limited = faults.chat("tier/busy", hurried)
    assert (limited.status, limited.headers["retry-after"]) == (429, "7")
    for _ in range(2):
        overloaded = faults.chat("status-503", hurried)
        assert (overloaded.status, overloaded.headers["retry-after"]) == (503, "7")


def test_an_upstream_that_cannot_be_reached_is_a_502(faults: Running) -> None:
    said = faults.chat("nobody")
    assert said.status == 502 and "nobody: connect" in said.error["message"]


def test_an_error_that_is_the_clients_own_passes_with_its_body_and_asks_nobody_else(faults: Running) -> None:
    said = faults.chat("status-400")
    assert said.status == 400
    assert said.error == {"message": "as asked", "type": "test", "param": "messages", "code": "asked"}
    assert faults.record(said.headers["x-tierline-decision"]).stopped == "bad_request"


def test_a_silent_upstream_ends_at_the_deadline(faults: Running) -> None:
    said = faults.chat("silent", {"x-tierline-latency-budget": "200ms"})
    assert (said.status, said.error["code"]) == (504, "deadline_exceeded")
    row = faults.record(said.headers["x-tierline-decision"])
    assert row.tried[0].error == "timeout" and 0.15 < row.tried[0].elapsed < 2


def test_a_silent_stream_ends_at_the_deadline(faults: Running) -> None:
    said = stream(faults, "silent", {"x-tierline-latency-budget": "200ms"})
    assert said.status == 504


def _ask_and_hang_up(faults: Running, upstream: Upstream, model: str, streamed: bool, wait_for: bytes) -> None:
    body = json.dumps({"model": model, "stream": streamed, "messages": [{"role": "user", "content": "Hi"}]}).encode()
    before = upstream.seen[model]
    with socket.create_connection((HOST, faults.port), 5) as client:
        head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
        client.sendall(head.encode() + body)
        seen = b""
        while wait_for not in seen:
            seen += client.recv(4096)
        until(lambda: upstream.seen[model] > before)


def test_a_client_that_leaves_a_stream_cancels_the_upstream(faults: Running, upstream: Upstream) -> None:
    upstream.gone.clear()
    _ask_and_hang_up(faults, upstream, "slow-stream", True, b"there.")
    assert upstream.gone.wait(5), "the upstream should have been let go"
    row = until(lambda: next((row for row in faults.rows() if row.tried and row.tried[0].target == "slow-stream"), None))
    assert (row.status, row.tried[0].error, row.error) == (499, "cancelled", "client_closed")
    assert row.tried[0].usage.estimated and row.tried[0].cost > 0


def test_a_client_that_leaves_while_it_waits_cancels_the_upstream_at_once(faults: Running, upstream: Upstream) -> None:
    upstream.gone.clear()
    _ask_and_hang_up(faults, upstream, "silent", False, b"")
    assert upstream.gone.wait(4), "its own time-out is five seconds"
    row = until(lambda: next((row for row in faults.rows() if row.status == 499 and row.tried[0].target == "silent"), None))
    assert row.stopped == "cancelled"


def test_every_request_that_was_decided_has_its_row(faults: Running) -> None:
    """The gateway never loses a row, whatever becomes of the request."""
    models = ["steady", "garbage", "tier/mixed", "tier/early", "status-400", "hangup", "cut-late"] * 3
    asked = [faults.chat(model, stream=number % 2 == 1) for number, model in enumerate(models)]
    decisions = {said.headers["x-tierline-decision"] for said in asked}
    assert len(decisions) == len(models)
    until(lambda: decisions <= {row.decision.request_id for row in faults.rows()})


def test_the_gateway_keeps_its_connections(faults: Running) -> None:
    connection = http.client.HTTPConnection(HOST, faults.port, timeout=5)
    for model in ("steady", "garbage", "steady"):
        body = json.dumps({"model": model, "messages": [{"role": "user", "content": "Hi"}]})
        connection.request("POST", "/v1/chat/completions", body)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == (502 if model == "garbage" else 200)
    connection.close()
