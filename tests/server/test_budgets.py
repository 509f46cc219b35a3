"""Budgets over real sockets, in two dialects."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server.harness import Running, Said, serving, until

SPEC = """
version: 1
providers:
  fleet:
    kind: scripted
    script: {seed: 7, latency: none, models: {mini: {ability: 0.5}, mid: {ability: 0.8}, big: {ability: 0.99}, vectors: {}}}
  other: {kind: scripted, script: {seed: 7, latency: none, models: {dear: {ability: 0.99}}}}
models:
  mini: {provider: fleet, tier: fast, price: {input: 0.1, output: 0.4}}
  mid: {provider: fleet, tier: balanced, price: {input: 1, output: 4}}
  big: {provider: fleet, tier: best, price: {input: 5, output: 20}}
  dear: {provider: other, tier: best, price: {input: 50, output: 200}}
  vectors: {provider: fleet, tier: fast, price: {input: 10, output: 0}, capabilities: [embeddings]}
tasks:
  careful: {why: Only the best., models: [big]}
  plain: {why: Anybody., quality_bar: 0.99, models: [mini, big], quality: {mini: 0.5, big: 1}}
routes:
  auto: {}
  capped: {task: careful}
budgets:
  refusing: {limit: 0.012, per: day, task: careful, key: tight, soft: 0.5}
  thrifty: {limit: 0.012, per: month, key: thrifty, at_limit: cheapest, time_zone: Europe/Berlin}
  others: {limit: 0.000001, per: week, provider: other}
  words: {tokens: 1000, per: hour, key: wordy}
  each: {limit: 0.008, per: day, route: capped, each: session}
  one: {per: request, tokens: 50, key: brief}
keys:
  tight: {secret: "tight-secret-tight-secret"}
  thrifty: {secret: "thrifty-secret-thrifty-secret"}
  wordy: {secret: "wordy-secret-wordy-secret"}
  brief: {secret: "brief-secret-brief-secret"}
  rich: {secret: "rich-secret-rich-secret"}
  admin: {secret: "admin-secret-admin-secret", scopes: [admin, read]}
