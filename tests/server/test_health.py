"""Doors that fail and models that ask to be left alone, as a caller, an operator and a scrape see them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from server.harness import Running, serving, until
from server.upstream import Upstream

SPEC = """
version: 1
providers:
  up:
    dialect: openai_chat
    base_urls: ["http://127.0.0.1:1/v1", "http://127.0.0.1:{port}/v1"]
    api_key: "${{ONE_KEY}}"
  other: {{dialect: openai_chat, base_url: "http://127.0.0.1:{port}/v1", api_keys: ["${{ONE_KEY}}", "${{TWO_KEY}}"]}}
tiers: [fast, best]
routes: {{auto: {{deadline: 3s}}}}
models:
  steady: {{provider: up, tier: fast, price: {{input: 1, output: 1}}, capabilities: []}}
  limited: {{provider: other, model: status-429, tier: fast, price: {{input: 0.1, output: 0.1}}, capabilities: []}}
  spare: {{provider: other, model: spare, tier: best, price: {{input: 9, output: 9}}, capabilities: []}}
load:
  breaker: {{failures: 0.5, min_requests: 2, rest: 60s}}
"""
KEYS = {"ONE_KEY": "sk-the-first-secret", "TWO_KEY": "sk-the-second-secret"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, upstream: Upstream) -> Iterator[Running]:
    path = tmp_path_factory.mktemp("health") / "tierline.yaml"
    path.write_text(SPEC.format(port=upstream.port))
    with serving(path, **KEYS) as running:
        yield running


def doors(running: Running, model: str) -> dict[str, str]:
    seen = running.ask("GET", "/admin/world").json["models"][model]
    return {door["door"]: door["state"] for door in seen["doors"]}


def test_an_address_where_nobody_answers_is_left_out_after_a_few_calls(served: Running) -> None:
    for _ in range(6):
        served.chat("steady")
    assert doors(served, "steady") == {"up#1": "open", "up#2": "closed"}
    last = [served.chat("steady") for _ in range(4)]
    assert [said.status for said in last] == [200] * 4
    row = served.record(last[-1].headers["x-tierline-decision"])
    assert [(tried.endpoint, tried.ok) for tried in row.tried] == [("up#2", True)]


def test_a_model_whose_keys_are_all_limited_rests_as_long_as_its_provider_wishes_and_others_answer(served: Running) -> None:
    said = served.chat("limited", {"x-tierline-latency-budget": "2s"})
    assert said.status == 429 and 1 <= int(said.headers["retry-after"]) <= 7
    assert set(doors(served, "limited").values()) == {"open"}
    assert served.ask("GET", "/health/readiness").json["resting"] == ["limited"]
    said = served.chat("tier/fast")
    assert (said.status, said.headers["x-tierline-model"]) == (200, "steady")
    metrics = served.ask("GET", "/metrics").body.decode()
    assert 'tierline_breaker_state{door="other#1",model="limited"} 2.0' in metrics
    assert 'tierline_breaker_state{door="other#1",model="spare"} 0.0' in metrics


def test_a_new_spec_forgets_no_rest_of_a_model_that_has_not_changed(served: Running) -> None:
    until(lambda: served.chat("steady").status and doors(served, "steady")["up#1"] == "open")
    served.spec.write_text(served.spec.read_text() + "signals: {}\n# changed\n")
    served.ask("POST", "/admin/reload")
    assert doors(served, "steady")["up#1"] == "open"


def test_no_secret_is_shown_anywhere(served: Running) -> None:
    shown = served.output + "".join(
        served.ask("GET", path).body.decode() for path in ("/admin/world", "/admin/spec", "/metrics", "/health/readiness")
    )
    assert "other#2" in shown
    assert not [secret for secret in KEYS.values() if secret in shown]
