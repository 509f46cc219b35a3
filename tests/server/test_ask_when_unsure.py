"""A small model is asked what a request is, over HTTP: where the scorer is unsure, once for the same words, and never at any price."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from server.harness import Running, Said, serving
from tierline.config.load import load
from tierline.routing.router import Router
from tierline.types.decision import Why
from tierline.types.record import Record

SPEC = """
version: 1
providers:
  quick:
    kind: scripted
    script:
      seed: 7
      latency: none
      difficulty: {order: 0.0, refund: 0.0}
      answers: {money back: refunds, arrived: orders, weather: none of these, riddle: a poem}
      models: {small: {ability: 0.99}, mini: {ability: 0.99}, mid: {ability: 0.99}, big: {ability: 0.99}}
  slow: {kind: scripted, script: {seed: 7, models: {slow: {ability: 0.99, ttft: 600ms}}}}
models:
  small: {provider: quick, tier: fast, price: {input: 0.1, output: 0.4}, capabilities: [json_schema]}
  slow: {provider: slow, tier: fast, price: {input: 0.1, output: 0.4}, capabilities: [json_schema]}
  mini: {provider: quick, tier: fast, price: {input: 0.2, output: 0.8}}
  mid: {provider: quick, tier: balanced, price: {input: 1, output: 4}}
  big: {provider: quick, tier: best, price: {input: 5, output: 20}}
tasks:
  orders: {why: Where is my parcel., match: {keywords: [order]}, models: [mini]}
  refunds: {why: Money goes back., match: {keywords: [refund]}, models: [mid], risk: high}
routes:
  auto: {scorer: {ask: {model: small, timeout: 5s}}}
  plain: {}
  slow: {deadline: 10s, scorer: {ask: {model: slow}}}
  always: {scorer: {kind: llm, ask: {model: small, timeout: 5s}}}
  strict: {scorer: {abstain_below: 0.95, ask: {model: small, timeout: 5s}}}
governance:
  rules:
    - {when: "user_tier == 'vip'", allow: {models: [mini, mid, big]}, why: not shown to small models}
    - {when: "task == 'refunds' && user_tier == 'gold'", allow: {models: [mini, mid, big]}, why: not shown to small models}
keys:
  ops: {secret: "${KEY}", scopes: [call, admin]}
  narrow: {secret: "${NARROW}", models: [mini, mid, big]}