"""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    spec = tmp_path_factory.mktemp("budgets") / "tierline.yaml"
    spec.write_text(SPEC)
    with serving(spec) as running:
        yield running


def chat(gateway: Running, key: str, model: str = "auto", **more: Any) -> Said:
    headers = {"authorization": f"Bearer {key}-secret-{key}-secret", **more.pop("headers", {})}
    return gateway.chat(model, headers, **more)


def claude(gateway: Running, key: str, **more: Any) -> Said:
    body = {"model": "auto", "max_tokens": 500, "messages": [{"role": "user", "content": "Name three rivers in Asia."}], **more}
    headers = {"x-api-key": f"{key}-secret-{key}-secret", "anthropic-version": "2023-06-01", "x-tierline-task": "careful"}
    return gateway.ask("POST", "/v1/messages", body, headers)


def budget(gateway: Running, name: str) -> dict[str, Any]:
    said = gateway.ask("GET", "/admin/budgets", headers={"authorization": "Bearer admin-secret-admin-secret"})
    found: dict[str, Any] = next(one for one in said.json["budgets"] if one["name"] == name)
    return found


def test_what_is_spent_is_what_the_log_says_and_a_spent_budget_refuses_in_the_clients_dialect(gateway: Running) -> None:
    careful = {"x-tierline-task": "careful"}
    said = [chat(gateway, "tight", headers=careful, stream=bool(turn % 2)) for turn in range(12)]
    answered = [one for one in said if one.status == 200]
    refused = [one for one in said if one.status == 402]
    assert answered and refused and len(answered) + len(refused) == 12
    assert refused[0].error["code"] == "budget_exhausted"
    assert "'refusing'" in refused[0].error["message"]
    assert 0 < int(refused[0].headers["retry-after"]) <= 86_400
    rows = [gateway.record(one.headers["x-tierline-decision"]) for one in said]
    paid = sum(attempt.cost for row in rows for attempt in row.tried)
    now = budget(gateway, "refusing")
    assert now["used"] == pytest.approx(paid) and now["reserved"] == 0.0
    assert paid <= 0.012
    assert [row.status for row in rows if not row.tried] == [402] * len(refused)

    other = claude(gateway, "tight")
    assert other.status == 402 and other.json["type"] == "error" and "'refusing'" in other.error["message"]


def test_a_model_that_is_named_is_refused_too(gateway: Running) -> None:
    until(lambda: chat(gateway, "tight", headers={"x-tierline-task": "careful"}).status == 402)
    assert chat(gateway, "tight", headers={"x-tierline-task": "careful"}).status == 402


def test_at_the_limit_the_cheapest_answers_and_says_why(gateway: Running) -> None:
    said = [chat(gateway, "thrifty", headers={"x-tierline-tier": ""}) for _ in range(2)]
    assert {one.status for one in said} == {200}
    named = [chat(gateway, "thrifty", "big") for _ in range(10)]
    assert named[0].status == 200 and named[-1].status == 402
    routed = chat(gateway, "thrifty", headers={"x-tierline-explain": "1", "x-tierline-task": "plain"})
    assert routed.status == 200 and routed.headers["x-tierline-model"] == "mini"
    assert "at its limit the cheapest answers" in routed.headers["x-tierline-explanation"]
    assert chat(gateway, "thrifty", "mini").status == 200


def test_a_providers_budget_drops_its_models_and_no_request(gateway: Running) -> None:
    said = chat(gateway, "rich", "tier/best")
    assert said.status == 200 and said.headers["x-tierline-model"] == "big"
    assert chat(gateway, "rich", "dear").status == 402


def test_tokens_are_counted_where_a_budget_is_in_tokens(gateway: Running) -> None:
    statuses = [chat(gateway, "wordy", "mini").status for _ in range(40)]
    assert statuses[0] == 200 and statuses[-1] == 402
    now = budget(gateway, "words")
    assert now["unit"] == "tokens" and 0 < now["used"] <= 1000


def test_each_session_has_a_budget_of_its_own(gateway: Running) -> None:
    def ask(session: str) -> int:
        return chat(gateway, "rich", "auto/capped", headers={"x-tierline-session": session}).status

    first = [ask("one") for _ in range(10)]
    assert first[0] == 200 and first[-1] == 402
    assert ask("two") == 200
    assert budget(gateway, "each")["counters"] == 2


def test_a_request_of_too_many_tokens_is_refused_where_one_request_has_a_cap(gateway: Running) -> None:
    said = chat(gateway, "brief", "mini", max_tokens=5000)
    assert said.status == 402 and "lets one request take 50 tokens" in said.error["message"]


def test_money_taken_for_a_client_that_leaves_is_given_back(gateway: Running) -> None:
    body = {"model": "big", "stream": True, "messages": [{"role": "user", "content": "Write a long poem about rivers."}]}
    gateway.ask("POST", "/v1/chat/completions", body, {"authorization": "Bearer rich-secret-rich-secret"})
    until(lambda: budget(gateway, "others")["reserved"] == 0.0)
    assert budget(gateway, "others")["reserved"] == 0.0


def test_what_was_spent_is_remembered_over_a_restart(tmp_path: Path) -> None:
    spec = tmp_path / "tierline.yaml"
    spec.write_text(SPEC)
    with serving(spec) as gateway:
        for _ in range(3):
            assert chat(gateway, "thrifty", "mid").status == 200
        before = budget(gateway, "thrifty")["used"]
    assert before > 0
    with serving(spec) as gateway:
        assert until(lambda: budget(gateway, "thrifty")["used"]) == pytest.approx(before)
        assert time.time() < budget(gateway, "thrifty")["ends"]
