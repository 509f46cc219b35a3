"""`tierline demo`, run as a user runs it, without a terminal."""

import json
import subprocess
import sys
from typing import Any

import pytest

from tierline.testing.serving import free_port


def run(*arguments: str) -> str:
    command = [sys.executable, "-m", "tierline", "demo", "--port", str(free_port()), *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def figures() -> dict[str, Any]:
    return json.loads(run("--json", "--requests", "150"))


def test_every_request_is_answered_by_some_tier(figures: dict[str, Any]) -> None:
    assert figures["requests"] == 150
    assert figures["unanswered"] == 0
    assert sum(tier["requests"] for tier in figures["tiers"]) == 150
    assert sum(task["requests"] for task in figures["tasks"]) == 150
    assert all(tier["requests"] for tier in figures["tiers"])


def test_shares_and_costs_add_up(figures: dict[str, Any]) -> None:
    ours = next(policy for policy in figures["policies"] if policy["name"] == "Tierline")
    assert sum(tier["share"] for tier in figures["tiers"]) == pytest.approx(1)
    assert sum(tier["cost_share"] for tier in figures["tiers"]) == pytest.approx(1)
    assert sum(tier["cost"] for tier in figures["tiers"]) == pytest.approx(ours["cost"])
    assert sum(task["cost"] for task in figures["tasks"]) == pytest.approx(ours["cost"])


def test_it_costs_less_than_the_best_model_and_beats_a_coin_of_the_same_cost(figures: dict[str, Any]) -> None:
    dearest, ours, coin, mix, cheapest = figures["policies"]
    assert cheapest["cost"] < ours["cost"] < dearest["cost"]
    assert ours["right"] > mix["right"] >= coin["right"] - 1e-9


def test_failures_of_the_moody_provider_became_fallbacks(figures: dict[str, Any]) -> None:
    assert figures["failed_calls"] > 0
    assert sum(figures["fallbacks"].values()) == figures["failed_calls"]


def test_a_pipe_gets_plain_tables_and_three_explained_decisions() -> None:
    said = run("--exit", "--requests", "60")
    assert "\x1b" not in said
    for title in ("What went where", "Task → model", "The same 60 requests, sent otherwise", "Failures", "Three decisions, explained"):
        assert title in said
    assert said.count("Order of asking:") == 3
    assert said.count("“") == 3
