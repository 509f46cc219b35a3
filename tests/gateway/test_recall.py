"""What the log knows of budgets: what was spent in the periods that run, and the demand of a week."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from state.money import MONDAY, Clock
from tierline.config.budgets import Budget
from tierline.decision_log.postgres.log import PostgresLog
from tierline.decision_log.sqlite import SqliteLog
from tierline.gateway.recall import recall, remember
from tierline.ledger.ledger import Ledger
from tierline.ledger.shadows import Shadowed
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


def test_what_shadows_have_cost_counts_for_the_budgets_of_their_requests(path: Path) -> None:
    ledger = Ledger(path)
    beside = Shadowed(
        f"{3:011x}{MEMBER}0000",
        NOON - 3599,
        "auto",
        "t",
        "mini",
        "opus",
        1.0,
        ok=True,
        cost=0.75,
        judging=0.25,
        judge="opus@1",
        usage=Usage(7, 3),
    )
    ledger.shadows.add(
        [
            beside,
            msgspec.structs.replace(beside, request_id=f"{1:011x}{MEMBER}0000", at=NOON - 2 * 86400),
            msgspec.structs.replace(beside, request_id="?"),
        ]
    )
    ledger.close()
    budgets = (
        Budget("day", 100, "day"),
        Budget("opus", 100, "day", models=frozenset({"opus"})),
        Budget("mini", 100, "day", models=frozenset({"mini"})),
        Budget("tag", 100, "day", tag="batch"),
        Budget("rest", 100, "day", team="rest"),
        Budget("words", 1000, "day", counts_tokens=True),
    )
    before = {("day", ""): 4.0, ("opus", ""): 3.0, ("mini", ""): 1.0, ("tag", ""): 2.5, ("rest", ""): 1.5, ("words", ""): 300.0}
    added = {("day", ""): 0.75, ("opus", ""): 0.25, ("mini", ""): 0.5, ("tag", ""): 0.75, ("words", ""): 10.0}
    assert recall(path, budgets, NOON).spent == pytest.approx(
        {(*key, MEMBER): amount + added.get(key, 0.0) for key, amount in before.items()}
    )


def test_rows_that_have_gone_to_postgresql_are_counted_there_and_each_of_them_once(path: Path, postgres: str) -> None:
    budgets = (
        Budget("week", 100, "week"),
        Budget("opus", 100, "week", models=frozenset({"opus"})),
        Budget("paced", 100, "week", spread=True),
    )
    all_here = recall(path, budgets, NOON)
    log = PostgresLog(path, url=postgres, clock=lambda: NOON)
    asyncio.run(log.shipped())
    log.close()
    late = SqliteLog(path, retention=None, clock=lambda: NOON)
    late.put(row(5, NOON - 30, 1.0, "opus"))
    asyncio.run(late.flushed())
    late.close()
    with closing(sqlite3.connect(path)) as file:  # as happens once `keep_local` is over
        file.execute("DELETE FROM decisions WHERE request_id IN (?, ?)", [f"{number:011x}{MEMBER}0000" for number in (1, 2)])
        file.commit()
    assert recall(path, budgets, NOON).spent["week", "", MEMBER] < all_here.spent["week", "", MEMBER]
    there = recall(path, budgets, NOON, postgres)
    assert there.spent == pytest.approx({key: amount + 1.5 - 0.0 for key, amount in all_here.spent.items()})
    assert there.demand["paced"].shares.index(max(there.demand["paced"].shares)) == all_here.demand["paced"].shares.index(
        max(all_here.demand["paced"].shares)
    )


def test_where_the_database_cannot_be_read_the_file_is_and_a_warning_says_so(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    budgets = Budgets(builders.loaded({"budgets": {"day": {"limit": 10, "per": "day"}}}), Clock(NOON))
    with caplog.at_level("WARNING"):
        asyncio.run(remember(budgets, [path, "postgresql://nobody@127.0.0.1:1/nothing"]))
    assert "only what the local file still holds" in caplog.text
    assert budgets.see(NO_VIEW, Features("r")).budgets == {"day": pytest.approx(6.0)}
