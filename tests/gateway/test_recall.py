"""What the log knows of budgets: what was spent in the periods that run, and the demand of a week."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from state.money import MONDAY, Clock
from tierline.config.budgets import Budget
from tierline.decision_log.sqlite import SqliteLog
from tierline.gateway.recall import recall, remember
from tierline.state.budgets import Budgets
from tierline.testing import builders
from tierline.types.decision import Decision, Step
from tierline.types.features import Features
from tierline.types.hints import Hints
from tierline.types.outcome import Aside, Usage
from tierline.types.record import Record, Tried
from tierline.types.view import NO_VIEW

NOON = MONDAY + 86400.0 + 12 * 3600.0
"""Of a Tuesday."""
MEMBER = "0000abc"


def row(number: int, at: float, cost: float, model: str = "mini", **more: object) -> Record:
    features = Features(f"{number:011x}{MEMBER}0000", **{"key": "k", "team": "crew", **more})  # type: ignore[arg-type]  # any field
    plan = Decision(f"{number:011x}{MEMBER}0000", features.route, "p", (Step("fast", (model,)),), task="t")
    judge = Aside("t/judge", "opus", True, 0.5, usage=Usage(10, 0))
    tried = Tried(model, "first", True, cost + 0.5, 1.0, None, Usage(100, 50), asides=(judge,))
    return Record(at, features, plan, (tried,), winner=0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    log = SqliteLog(tmp_path / "tierline.db", retention=None, clock=lambda: NOON)
    log.put(row(1, NOON - 2 * 86400, 8.0))  # on Sunday: another week
    log.put(row(2, NOON - 86400, 4.0))  # yesterday
    log.put(row(3, NOON - 3600, 2.0, "opus", hints=Hints(tags=("batch",))))
    log.put(row(4, NOON - 60, 1.0, team="rest", session="s"))
    asyncio.run(log.flushed())
    log.close()
    return tmp_path / "tierline.db"


def test_every_budget_counts_its_own_rows_since_its_period_began(path: Path) -> None:
    budgets = (
        Budget("day", 100, "day"),
        Budget("week", 100, "week"),
        Budget("crew", 100, "day", team="crew"),
        Budget("teams", 100, "day", each="team"),
        Budget("opus", 100, "day", models=frozenset({"opus"})),
        Budget("tag", 100, "day", tag="batch"),
        Budget("sessions", 100, "day", each="session"),
        Budget("words", 1000, "day", counts_tokens=True),
        Budget("other", 100, "day", task="other"),
    )
    assert recall(path, budgets, NOON).spent == pytest.approx(
        {
            ("day", "", MEMBER): 4.0,
            ("week", "", MEMBER): 8.5,
            ("crew", "", MEMBER): 2.5,
            ("teams", "crew", MEMBER): 2.5,
            ("teams", "rest", MEMBER): 1.5,
            ("opus", "", MEMBER): 2.0 + 0.5 + 0.5,
            ("tag", "", MEMBER): 2.5,
            ("sessions", "-", MEMBER): 2.5,
            ("sessions", "s", MEMBER): 1.5,
            ("words", "", MEMBER): 300.0,
        }
    )


def test_demand_is_learnt_for_paced_budgets_from_whom_they_are_for(path: Path) -> None:
    demand = recall(path, (Budget("crew", 1, "week", team="crew", spread=True), Budget("plain", 1, "day")), NOON).demand
    assert list(demand) == ["crew"]
    shares = demand["crew"].shares
    assert shares[24 + 11] == max(shares) and shares[12] > shares[13]


def test_a_process_begins_with_what_was_spent(path: Path) -> None:
    spec = {"budgets": {"day": {"limit": 10, "per": "day", "pace": "spread"}}}
    budgets = Budgets(builders.loaded(spec), Clock(NOON))
    asyncio.run(remember(budgets, [path]))
    asyncio.run(remember(budgets, [path]))
    assert budgets.see(NO_VIEW, Features("r")).budgets == {"day": pytest.approx(6.0)}


def test_a_log_that_cannot_be_read_is_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    budgets = Budgets(builders.loaded({"budgets": {"day": {"limit": 10, "per": "day"}}}), Clock(NOON))
    with caplog.at_level("WARNING"):
        asyncio.run(remember(budgets, [tmp_path / "nothing.db"]))
    assert "could not be read" in caplog.text
    assert budgets.see(NO_VIEW, Features("r")).budgets == {"day": 10.0}
