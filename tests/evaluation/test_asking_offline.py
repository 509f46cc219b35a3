"""Where nobody can be asked (evaluate, simulate, explain) what a scorer is unsure about goes up, and it is said who would be asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from tierline.config.load import load
from tierline.evaluation.routers.spec import SpecRouter
from tierline.evaluation.simulate.workload import of_file
from tierline.library import Router
from tierline.routing.router import Router as Decider
from tierline.types.decision import Why

SPEC = """
version: 1
providers: {fleet: {kind: scripted, script: {models: {a: {}, b: {}}}}}
models:
  small: {provider: fleet, model: a, tier: fast, price: {input: 0.1, output: 0.4}}
  large: {provider: fleet, model: b, tier: best, price: {input: 3, output: 15}}
tiers: [fast, best]
tasks:
  orders: {why: Parcels., match: {keywords: [order]}, models: [small]}
  refunds: {why: Money., match: {keywords: [refund]}, models: [small]}
routes:
  auto: {quality_bar: 0.5, scorer: {SCORER}}
"""
UNCLEAR = "My order, or a refund?"


@pytest.fixture(params=["ask: {model: small}", "kind: llm, ask: {model: small}"])
def spec(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "tierline.yaml"
    path.write_text(SPEC.replace("SCORER", request.param))
    return path


def test_evaluating_a_spec_asks_nobody_and_goes_up(spec: Path) -> None:
    _, scores, decision = SpecRouter(load(spec)).decide("q1", UNCLEAR)
    assert (scores.abstained, scores.asked, decision.task, decision.target) == (True, "", "", "large")
    assert Why.ASKED_IN_VAIN not in [reason.why for reason in decision.reasons]


def test_simulating_a_workload_asks_nobody(spec: Path) -> None:
    workload = spec.parent / "workload.jsonl"
    workload.write_text('{"prompt": "My order, or a refund?"}\n')
    (sent,) = of_file(Decider(load(spec)), workload)
    assert sent.scores.abstained and sent.scores.asked == ""


def test_the_library_says_who_would_be_asked(spec: Path) -> None:
    choice = Router.from_file(spec).decide([{"role": "user", "content": UNCLEAR}])
    assert choice.model == "large"
    assert choice.explanation.sentences[0].startswith("small would be asked what it is")
    clear = Router.from_file(spec).decide([{"role": "user", "content": "Hello"}], model="tier/best")
    assert not any("would be asked" in sentence for sentence in clear.explanation.sentences)
