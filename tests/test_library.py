"""Routing alone, as a library."""

from __future__ import annotations

from pathlib import Path

import pytest

from tierline import Router
from tierline.types.errors import BadRequest, SpecInvalid, UnknownModel
from tierline.types.hints import Hints

SPEC = """
version: 1
providers:
  openai: {api_key: "${OPENAI_API_KEY}"}
models:
  mini: {provider: openai, model: gpt-4o-mini, tier: fast}
  gpt: {provider: openai, model: gpt-4o, tier: balanced}
  o3: {provider: openai, model: o3, tier: best}
tasks:
  orders:
    why: cheap first is safe
    match: {keywords: [order, shipment]}
    quality_bar: 0.95
    models: [mini, gpt]
    quality: {mini: 0.96, gpt: 0.99}
"""


@pytest.fixture
def router(tmp_path: Path) -> Router:
    path = tmp_path / "tierline.yaml"
    path.write_text(SPEC)
    return Router.from_file(path)


def ask(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def test_a_request_is_routed_without_any_secret_server_or_network(router: Router) -> None:
    choice = router.decide(ask("Where is my order 4711?"))
    assert (choice.model, choice.upstream) == ("mini", "gpt-4o-mini")
    assert choice.decision.task == "orders"
    assert "orders" in choice.why


def test_the_same_request_id_gives_the_same_choice(router: Router) -> None:
    first, second = (router.decide(ask("hello"), request_id="r-1") for _ in range(2))
    assert first.decision == second.decision


def test_a_hint_names_the_model(router: Router) -> None:
    assert router.decide(ask("hello"), hints=Hints(model="o3")).model == "o3"
    assert router.decide(ask("hello"), model="tier/balanced").model == "gpt"


def test_tools_in_the_request_are_a_capability_needed(router: Router) -> None:
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
    assert "tools" in router.decide(ask("look it up"), tools=[tool]).features.needs


def test_an_unknown_name_is_refused(router: Router) -> None:
    with pytest.raises(UnknownModel, match="mini"):
        router.decide(ask("hello"), model="minni")
    with pytest.raises(BadRequest, match="orders"):
        router.decide(ask("hello"), hints=Hints(task="order"))


def test_a_bad_spec_is_refused_with_its_problems(tmp_path: Path) -> None:
    path = tmp_path / "tierline.yaml"
    path.write_text(SPEC.replace("tier: best", "tier: bets"))
    with pytest.raises(SpecInvalid, match="bets"):
        Router.from_file(path)


def test_what_is_asked_before_any_model_is_told_too(tmp_path: Path) -> None:
    path = tmp_path / "tierline.yaml"
    route = "{tools_first: [{lookup: faq.csv}, {cache: exact}], prepare: [{moderate: mini}, {rewrite_query: gpt}]}"
    path.write_text(f"{SPEC}routes:\n  auto: {route}\n")
    (tmp_path / "faq.csv").write_text("question,answer\nWhen?,Now.\n")
    router = Router.from_file(path)
    whole = router.decide(ask("hello")).why
    assert "lookup:faq.csv, cache:exact, in this order" in whole
    assert "mini would be asked whether it may be answered" in whole and "gpt would be asked to rewrite its question" in whole
    named = router.decide(ask("hello"), model="gpt").why
    assert "faq.csv" not in named and "to rewrite" not in named and "whether it may be answered" in named
