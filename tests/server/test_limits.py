"""What a limited key and a limited model are told and given, over sockets."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from server.harness import Running, Said, serving, until

SPEC = """
version: 1
providers:
  fleet: {kind: scripted, script: {seed: 7, latency: none, models: {mini: {ability: 0.5}, mid: {ability: 0.8}}}}
  slowly: {kind: scripted, script: {seed: 7, models: {late: {ability: 0.5, ttft: 400ms, output: 2}}}}
models:
  mini: {provider: fleet, tier: fast, price: {input: 0.1, output: 0.4}, context: 100000}
  late: {provider: slowly, tier: balanced, price: {input: 9, output: 9}, context: 100000}
  mid: {provider: fleet, tier: best, price: {input: 1, output: 4}, context: 100000, rate: {requests: 2, per: day}}
keys:
  free: {secret: "${FREE}", rate: {requests: 1000, tokens: 100000, per: day}}
  twice: {secret: "${TWICE}", rate: {requests: 2, per: day}}
  few: {secret: "${FEW}", rate: {tokens: 200, per: day}}
  two: {secret: "${TWO}", max_concurrency: 2}
  none: {secret: "${NONE}"}
"""
SECRETS = {name: f"s-{name}-of-twenty-characters" for name in ("FREE", "TWICE", "FEW", "TWO", "NONE")}
WORDS = [{"role": "user", "content": "What is the capital of France?"}]
RESET = re.compile(r"(\d+h)?(\d+m)?[\d.]+m?s")


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    spec = tmp_path_factory.mktemp("limited") / "tierline.yaml"
    spec.write_text(SPEC)
    with serving(spec, **SECRETS) as running:
        yield running


def post(running: Running, path: str, body: Any, key: str) -> Said:
    return running.ask("POST", path, body, {"authorization": f"Bearer {SECRETS[key]}"})


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", {"model": "auto", "messages": WORDS}),
        ("/v1/chat/completions", {"model": "auto", "messages": WORDS, "stream": True}),
        ("/v1/responses", {"model": "auto", "input": "hi"}),
        ("/v1/route", {"model": "auto", "messages": WORDS}),
        ("/v1beta/models/auto:generateContent", {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}),
        ("/v1/chat/completions", {"model": "unheard-of", "messages": WORDS}),
        ("/v1/chat/completions", b"not JSON"),
    ],
    ids=["whole", "stream", "responses", "route", "gemini", "unknown model", "bad body"],
)
def test_every_answer_of_a_limited_key_says_what_is_left(path: str, body: Any, limited: Running) -> None:
    before = post(limited, "/v1/feedback", {}, "FREE").headers
    said = post(limited, path, body, "FREE").headers
    assert (said["x-ratelimit-limit-requests"], said["x-ratelimit-limit-tokens"]) == ("1000", "100000")
    assert int(said["x-ratelimit-remaining-requests"]) == int(before["x-ratelimit-remaining-requests"]) - 1
    assert RESET.fullmatch(said["x-ratelimit-reset-requests"]) and RESET.fullmatch(said["x-ratelimit-reset-tokens"])


def test_anthropics_clients_are_told_in_their_own_names(limited: Running) -> None:
    said = post(limited, "/v1/messages", {"model": "auto", "messages": WORDS, "max_tokens": 20}, "FREE").headers
    assert said["anthropic-ratelimit-requests-limit"] == "1000"
    assert int(said["anthropic-ratelimit-tokens-remaining"]) < 100000
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", said["anthropic-ratelimit-requests-reset"])
    assert not any(name.startswith("x-ratelimit") for name in said)


def test_a_key_without_limits_is_told_nothing(limited: Running) -> None:
    said = post(limited, "/v1/chat/completions", {"model": "auto", "messages": WORDS}, "NONE")
    assert said.status == 200 and not any("ratelimit" in name for name in said.headers)


def test_what_was_used_counts_and_not_what_was_estimated(limited: Running) -> None:
    def left() -> int:
        return int(post(limited, "/v1/feedback", {}, "FREE").headers["x-ratelimit-remaining-tokens"])

    before = left()
    usage = post(limited, "/v1/chat/completions", {"model": "auto", "messages": WORDS}, "FREE").json["usage"]
    assert left() == before - usage["prompt_tokens"] - usage["completion_tokens"]
    streamed = post(limited, "/v1/chat/completions", {"model": "auto", "messages": WORDS, "stream": True}, "FREE")
    assert streamed.status == 200 and left() < before - usage["total_tokens"]


def test_a_request_that_fails_before_any_model_gives_its_tokens_back(limited: Running) -> None:
    before = post(limited, "/v1/feedback", {}, "FREE").headers["x-ratelimit-remaining-tokens"]
    body = {"model": "auto", "messages": WORDS, "metadata": {"tierline_task": "unheard-of"}}
    assert post(limited, "/v1/chat/completions", body, "FREE").status == 400
    assert post(limited, "/v1/feedback", {}, "FREE").headers["x-ratelimit-remaining-tokens"] == before


def test_past_its_requests_a_key_gets_429_in_its_dialect_and_is_told_when_to_come_back(limited: Running) -> None:
    for path in ("/v1/chat/completions", "/v1/messages"):
        post(limited, path, {"model": "auto", "messages": WORDS, "max_tokens": 9}, "TWICE")
    openai = post(limited, "/v1/chat/completions", {"model": "auto", "messages": WORDS}, "TWICE")
    assert (openai.status, openai.error["code"], openai.error["type"]) == (429, "rate_limited", "rate_limit_error")
    assert int(openai.headers["retry-after"]) > 0 and openai.headers["x-ratelimit-remaining-requests"] == "0"
    anthropic = post(limited, "/v1/messages", {"model": "auto", "messages": WORDS, "max_tokens": 9}, "TWICE")
    assert (anthropic.status, anthropic.error["type"]) == (429, "rate_limit_error")
    assert int(anthropic.headers["retry-after"]) > 0 and anthropic.headers["anthropic-ratelimit-requests-remaining"] == "0"
    assert SECRETS["TWICE"].encode() not in openai.body + anthropic.body


def test_a_request_that_can_never_fit_is_told_so(limited: Running) -> None:
    said = post(limited, "/v1/chat/completions", {"model": "auto", "messages": [{"role": "user", "content": "word " * 500}]}, "FEW")
    assert said.status == 429 and "make it smaller" in said.error["message"] and "retry-after" not in said.headers
    assert post(limited, "/v1/chat/completions", {"model": "auto", "messages": WORDS, "max_tokens": 5}, "FEW").status == 200


def test_a_model_that_has_had_its_rate_gives_way_and_says_so(limited: Running) -> None:
    def ask(model: str) -> Said:
        return post(limited, "/v1/chat/completions", {"model": model, "messages": WORDS}, "NONE")

    assert [ask("mid").headers["x-tierline-model"] for _ in range(2)] == ["mid", "mid"]
    refused = ask("mid")
    assert (refused.status, "retry-after" in refused.headers) == (429, True)

    def rehearsed() -> Any:
        told = post(limited, "/v1/route", {"model": "auto", "messages": WORDS}, "NONE").json
        return told if told["decision"].get("dropped") else None

    told = until(rehearsed)
    assert told["decision"]["dropped"][0][:2] == ["mid", "rate"]
    assert "has had its requests or tokens for now" in json.dumps(told["explanation"])
    assert ask("auto").headers["x-tierline-model"] == "mini"


def test_a_key_has_no_more_requests_in_flight_than_it_may(limited: Running) -> None:
    said: list[tuple[int, str]] = []

    def ask() -> None:
        answer = post(limited, "/v1/chat/completions", {"model": "late", "messages": WORDS}, "TWO")
        said.append((answer.status, answer.headers.get("retry-after", "")))

    asking = [threading.Thread(target=ask) for _ in range(6)]
    for one in asking:
        one.start()
    for one in asking:
        one.join()
    assert sorted(said) == [(200, "")] * 2 + [(429, "1")] * 4
    assert post(limited, "/v1/chat/completions", {"model": "mini", "messages": WORDS}, "TWO").status == 200
