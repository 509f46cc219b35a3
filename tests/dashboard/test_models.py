"""The models: how they stand, what they cost, what they did."""

from __future__ import annotations

import time
from typing import Any

import pytest

from dashboard.conftest import ROWS
from dashboard.pages import Pages
from server.harness import Running, until


def asked(desk: Running, path: str = "", days: float = 31.0) -> Any:
    said = desk.ask("GET", f"/admin/models{path}?since={time.time() - days * 86400}")
    assert said.status == 200, said.body
    return said.json


def test_every_model_of_the_spec_is_told_with_its_price_its_doors_and_its_share(desk: Running) -> None:
    said = asked(desk)
    by_name = {one["name"]: one for one in said["models"]}
    assert [*by_name][:5] == ["mini", "swift", "mid", "big", "grand"]
    mini = by_name["mini"]
    assert mini["price"] == {"input": 0.1, "output": 0.4, "cache_read": None, "cache_write": None}
    assert mini["model"]["source"] == "spec" and mini["health"]["doors"][0]["state"] == "closed"
    assert sum(one["figures"]["request_share"] for one in by_name.values() if one["figures"]) == pytest.approx(1.0, abs=0.02)


def test_a_call_that_broke_counts_though_another_model_answered(desk: Running) -> None:
    said = asked(desk)
    mini = next(one for one in said["models"] if one["name"] == "mini")["calls"]
    assert said["rows"] == 4000 and mini["calls"] > 1000
    assert mini["broke"] == pytest.approx(0.05, abs=0.02), "the made-up desk breaks one call of a fast model in twenty"
    assert set(mini["errors"]) <= {"overloaded", "timeout", "rate_limited"}
    assert mini["broke"] * mini["calls"] == pytest.approx(sum(mini["errors"].values()))


def test_one_model_over_time_adds_up_to_its_figures(desk: Running) -> None:
    until(lambda: asked(desk)["left"] == 0)
    figures = next(one for one in asked(desk)["models"] if one["name"] == "big")["figures"]
    series = asked(desk, "/big")["series"]
    assert sum(series["requests"]) == figures["requests"] > ROWS / 50
    assert sum(series["cost"]) == pytest.approx(figures["cost"])


def test_a_model_that_is_not_there_is_not_found(desk: Running) -> None:
    assert desk.ask("GET", "/admin/models/none-such").status == 404
    assert desk.ask("GET", "/admin/models?since=never").status == 400


def test_an_engineer_opens_a_model_by_click_and_goes_on_to_its_decisions(pages: Pages) -> None:
    page = pages.open("models?range=7d")
    page.get_by_role("button", name="Passed").click()
    page.locator("tr.opens", has_text="big").click()
    page.get_by_role("heading", name="Model big").wait_for()
    pages.settled()
    story = page.locator(".detail").inner_text()
    for said in ("$2.50 in, $10.00 out", "the spec says so", "Health now", "open for calls", "calls,"):
        assert said in story, said
    page.locator(".detail .uplot canvas").nth(2).wait_for()
    page.get_by_role("link", name="Decisions that it answered").click()
    page.get_by_role("heading", level=1, name="Decisions").wait_for()
    assert "model=big" in page.url and "range=7d" in page.url
    pages.settled()


def test_the_models_are_walked_by_keyboard_and_sound(pages: Pages) -> None:
    page = pages.open("models?range=24h")
    page.locator("tr.opens").first.focus()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Model swift").wait_for()
    assert page.evaluate("document.activeElement.id") == "detail"
    pages.settled()
    pages.is_sound()
    page.keyboard.press("Escape")
    page.wait_for_selector(".detail", state="detached")
    page.locator("tr.opens:focus").wait_for()
