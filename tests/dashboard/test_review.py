"""The review queue worked off by click and by key, and the tasks that are due."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from bench.made_log import put_text

from dashboard.conftest import ADMIN, HOSTILE, READER
from dashboard.pages import Pages
from server.harness import Running
from tierline.ledger.ledger import Ledger
from tierline.ledger.reviews import Review
from tierline.types.outcome import Verdict

FAILED = Verdict("order_extraction/json", False, "no JSON object in the answer")


def queue(running: Running, count: int = 3) -> list[str]:
    """That many entries, the newest first; the newest has a hostile answer."""
    now, log = time.time(), running.spec.parent / "desk.db"
    with closing(sqlite3.connect(log)) as rows:
        found = rows.execute("SELECT request_id, route, task, model FROM decisions ORDER BY random() LIMIT ?", (count,)).fetchall()
    entries = [Review(one[0], now - place, "flagged", *one[1:], (FAILED, Verdict("refusal", True))) for place, one in enumerate(found)]
    with closing(Ledger(log)) as ledger:
        ledger.connection.execute("DELETE FROM reviews")
        ledger.reviews.add(entries, 1e9)
    asked = {"messages": [{"role": "user", "content": "Where is my order 4711?"}]}
    put_text(log, found[0][0], now, asked, {"choices": [{"message": {"role": "assistant", "content": HOSTILE}}]})
    return [str(one[0]) for one in found]


@pytest.fixture
def entries(desk: Running) -> Iterator[list[str]]:
    yield queue(desk)


def state(running: Running, entry: str) -> tuple[str, str | None, str]:
    with closing(Ledger(running.spec.parent / "desk.db")) as ledger:
        found = ledger.reviews.get(entry)
    assert found is not None
    return found.state, found.correction, found.note


def test_an_editor_works_the_queue_off_by_key(pages: Pages, desk: Running, entries: list[str]) -> None:
    page = pages.open("review")
    page.locator("tr.opens").first.focus()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name=f"Entry {entries[0]}").wait_for()
    pages.settled()
    assert HOSTILE in page.locator("pre.words").inner_text() and page.title() == "Review · Tierline"
    page.keyboard.press("a")
    page.get_by_role("heading", name=f"Entry {entries[1]}").wait_for()
    pages.settled()
    page.keyboard.press("c")
    page.locator("textarea:focus").wait_for()
    page.keyboard.type("a, c and d are letters here: {}")
    page.get_by_role("button", name="Correct it").press("Enter")
    page.get_by_role("heading", name=f"Entry {entries[2]}").wait_for()
    pages.settled()
    page.keyboard.press("d")
    page.get_by_text("The queue is empty.").wait_for()
    assert [state(desk, one)[0] for one in entries] == ["accepted", "corrected", "dismissed"]
    assert state(desk, entries[1])[1] == "a, c and d are letters here: {}"


def test_an_editor_judges_by_click_with_a_note_and_finds_it_again(pages: Pages, desk: Running, entries: list[str]) -> None:
    page = pages.open("review")
    page.locator("tr.opens", has_text=entries[1]).click()
    page.get_by_label("Note").fill("as agreed")
    page.get_by_role("button", name="Accept").click()
    page.get_by_role("heading", name=f"Entry {entries[2]}").wait_for()
    assert f"{entries[1]} is accepted" in page.get_by_role("status").first.inner_text()
    assert state(desk, entries[1]) == ("accepted", None, "as agreed")
    page.locator("select[name=state]").select_option("accepted")
    page.wait_for_url("**state=accepted**")
    page.locator("tr.opens", has_text=entries[1]).click()
    page.get_by_text("as agreed").wait_for()
    assert page.get_by_role("button", name="Accept").count() == 0


def test_an_entry_that_somebody_else_judged_first_says_so(pages: Pages, desk: Running, entries: list[str]) -> None:
    page = pages.open(f"review?open={entries[0]}")
    desk.ask("POST", f"/admin/reviews/{entries[0]}", {"state": "dismissed"})
    page.get_by_role("button", name="Accept").click()
    assert "dismissed already" in page.get_by_role("alert").inner_text()
    pages.wrong.clear()  # the browser itself tells of the 404 on its console


def test_who_may_only_look_sees_no_words_and_no_buttons(behind_keys: Pages, guarded: Running) -> None:
    entry = queue(guarded, 1)[0]

    def ask(method: str, secret: str, body: Any = None) -> Any:
        return guarded.ask(method, f"/admin/reviews/{entry}", body, {"authorization": f"Bearer {secret}"})

    assert ask("GET", READER).json["text"] is None and HOSTILE[:9] in ask("GET", ADMIN).json["text"]
    assert ask("POST", READER, {"state": "accepted"}).status == 403
    page = behind_keys.open(f"review?open={entry}")
    behind_keys.wrong.clear()
    behind_keys.sign_in(READER)
    page.get_by_text("Judging needs a key with the scope admin.").wait_for()
    page.keyboard.press("a")
    assert page.get_by_role("button", name="Accept").count() == 0 and HOSTILE[:9] not in page.locator("main").inner_text()
    assert state(guarded, entry)[0] == "open"


def test_due_tasks_are_those_of_the_command(desk: Running, pages: Pages, entries: list[str]) -> None:
    said = desk.ask("GET", "/admin/due").json
    assert [one["task"] for one in said["tasks"]] == ["order_status", "order_extraction", "policy_questions"] and 0 < said["days"] <= 30
    assert "nobody has looked at it yet" in [cause["what"] for cause in said["tasks"][0]["causes"]]
    page = pages.open(f"review?open={entries[0]}")
    assert "3 of 3 tasks are due." in page.locator("main").inner_text()
    page.get_by_text("Every task as it is now").click()
    assert page.get_by_role("table", name="Tasks now").locator("tbody tr").count() == 3
    pages.is_sound()
