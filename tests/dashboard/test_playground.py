"""The playground: the decision before, the answer after, two settings side by side."""

from __future__ import annotations

from typing import Any

from dashboard.conftest import READER
from dashboard.pages import Pages
from server.harness import Running


def asked(page: Any, prompt: str) -> None:
    page.keyboard.press("/")
    page.locator("textarea[name=prompt]:focus").wait_for()
    page.keyboard.type(prompt)


def newest(desk: Running) -> int:
    return int(desk.ask("GET", "/admin/decisions?limit=1").json["newest"])


def test_an_engineer_sees_by_key_what_would_be_decided_and_nothing_is_called(pages: Pages, desk: Running) -> None:
    page, before = pages.open("playground"), newest(desk)
    asked(page, "where is my order 4711?")
    page.keyboard.press("Control+Enter")
    page.get_by_role("heading", name="What would flip it").wait_for()
    said = page.locator("main").inner_text()
    assert "It goes to mini (fast), as order_status" in said and "Who stood" in said
    assert newest(desk) == before


def test_two_settings_are_decided_and_answered_side_by_side(pages: Pages, desk: Running) -> None:
    page, before = pages.open("playground"), newest(desk)
    asked(page, "where is my order 4711?")
    page.get_by_role("button", name="Compare two settings").click()
    page.locator("select[name=modelB]").select_option("tier/best")
    page.get_by_role("button", name="Decide and answer").click()
    for name, model in (("A", "mini"), ("B", "big")):
        one = page.get_by_role("region", name=f"Setting {name}")
        one.locator("dd", has_text="in, ").wait_for()
        told = one.inner_text()
        assert f"It goes to {model}" in told and "Attempts" in told and "$0.0" in told
        assert one.get_by_role("region", name="Answer").inner_text().strip() not in ("", "…")
    assert newest(desk) == before + 2
    pages.is_sound()
    page.get_by_role("region", name="Setting B").get_by_role("link").click()
    page.get_by_role("heading", name="Attempts").wait_for()
    pages.settled()


def test_a_hint_that_cannot_be_met_is_told_in_words(pages: Pages) -> None:
    page = pages.open("playground")
    asked(page, "where is my order 4711?")
    page.locator("input[name=maxCost]").fill("0.00000001")
    page.get_by_role("button", name="Decide").first.click()
    page.get_by_role("region", name="Decision").get_by_text("over the cap").first.wait_for()


def test_who_may_not_call_is_told_so(behind_keys: Pages, guarded: Running) -> None:
    page = behind_keys.open("playground")
    behind_keys.wrong.clear()  # the 401 before anybody signs in
    behind_keys.sign_in(READER)
    page.locator("textarea[name=prompt]").fill("hello")
    assert page.get_by_role("button", name="Decide").first.is_disabled()
    assert "needs a key with the scope call" in page.locator("main").inner_text()