"""
KEYS = {"KEY": "the-key-that-may-do-all-here", "NARROW": "the-key-that-may-do-little-here"}
ADMIN = {"authorization": f"Bearer {KEYS['KEY']}"}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    spec = tmp_path_factory.mktemp("asking") / "tierline.yaml"
    spec.write_text(SPEC)
    with serving(spec, **KEYS) as running:
        yield running


def ask(gateway: Running, words: str, model: str = "auto", headers: dict[str, str] = ADMIN, **more: Any) -> Said:
    body = {"model": model, "messages": [{"role": "user", "content": words}], **more}
    return gateway.ask("POST", "/v1/chat/completions", body, headers)


def row_of(gateway: Running, said: Said) -> Record:
    """The row, which must decide again to its own decision."""
    assert said.status == 200, said.body
    row = gateway.record(said.headers["x-tierline-decision"])
    assert router_of(gateway.spec).decide(row.features, row.scores, row.view) == row.decision
    assert said.headers["x-tierline-cost"] == f"{row.cost:.8f}"
    return row


@lru_cache(1)
def router_of(spec: Path) -> Router:
    return Router(load(spec, KEYS))


def told(row: Record) -> list[tuple[str, str, bool, str, str]]:
    return [(aside.purpose, aside.target, aside.ok, aside.error, aside.detail) for aside in row.asides]


def whys(row: Record) -> list[Why]:
    return [reason.why for reason in row.decision.reasons]


def test_what_is_unclear_is_asked_and_goes_to_the_model_of_the_task_that_was_named(gateway: Running) -> None:
    unasked = row_of(gateway, ask(gateway, "My order, a refund: I want my money back.", "auto/plain"))
    row = row_of(gateway, ask(gateway, "My order, a refund: I want my money back."))
    assert (unasked.decision.task, unasked.scores.abstained) == ("", True)
    assert (row.decision.task, row.model, row.scores.asked, row.scores.by) == ("refunds", "mid", "small", "hints")
    assert row.scores.task == {"refunds": 0.9} and not row.scores.abstained
    assert Why.TASK_ASKED in whys(row) and Why.TASK_UNSURE not in whys(row)


def test_asking_is_charged_to_the_request_and_stands_in_its_row(gateway: Running) -> None:
    row = row_of(gateway, ask(gateway, "order and refund: money back, charged"))
    (aside,) = row.asides
    assert told(row) == [("classify", "small", True, "", "")]
    assert 0 < aside.cost <= 0.0002 and aside.usage.input > 0 and aside.elapsed > 0
    assert row.cost == pytest.approx(aside.cost + sum(tried.cost for tried in row.tried))


def test_the_same_words_are_not_asked_about_again_and_then_cost_nothing(gateway: Running) -> None:
    first = row_of(gateway, ask(gateway, "Has my order arrived, or do I get a refund?"))
    again = row_of(gateway, ask(gateway, "Has my order arrived, or do I get a refund?"))
    other = row_of(gateway, ask(gateway, "Has my order arrived, or do I get a refund now?"))
    assert told(again) == [("classify", "small", True, "", "remembered")] and again.asides[0].cost == 0
    assert again.scores == first.scores and again.decision.task == "orders"
    assert told(other) == told(first) == [("classify", "small", True, "", "")]


@pytest.mark.parametrize("words", ["order or refund? the weather", "order or refund? a riddle", "order refund: money back"])
def test_where_it_is_not_sure_or_names_nothing_the_request_goes_up_as_it_would_have(gateway: Running, words: str) -> None:
    unasked = row_of(gateway, ask(gateway, words, "auto/plain"))
    row = row_of(gateway, ask(gateway, words, "auto/strict"))
    assert (row.decision.task, row.decision.tier, row.model) == ("", unasked.decision.tier, unasked.model)
    assert (row.scores.abstained, row.scores.asked, row.scores.task) == (True, "small", unasked.scores.task)
    assert Why.ASKED_IN_VAIN in whys(row)
    assert told(row) == [("classify", "small", True, "", "")]


def test_one_that_is_too_slow_is_cut_off_and_the_request_is_answered_a_tier_up_in_good_time(gateway: Running) -> None:
    row = row_of(gateway, ask(gateway, "order? refund?", "auto/slow"))
    assert told(row) == [("classify", "slow", False, "timeout", "no answer within 50 ms")]
    assert 0.04 < row.asides[0].elapsed < 0.5, "it did not wait for the 600 ms that the model takes"
    assert row.asides[0].cost > 0 and row.asides[0].usage.estimated, "what was sent is charged"
    assert row.status == 200 and row.decision.task == ""
    assert Why.ASKED_IN_VAIN in whys(row)


def test_being_too_slow_for_a_question_does_not_make_a_model_rest(gateway: Running) -> None:
    for number in range(10):
        ask(gateway, f"order? refund? number {number}", "auto/slow")
    row = row_of(gateway, ask(gateway, "order? refund? the last", "auto/slow"))
    assert "slow" not in row.view.resting
    assert told(row)[0][3] == "timeout"


@pytest.mark.parametrize(
    "headers",
    [
        {**ADMIN, "x-tierline-user-tier": "vip"},
        {**ADMIN, "x-tierline-user-tier": "gold"},
        {"authorization": f"Bearer {KEYS['NARROW']}"},
    ],
)
def test_a_model_that_governance_or_the_key_keeps_from_the_request_is_never_asked(gateway: Running, headers: dict[str, str]) -> None:
    words = f"order or refund? money back {len(headers)}{headers.get('x-tierline-user-tier')}"
    row = row_of(gateway, ask(gateway, words, headers=headers))
    (said,) = told(row)
    assert said[:4] == ("classify", "small", False, "auth") and row.asides[0].cost == 0
    assert row.decision.task == ""
    allowed = row_of(gateway, ask(gateway, words))
    assert told(allowed) == [("classify", "small", True, "", "")], "and nothing was remembered of it"


def test_what_is_clear_or_named_or_no_chat_is_not_asked_about(gateway: Running) -> None:
    for words, model in [("Where is my order?", "auto"), ("order refund", "tier/best"), ("order refund", "mini"), ("Hello", "auto")]:
        row = row_of(gateway, ask(gateway, words, model))
        assert (row.asides, row.scores.asked) == ((), "")


def test_a_model_may_be_the_scorer_always(gateway: Running) -> None:
    row = row_of(gateway, ask(gateway, "Has it arrived?", "auto/always"))
    assert (row.decision.task, row.scores.by, row.scores.asked) == ("orders", "llm", "small")
    lost = row_of(gateway, ask(gateway, "How is the weather?", "auto/always"))
    assert (lost.decision.task, lost.scores.abstained) == ("", True)


def test_asking_never_spends_what_the_answer_needs(gateway: Running) -> None:
    row = row_of(gateway, ask(gateway, "order or refund? money back, cheaply", headers={**ADMIN, "x-tierline-max-cost": "0.00008"}))
    assert row.asides[0].detail == "it would cost more than the request may" and row.asides[0].cost == 0


def test_a_stream_is_asked_about_as_well(gateway: Running) -> None:
    said = ask(gateway, "order? refund? money back, streamed", stream=True)
    row = gateway.record(said.headers["x-tierline-decision"])
    assert said.headers["x-tierline-task"] == "refunds" and told(row) == [("classify", "small", True, "", "")]


def test_explaining_says_who_was_asked_and_a_dry_run_who_would_be(gateway: Running) -> None:
    said = ask(gateway, "order, refund, money back: explain", headers={**ADMIN, "x-tierline-explain": "1"})
    assert "small was asked what it is." in said.headers["x-tierline-explanation"]
    again = ask(gateway, "order, refund, money back: explain", headers={**ADMIN, "x-tierline-explain": "1"})
    assert "small had been asked what it is, of the same words" in again.headers["x-tierline-explanation"]
    body = {"model": "auto", "messages": [{"role": "user", "content": "order, refund, money back: dry"}]}
    dry = gateway.ask("POST", "/v1/route", body, ADMIN).json
    assert "small would be asked what it is" in dry["explanation"]["sentences"][0]
    assert dry["task"] == ""


def test_its_share_of_traffic_and_of_cost_is_in_the_metrics(gateway: Running) -> None:
    ask(gateway, "order, refund, money back: metrics")
    lines = gateway.ask("GET", "/metrics", headers=ADMIN).body.decode().splitlines()
    counted = {line.split(" ")[0]: float(line.split(" ")[1]) for line in lines if line.startswith("tierline_classified")}
    assert counted['tierline_classified_total{result="named",route="auto"}'] >= 1
    assert counted['tierline_classified_total{result="remembered",route="auto"}'] >= 1
    assert counted['tierline_classified_total{result="failed",route="slow"}'] >= 11
    assert counted['tierline_classified_total{result="unsure",route="strict"}'] >= 3
    assert counted['tierline_classified_cost_usd_total{route="auto"}'] > 0
