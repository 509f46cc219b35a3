"""The budgets: what is used, whether that is ahead of the plan, and where it leads."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import Any

import pytest

from dashboard.conftest import ADMIN, READER
from dashboard.pages import Pages
from server.harness import Running

AS_READER = {"authorization": f"Bearer {READER}"}


def asked(trial: Running, path: str = "") -> Any:
    said = trial.ask("GET", f"/admin/budgets{path}", headers=AS_READER)
    assert said.status == 200, said.body
    return said.json


def signed_in(window: Pages, place: str, secret: str = READER) -> Any:
    """The page, for who has that key."""
    window.open(place)
    window.wrong.clear()  # the browser itself tells of the 401 on its console
    return window.sign_in(secret)


def test_a_course_ends_where_the_log_says_and_its_plan_at_the_limit(trial: Running) -> None:
    course = asked(trial, "/everything")
    with contextlib.closing(sqlite3.connect(trial.spec.parent / "desk.db")) as log:
        (cost,) = log.execute("SELECT coalesce(sum(cost), 0) FROM decisions WHERE at >= ?", (course["begins"],)).fetchone()
    known = [value for value in course["used"] if value is not None]
    assert known == sorted(known) and known[-1] == pytest.approx(cost)
    assert (course["planned"][0], course["planned"][-1]) == (0.0, pytest.approx(900.0))
    assert course["planned"] == sorted(course["planned"]) and course["times"] == sorted(course["times"])
    assert course["now"] in course["times"]


def test_where_it_leads_is_what_the_budget_projects(trial: Running) -> None:
    course = asked(trial, "/everything")
    (budget,) = [one for one in asked(trial)["budgets"] if one["name"] == "everything"]
    assert course["expected"][-1] == pytest.approx(budget["projected"], rel=0.01)


def test_a_budget_for_each_key_has_no_course_and_says_why(trial: Running) -> None:
    course = asked(trial, "/bots")
    assert "one for each key" in course["unknown"] and set(course["used"]) == {None}
    assert trial.ask("GET", "/admin/budgets/none", headers=AS_READER).status == 404
    assert trial.ask("GET", "/admin/budgets/everything").status == 401


def test_one_sees_what_is_spent_where_it_ends_and_what_happens_then(in_trial: Pages) -> None:
    page = signed_in(in_trial, "budgets")
    table = page.get_by_role("table", name="Budgets")
    assert "It lasts" in table.inner_text() or "Spent by" in table.inner_text()
    assert "requests are refused with 402" in table.inner_text() and "the cheapest model that may answer does" in table.inner_text()
    table.locator("tr.opens", has_text="everything").click()
    page.wait_for_url("**budget=everything**")
    page.get_by_role("region", name="everything, month").locator(".uplot canvas").wait_for()
    page.get_by_text("Figures as a table").click()
    assert page.get_by_role("columnheader", name="if it goes on so").is_visible()


def test_the_budgets_are_walked_by_keyboard(in_trial: Pages) -> None:
    page = signed_in(in_trial, "budgets", ADMIN)
    page.get_by_text("There is one for each key").wait_for()
    page.locator("tr.opens").first.focus()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**budget=shop**")
    page.get_by_role("region", name="shop, day").locator(".uplot canvas").wait_for()


def test_the_budgets_are_sound(in_trial: Pages) -> None:
    page = signed_in(in_trial, "budgets?budget=shop")
    page.locator(".uplot canvas").wait_for()
    in_trial.is_sound()


def test_without_budgets_the_page_shows_how_a_first_one_is_written(trial: Running, in_trial: Pages) -> None:
    in_trial.page.route("**/admin/budgets", lambda route: route.fulfill(json={"budgets": []}))
    page = signed_in(in_trial, "budgets")
    assert "The spec has no budgets." in page.locator("main").inner_text()
