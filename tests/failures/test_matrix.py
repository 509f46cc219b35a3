"""Every fault × whole or stream × before or after the first content × a model of the client's format or of another, against two mock
providers of other authors: the client sees an answer or an honest error, the log says the truth, the cost is right."""

from __future__ import annotations

import json
from typing import Any

import pytest
from clients.upstreams import Upstream

from failures.peers import FORMATS, PRICES, Fresh, chaos, scripted, send, steady
from server.harness import Running, Said
from tierline.types.record import Record

WORDS = "one two three four five six seven eight nine ten eleven twelve"
LONG = {"type": "reply", "text": WORDS, "times": 1}

REFUSED = {500: "server", 502: "server", 503: "overloaded", 529: "overloaded", 429: "rate_limited", 401: "auth", 404: "not_found"}
"""Statuses that another provider may not give, and what the log calls them."""

SILENT = {
    "delay": ({"type": "delay", "seconds": 2.0}, "timeout"),
}
BROKEN = {
    "disconnect": "connect",
    "truncate": "malformed",
    "malformed": "malformed",
    "stall": "idle",
}
"""How a stream breaks off before its first content, and what the log calls it."""


def ask(gateway: Running, task: str, *, stream: bool, words: str = "Say something.") -> tuple[Said, Record]:
    body = {"model": "auto", "messages": [{"role": "user", "content": words}], "stream": stream}
    said = gateway.ask("POST", "/v1/chat/completions", body, {"x-tierline-task": task})
    return said, gateway.record(said.headers["x-tierline-decision"])


def told(said: Said, *, stream: bool) -> str:
    """The words that reached the client."""
    if not stream:
        return str(said.json["choices"][0]["message"]["content"])
    return "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in events(said) if chunk.get("choices"))


def events(said: Said) -> list[dict[str, Any]]:
    lines = [line[6:] for line in said.body.decode().split("\n\n") if line.startswith("data: {")]
    return [json.loads(line) for line in lines]


def paid(row: Record) -> float:
    """What the row's tokens cost at the list prices."""
    total = 0.0
    for tried in row.tried:
        price_in, price_out = PRICES[tried.target.split("-")[0]]
        total += (tried.usage.input * price_in + tried.usage.output * price_out) / 1e6
    return total


def stood_in(said: Said, row: Record, failing: str, other: str, error: str, *, stream: bool) -> None:
    """The client got a whole answer of the model that stood in, and the row says what happened."""
    assert said.status == 200, said.body
    assert told(said, stream=stream)
    assert not stream or said.body.endswith(b"data: [DONE]\n\n")
    assert said.headers["x-tierline-model"] == other
    assert [(tried.target, tried.cause, tried.ok) for tried in row.tried] == [(failing, "first", False), (other, "fallback", True)]
    assert row.tried[0].error == error
    assert (row.status, row.winner, row.truncated, row.flagged) == (200, 1, False, False)
    assert row.cost == pytest.approx(paid(row))
    assert row.tried[1].cost > 0


def broke_off(said: Said, row: Record, failing: str) -> None:
    """The client saw the beginning, then an error event; nobody else was asked, and what came is paid for."""
    assert said.status == 200
    assert WORDS.startswith(told(said, stream=True).rstrip()) and told(said, stream=True)
    assert "error" in events(said)[-1]
    assert b"[DONE]" not in said.body
    assert [tried.target for tried in row.tried] == [failing]
    assert (row.truncated, row.tried[0].ok, row.tried[0].error) == (True, False, "cut")
    assert row.cost == pytest.approx(paid(row))
    assert row.cost > 0


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("status", REFUSED)
def test_an_error_status_is_covered_by_the_other_provider(
    gateway: Running, fresh: Fresh, first: Upstream, second: Upstream, form: str, stream: bool, status: int
) -> None:
    failing = fresh.model("llmock", form)
    with scripted(first, {"type": "fail", "status": status}):
        said, row = ask(gateway, failing, stream=stream)
    stood_in(said, row, failing, steady("aimock", "same"), REFUSED[status], stream=stream)
    assert row.tried[0].status == status


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_an_upstream_that_keeps_silent_is_covered(
    gateway: Running, fresh: Fresh, first: Upstream, second: Upstream, form: str, stream: bool
) -> None:
    failing = fresh.model("llmock", form)
    with scripted(first, {"type": "delay", "seconds": 2.0}):
        said, row = ask(gateway, failing, stream=stream)
    stood_in(said, row, failing, steady("aimock", "same"), "timeout", stream=stream)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("kind", BROKEN)
def test_a_stream_that_breaks_before_its_first_content_is_covered(
    gateway: Running, fresh: Fresh, first: Upstream, second: Upstream, form: str, kind: str
) -> None:
    failing = fresh.model("llmock", form)
    fault = {"type": "stream_fault", "kind": kind, "after_chunks": 1, "stall_seconds": 2.0}
    with scripted(first, LONG, fault):
        said, row = ask(gateway, failing, stream=True)
    stood_in(said, row, failing, steady("aimock", "same"), row.tried[0].error, stream=True)
    assert row.tried[0].error in {"connect", "malformed", "timeout", "idle"}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("kind", BROKEN)
def test_a_stream_that_breaks_after_its_first_content_ends_with_an_error(
    gateway: Running, fresh: Fresh, first: Upstream, second: Upstream, form: str, kind: str
) -> None:
    failing = fresh.model("llmock", form)
    fault = {"type": "stream_fault", "kind": kind, "after_chunks": 6, "stall_seconds": 2.0}
    with scripted(first, LONG, fault):
        said, row = ask(gateway, failing, stream=True)
    broke_off(said, row, failing)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(
    ("rate", "errors"),
    [
        ("dropRate", {"server"}),
        ("rateLimitRate", {"rate_limited"}),
        ("malformedRate", {"malformed"}),
        ("disconnectRate", {"connect"}),
    ],
)
def test_chaos_at_the_second_provider_is_covered_by_the_first(
    gateway: Running, fresh: Fresh, first: Upstream, second: Upstream, form: str, stream: bool, rate: str, errors: set[str]
) -> None:
    failing = fresh.model("aimock", form)
    send("POST", f"{first.scripts}/reset", {})
    with chaos(second, **{rate: 1.0}):
        said, row = ask(gateway, failing, stream=stream)
    stood_in(said, row, failing, steady("llmock", "same"), row.tried[0].error, stream=stream)
    assert row.tried[0].error in errors


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("words", ["be cut off", "hang up"])
def test_the_second_provider_breaks_off_after_its_first_content(
    gateway: Running, fresh: Fresh, second: Upstream, form: str, words: str
) -> None:
    failing = fresh.model("aimock", form)
    said, row = ask(gateway, failing, stream=True, words=words)
    broke_off(said, row, failing)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("status", [400, 422])
def test_what_is_the_clients_own_fault_is_not_tried_elsewhere(
    gateway: Running, fresh: Fresh, first: Upstream, form: str, stream: bool, status: int
) -> None:
    failing = fresh.model("llmock", form)
    with scripted(first, {"type": "fail", "status": status}):
        said, row = ask(gateway, failing, stream=stream)
    assert (said.status, row.status) == (status, status)
    assert said.error["message"]
    assert [(tried.target, tried.error) for tried in row.tried] == [(failing, "bad_request")]
    assert row.cost == 0
