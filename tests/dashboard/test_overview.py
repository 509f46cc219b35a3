"""The overview: what happened, told in figures that agree with the log."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from typing import Any

import pytest

from dashboard.conftest import READER, ROWS
from dashboard.pages import Pages, newest
from server.harness import Running, until


def overview(desk: Running, **asked: Any) -> Any:
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    said = desk.ask("GET", f"/admin/overview?{query}")
    assert said.status == 200, said.body
    return said.json


@pytest.fixture
def added_up(desk: Running) -> Running:
    """The desk, once every row is in the sums."""
    until(lambda: overview(desk, since=time.time() - 31 * 86400)["left"] == 0)
    return desk


def asked_of_the_rows(desk: Running, statement: str) -> Any:
    with contextlib.closing(sqlite3.connect(desk.spec.parent / "desk.db")) as log:
        return log.execute(statement).fetchone()


def test_its_figures_are_those_of_the_rows(added_up: Running) -> None:
    said = overview(added_up, since=time.time() - 31 * 86400)
    requests, cost, tokens, escalated = asked_of_the_rows(
        added_up, "SELECT count(*), sum(cost), sum(output_tokens), avg(escalations > 0) FROM decisions"
    )
    total = said["total"]
    assert (total["requests"], total["output_tokens"]) == (requests, tokens) and requests >= ROWS
    assert total["cost"] == pytest.approx(cost) and total["escalation_rate"] == pytest.approx(escalated)
    for dimension in ("tiers", "models", "tasks", "routes"):
        assert sum(one["requests"] for one in said[dimension]) == requests
        assert sum(one["cost_share"] for one in said[dimension]) == pytest.approx(1.0)
    assert [one["name"] for one in said["tiers"]][:3] == ["fast", "balanced", "best"]
    assert sum(map(sum, said["series"]["requests"].values())) == requests


def test_percentiles_are_within_four_per_cent_of_those_of_the_rows(added_up: Running) -> None:
    said = overview(added_up, since=time.time() - 31 * 86400)["total"]
    for share, name in ((0.5, "latency_p50"), (0.95, "latency_p95")):
        (exact,) = asked_of_the_rows(
            added_up,
            f"SELECT latency FROM decisions WHERE winner IS NOT NULL ORDER BY latency LIMIT 1 OFFSET {int(ROWS * 0.995 * share)}",
        )
        assert said[name] == pytest.approx(exact, rel=0.04)


def test_it_says_what_the_same_tokens_cost_at_the_best_model(added_up: Running) -> None:
    said = overview(added_up)["all_best"]
    assert (said["model"], said["tier"]) == ("big", "best")
    assert 0 < said["spent"] < said["cost"]


def test_a_request_is_in_it_as_soon_as_its_row_is_written(added_up: Running) -> None:
    begin = time.time() - 3600
    before = overview(added_up, since=begin)["total"]["requests"]
    assert added_up.chat().status == 200
    until(lambda: overview(added_up, since=begin)["total"]["requests"] == before + 1)


def test_a_time_that_makes_no_sense_is_refused_in_words(desk: Running) -> None:
    for query in ("since=tomorrow", "since=-5", f"since={time.time() + 60}", "since=1&until=1e9", "since=nan"):
        said = desk.ask("GET", f"/admin/overview?{query}")
        assert said.status == 400 and "since" in said.error["message"], query


def test_an_engineer_sees_the_day_and_goes_on_to_its_decisions(pages: Pages, added_up: Running) -> None:
    page = pages.open("overview?range=7d")
    assert "Requests" in page.locator(".tiles").inner_text() and "Saved against all-best" in page.locator(".tiles").inner_text()
    page.locator(".uplot canvas").nth(3).wait_for()
    page.get_by_role("button", name="30 days").click()
    page.wait_for_url("**range=30d**")
    page.get_by_text("by the day, UTC").wait_for()
    assert "100" in page.locator(".tile").first.inner_text()
    page.get_by_text("Figures as a table").first.click()
    assert page.get_by_role("region", name="Requests by tier, figures").locator("tbody tr").count() >= 30
    page.locator("select[name=route]").select_option("partners")
    page.wait_for_url("**route=partners**")
    page.get_by_role("table", name="Traffic by tier").get_by_role("link", name="best").click()
    page.get_by_role("heading", level=1, name="Decisions").wait_for()
    assert "tier=best" in page.url and "route=partners" in page.url and "range=30d" in page.url
    pages.settled()


def test_the_overview_is_sound(pages: Pages, added_up: Running) -> None:
    pages.open("overview?range=24h")
    pages.is_sound()


def test_a_time_without_requests_says_what_to_do(pages: Pages) -> None:
    page = pages.open("overview?since=2020-01-01T00:00&until=2020-02-01T00:00")
    assert "Nothing was asked in this time" in page.locator("main").inner_text()
    pages.is_sound()


def test_an_open_alert_stands_on_top_with_what_to_do_and_a_request_that_shows_it(behind_keys: Pages, guarded: Running) -> None:
    log = guarded.spec.parent / "desk.db"
    with contextlib.closing(sqlite3.connect(log)) as ledger, ledger:
        ledger.execute(
            "INSERT INTO alerts (watch, subject, raised, since, was, now, sure, what, todo, requests) "
            "VALUES ('quality_drop', 'task/order_extraction', ?, ?, 0.97, 0.8, 0.99, 'Fewer answers pass.', 'Look at mini.', ?)",
            (time.time(), time.time() - 7200, f'["{newest(log)}"]'),
        )
    behind_keys.open()
    behind_keys.wrong.clear()
    page = behind_keys.sign_in(READER)
    told = page.get_by_role("region", name="Open alerts: 1").inner_text()
    assert "Fewer answers pass." in told and "Look at mini." in told and "2 h" in told and "99 % sure" in told
    page.get_by_role("link", name="one that shows it").click()
    page.get_by_role("heading", name="Attempts").wait_for()
