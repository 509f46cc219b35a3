"""Alerts: what moved, since when, which requests show it, what to do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from dashboard.conftest import HOSTILE
from dashboard.pages import Pages
from server.harness import Running
from tierline.ledger.ledger import Ledger
from tierline.types.alert import Alert


@pytest.fixture
def raised(desk: Running) -> Iterator[str]:
    """One open alert of a model, one of a route that is over; the id of a request that shows the first. A subject may hold anything."""
    shows, now = str(desk.ask("GET", "/admin/decisions?limit=1").json["decisions"][0]["request_id"]), time.time()
    todo = "Take mini off the task until it is better."
    moved = Alert("quality_drop", "model/mini", now - 60, now - 9000, 0.93, 0.84, 0.999, "mini passed 84 %; it was 93 %", todo, (shows,))
    over = Alert("tier_share", "route/auto", now - 9000, now - 9900, 0.12, 0.21, 0.98, HOSTILE, "Look at the mix.")
    with closing(Ledger(desk.spec.parent / "desk.db")) as ledger:
        ledger.alerts.put(moved)
        made = ledger.alerts.put(over)
        assert made is not None and ledger.alerts.recover(made.id, now - 30)
        yield shows
        ledger.connection.execute("DELETE FROM alerts")


def test_an_engineer_opens_an_alert_by_key_and_goes_to_a_request_that_shows_it(pages: Pages, raised: str) -> None:
    page = pages.open("alerts")
    page.locator("tr.opens").first.focus()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="quality drop: model/mini").wait_for()
    story = page.locator(".detail").inner_text()
    assert "Take mini off the task" in story and "0.93 → 0.84" in story and "99.90 %" in story
    pages.is_sound()
    page.get_by_role("link", name=raised).click()
    page.get_by_role("heading", name="Attempts").wait_for()
    pages.settled()


def test_what_is_over_is_found_by_its_state_and_its_words_are_text(pages: Pages, raised: str) -> None:
    page = pages.open("alerts")
    page.locator("select[name=state]").select_option("recovered")
    page.wait_for_url("**state=recovered**")
    page.get_by_role("cell", name="<img src=x").wait_for()
    assert "recovered" in page.locator("tr.opens").inner_text() and page.title() == "Alerts · Tierline"


def test_without_an_alert_it_says_so(pages: Pages, desk: Running) -> None:
    assert "Nothing that is watched has moved" in pages.open("alerts").locator("main").inner_text()


def test_a_model_says_that_it_has_an_alert(pages: Pages, raised: str) -> None:
    assert "1 alert" in pages.open("models").locator("tr.opens", has_text="mini").inner_text()
