"""The decisions: found, followed, explained, and decided again."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from dashboard.conftest import ADMIN, DESK, HOSTILE, READER
from dashboard.pages import Pages
from server.harness import Running


def listed(desk: Running, **asked: Any) -> Any:
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    said = desk.ask("GET", f"/admin/decisions?{query}")
    assert said.status == 200, said.body
    return said.json


def first(desk: Running, **asked: Any) -> str:
    return str(listed(desk, limit=1, **asked)["decisions"][0]["request_id"])


def opened(pages: Pages, request_id: str) -> Any:
    page = pages.open(f"decisions?range=all&open={request_id}")
    page.get_by_role("heading", name="Attempts").wait_for()
    return page


def test_pages_follow_each_other_without_a_gap_and_without_a_row_twice(desk: Running) -> None:
    page, seen = listed(desk, limit=40, flagged=1), []
    for _ in range(4):
        seen += page["decisions"]
        page = listed(desk, limit=40, flagged=1, before=page["next"])
    assert len({row["request_id"] for row in seen}) == len(seen) == 160 and all(row["flagged"] for row in seen)
    assert all((a["at"], a["seq"]) > (b["at"], b["seq"]) for a, b in pairwise(seen))


@pytest.mark.parametrize(
    ("asked", "holds"),
    [
        ({"route": "partners"}, lambda row: row["route"] == "partners"),
        ({"task": "order_status", "model": "swift"}, lambda row: (row["task"], row["model"]) == ("order_status", "swift")),
        ({"tier": "best"}, lambda row: row["tier"] == "best"),
        ({"key": "mail-desk"}, lambda row: row["key"] == "mail-desk"),
        ({"status": "5xx"}, lambda row: row["status"] >= 500),
        ({"error": "any"}, lambda row: row["error"] != ""),
        ({"changed": 1}, lambda row: row["fallbacks"] + row["escalations"] > 0),
        ({"min_cost": 0.005}, lambda row: row["cost"] >= 0.005),
    ],
)
def test_a_filter_takes_what_fits_and_nothing_else(desk: Running, asked: Any, holds: Any) -> None:
    rows = listed(desk, **asked)["decisions"]
    assert len(rows) == 50 and all(map(holds, rows))


def test_what_makes_no_sense_is_refused_in_words(desk: Running) -> None:
    for query in ("status=4x", "before=yesterday", "limit=0", "limit=9999", "min_cost=much", "since=inf"):
        said = desk.ask("GET", f"/admin/decisions?{query}")
        assert said.status == 400 and query.split("=")[0] in said.error["message"], query


def test_an_id_is_found_by_its_beginning_whenever_it_was(desk: Running) -> None:
    oldest = listed(desk, until=listed(desk)["decisions"][-1]["at"] - 20 * 86400, limit=1)["decisions"][0]
    found = listed(desk, id=oldest["request_id"][:20], since=oldest["at"] + 1e6)["decisions"]
    assert oldest["request_id"] in [row["request_id"] for row in found]


def test_words_and_specs_of_ones_own_are_for_admins(guarded: Running) -> None:
    def ask(method: str, path: str, secret: str, body: Any = None) -> Any:
        return guarded.ask(method, path, body, {"authorization": f"Bearer {secret}"})

    one = ask("GET", "/admin/decisions?limit=1", READER).json["decisions"][0]["request_id"]
    assert "scope admin" in ask("GET", f"/admin/explanations/{one}", READER).json["text_missing"]
    assert "log_text" in ask("GET", f"/admin/explanations/{one}", ADMIN).json["text_missing"]
    pasted = {"spec": guarded.spec.read_text()}
    assert "admin" in ask("POST", f"/admin/replays/{one}", READER, pasted).error["message"]
    same = ask("POST", f"/admin/replays/{one}", ADMIN, pasted).json
    assert same["same"] and same["before"] == same["after"]


def test_a_row_is_decided_again_as_it_was_under_the_spec_that_decided_it(desk: Running) -> None:
    policy = desk.ask("GET", "/admin/specs").json["specs"][0]["policy"]
    for row in listed(desk, limit=30)["decisions"]:
        said = desk.ask("POST", f"/admin/replays/{row['request_id']}", {"policy": policy}).json
        assert said["same"] and said["before"] == said["after"], row["request_id"]


def test_a_bad_spec_is_told_line_by_line_and_an_unknown_one_by_name(desk: Running) -> None:
    one = first(desk)
    said = desk.ask("POST", f"/admin/replays/{one}", {"spec": "version: 1\nmodels: {mini: {tier: nowhere}}\n"})
    assert said.status == 400 and "tierline.yaml:2" in said.error["message"]
    assert "no spec 'none-such'" in desk.ask("POST", f"/admin/replays/{one}", {"policy": "none-such"}).error["message"]
    assert desk.ask("GET", "/admin/explanations/none-such").status == 404


def test_an_engineer_finds_a_decision_by_click_and_reads_its_story(pages: Pages, desk: Running) -> None:
    page = pages.open("decisions")
    page.get_by_label("escalated or fell back").check()
    page.wait_for_url("**changed=1**")
    page.locator("select[name=task]").select_option("order_extraction")
    page.wait_for_url("**task=order_extraction**")
    pages.settled()
    page.locator("tr.opens").first.click()
    page.get_by_role("heading", name="Attempts").wait_for()
    story = page.locator(".detail").inner_text()
    for said in ("It was taken for the task 'order_extraction'", "Order of asking", "What would flip it", "Candidates", "Together"):
        assert said in story, said
    assert page.locator(".timeline li").count() >= 2
    assert page.locator(".timeline .tag.warn").count() >= 1
    page.get_by_role("button", name="Close").click()
    page.wait_for_selector(".detail", state="detached")
    page.get_by_role("button", name="Clear filters").click()
    page.wait_for_url("**#/decisions")


def test_the_list_is_walked_by_keyboard(pages: Pages) -> None:
    page = pages.open("decisions?range=all")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "id"
    page.locator("tr.opens").first.focus()
    page.keyboard.press("j")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("k")
    second = page.locator("tr.opens").nth(1)
    assert page.evaluate("[...document.querySelectorAll('tr.opens')].indexOf(document.activeElement)") == 1
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Attempts").wait_for()
    assert second.get_attribute("aria-current") == "true"
    assert page.evaluate("document.activeElement.id") == "detail"
    page.keyboard.press("Escape")
    page.wait_for_selector(".detail", state="detached")
    page.locator("tr.opens:focus").wait_for()


def test_a_new_decision_comes_by_itself_until_it_is_paused(pages: Pages, desk: Running) -> None:
    page = pages.open("decisions?range=all")
    made = desk.chat().headers["x-tierline-decision"]
    page.locator(f"tr.opens:has-text('{made}')").wait_for()
    assert "new decisions" in page.locator("[aria-live=polite]").first.inner_text()
    page.get_by_role("button", name="Pause").click()
    page.wait_for_url("**tail=off**")
    assert "paused" in page.locator(".list header").inner_text()
    page.get_by_role("button", name="Older decisions").click()
    page.locator("tr.opens").nth(99).wait_for()


def test_what_a_model_wrote_is_shown_as_text(pages: Pages, desk: Running, planted: str) -> None:
    page = opened(pages, planted)
    shown = page.get_by_role("region", name="Prompt and answer").inner_text()
    assert "<script>" in shown and "onerror" in shown and "& so on" in shown
    assert page.locator("main img, main script").count() == 0
    assert page.title() == "Decisions · Tierline" and HOSTILE[:8] in shown


def test_a_decision_is_decided_again_under_a_pasted_spec(pages: Pages, desk: Running) -> None:
    page = opened(pages, first(desk, task="order_status", tier="fast"))
    page.get_by_text("or paste one").click()
    page.get_by_label("Spec in YAML").fill(DESK.read_text().replace("models: [mini, mid]", "models: [big]"))
    page.get_by_role("button", name="Decide again").click()
    page.get_by_text("Another decision.").wait_for()
    assert "big" in page.get_by_role("table", name="Before and after").inner_text()


def test_without_admin_nothing_can_be_pasted_and_it_says_why(behind_keys: Pages, guarded: Running) -> None:
    behind_keys.open()
    behind_keys.wrong.clear()
    page = behind_keys.sign_in(READER)
    page = behind_keys.go_to("Decisions")
    page.locator("tr.opens").first.click()
    page.get_by_text("or paste one").click()
    assert page.get_by_label("Spec in YAML").is_disabled()
    assert "this needs a key with the scope admin" in page.locator(".replay").inner_text()


def test_the_decisions_are_sound(pages: Pages, planted: str) -> None:
    page = pages.open(f"decisions?range=all&id={planted[:21]}")
    pages.is_sound()
    page.locator("tr.opens").first.click()
    page.get_by_text("or paste one").click()
    page.get_by_role("button", name="Decide again").click()
    page.get_by_text("The same decision.").wait_for()
    pages.is_sound()
