"""Budgets offline: sweeps, quick replays and simulations keep them as the gateway does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evaluation.logs import serve
from evaluation.test_screen import agree, both, renamed
from evaluation.test_sweep_laws import chosen, settings_of, with_thresholds
from routing.test_budget_laws import worlds
from routing.worlds import beliefs, requests
from tierline.evaluation.simulate.outcomes import Fitted, Kind
from tierline.evaluation.simulate.simulate import Happened, simulate
from tierline.evaluation.simulate.workload import Sent
from tierline.testing.builders import features, router
from tierline.types.features import Features
from tierline.types.scores import NO_SCORES, Scores
from tierline.types.view import View

MONDAY = 1_795_392_000.0
TASK = {"t": {"why": "x", "models": ["mini", "opus"], "quality": {"mini": 0.88, "opus": 0.99}, "quality_bar": 0.9, "tolerance": 0.1}}
OPUS = {"t": {"why": "x", "models": ["opus"]}}
FITTED = Fitted({}, {"mini": Kind(0.88, (100,), (0.5,)), "opus": Kind(0.99, (100,), (0.5,))})


@settings(max_examples=60)
@given(st.data())
def test_the_sweep_chooses_as_the_router_would_under_budgets(data: st.DataObject) -> None:
    live, view = data.draw(worlds())
    asked = [(data.draw(requests()), data.draw(beliefs()), view) for _ in range(3)]
    at = data.draw(settings_of(live))
    moved = with_thresholds(live, at)
    assert chosen(live, asked, at) == [moved.decide(*one).target for one in asked]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=8)
@given(
    st.lists(
        st.tuples(
            st.floats(0, 1),
            st.sampled_from(["", "t"]),
            st.sampled_from([0.0, 0.001, 0.02, 1000.0]) | st.floats(0, 0.1),
            st.sampled_from([-1.0, 0.0, 0.0, 0.5]),
            st.sampled_from([0.0, 400.0, 1e9]),
        ),
        min_size=3,
        max_size=12,
    )
)
def test_quick_and_whole_replays_agree_under_budgets(tmp_path: Path, seen: list[tuple[float, str, float, float, float]]) -> None:
    path = tmp_path / "log.db"
    path.unlink(missing_ok=True)
    budgets = {
        "company": {"limit": 1.0, "per": "day", "pace": "spread", "at_limit": "cheapest"},
        "words": {"tokens": 1000, "per": "day"},
        "brief": {"tokens": 50_000, "per": "request"},
    }
    live = router({"tasks": TASK, "budgets": budgets})
    asked = []
    for number, (difficulty, task, left, pace, words) in enumerate(seen):
        one = features(difficulty, request_id=f"r{number}", hints={"task": task}, input_tokens=100 + 60 * number)
        asked.append((one, NO_SCORES, View(budgets={"company": left, "words": words}, pace={"company": pace})))
    serve(path, live, asked)
    for other in (live, renamed(live), renamed(router({"tasks": TASK}))):
        agree(*both(path, other))


def played(requests: int, every: float, tasks: dict[str, Any] = TASK, **budgets: dict[str, Any]) -> list[Happened]:
    """So many requests of one task, one every so many seconds from Monday's midnight; opus costs about a cent, mini a hundredth of that."""
    live = router({"tasks": tasks, "budgets": budgets, "routes": {"auto": {"deadline": "1h"}}})
    sent = [Sent("q", "t", _asked(number), Scores(), number * every) for number in range(requests)]
    return simulate(live, FITTED, sent, began=MONDAY)


def _asked(number: int) -> Features:
    return msgspec.structs.replace(features(hints={"task": "t"}), request_id=f"r{number}", draw=number / 1000)


def spent(happened: list[Happened]) -> float:
    return sum(one.result.cost for one in happened)


def test_a_simulation_refuses_what_the_budget_does_not_cover() -> None:
    happened = played(50, 60.0, OPUS, all={"limit": 0.2, "per": "day"})
    refused = [one for one in happened if not one.decision.steps]
    assert refused and spent(happened) <= 0.2


def test_a_simulated_request_waits_for_the_hour_to_turn() -> None:
    happened = played(20, 170.0, OPUS, all={"limit": 0.05, "per": "hour", "at_limit": "queue"})
    late = [one for one in happened if one.elapsed > 60.0]
    assert any(one.result.model for one in late)


def test_a_paced_day_ends_at_its_limit_and_one_that_is_not_ends_early() -> None:
    plain = played(600, 144.0, all={"limit": 4.0, "per": "day", "at_limit": "cheapest"})
    paced = played(600, 144.0, all={"limit": 4.0, "per": "day", "at_limit": "cheapest", "pace": "spread"})
    assert spent(paced) == pytest.approx(4.0, rel=0.02)
    first, second = ([one.result.model for one in run if (one.sent.at or 0.0) >= 43_200.0] for run in (plain, paced))
    assert second.count("opus") > first.count("opus")


def test_a_simulation_gives_the_same_again() -> None:
    again = [played(100, 300.0, all={"limit": 0.5, "per": "day", "pace": "spread"}) for _ in range(2)]
    assert [one.result for one in again[0]] == [one.result for one in again[1]]
