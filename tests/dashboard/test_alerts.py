"""The alerts: what moved, since when, how sure that is, which requests show it, and what to do."""

from __future__ import annotations

import contextlib
import sqlite3
import time

import pytest

from dashboard.conftest import HOSTILE
from dashboard.pages import Pages, newest
from dashboard.test_budgets import signed_in
from server.harness import Running

_ADDED = (
    "INSERT INTO alerts (watch, subject, raised, since, was, now, sure, what, todo, requests, recovered) "
    "VALUES (?, ?, ?, ?, 0.97, 0.8, ?, ?, ?, ?, ?)"
)


@pytest.fixture(scope="module")
def alerted(trial: Running) -> str:
    """Two alerts are open and one is over; returns the id of the request that shows the first."""
    log, now = trial.spec.parent / "desk.db", time.time()
    shows = newest(log)
    rows = (
        ("quality_drop", "task/order_status", now - 60, now - 7200, 0.9934, "Fewer answers pass.", "Look at mini.", f'["{shows}"]', None),
        ("served_model", "model/mini", now - 120, now - 1800, 1.0, HOSTILE, "Ask its provider.", "[]", None),
        ("price_change", "model/big", now - 9000, now - 9600, 1.0, "It was dearer.", "Plan anew.", "[]", now - 600),
    )
    with contextlib.closing(sqlite3.connect(log)) as ledger, ledger:
        ledger.execute("DELETE FROM alerts")
        ledger.executemany(_ADDED, rows)
    return shows


def test_an_alert_says_what_moved_since_when_how_sure_and_what_to_do(in_trial: Pages, alerted: str) -> None:
    page = signed_in(in_trial, "alerts")
    told = page.get_by_role("region", name="Open alerts: 2").inner_text()
    for said in ("Fewer answers pass.", "task/order_status", "moved 2 h ago", "99.3 % sure", "more than 99.9 % sure", "Look at mini."):
        assert said in told, said
    assert "It was dearer." not in told and "<script>" in told, "what stands in an alert is shown as text"


def test_its_requests_and_its_subject_lead_to_the_decisions(in_trial: Pages, alerted: str) -> None:
    page = signed_in(in_trial, "alerts")
    page.get_by_role("link", name=alerted).click()
    page.get_by_role("heading", name="Attempts").wait_for()
    page = in_trial.go_to("Alerts")
    page.get_by_role("link", name="every decision of order_status since it moved").click()
    page.get_by_role("heading", level=1, name="Decisions").wait_for()
    assert "task=order_status" in page.url and "since=" in page.url
    in_trial.settled()


def test_the_past_ones_are_reached_by_keyboard(in_trial: Pages, alerted: str) -> None:
    page = signed_in(in_trial, "alerts")
    page.get_by_role("button", name="Open", exact=True).focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**state=recovered**")
    told = page.get_by_role("region", name="Recovered: 1")
    told.wait_for()
    assert "It was dearer." in told.inner_text() and ", after 2 h 30 min" in told.inner_text()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("region", name="All: 3, 2 of them open").wait_for()


def test_the_alerts_are_sound(in_trial: Pages, alerted: str) -> None:
    signed_in(in_trial, "alerts?state=all")
    in_trial.is_sound()


def test_where_nothing_moved_the_page_says_how_to_watch(behind_keys: Pages) -> None:
    page = signed_in(behind_keys, "alerts?state=recovered")
    assert "No alert has recovered yet." in page.locator("main").inner_text()
