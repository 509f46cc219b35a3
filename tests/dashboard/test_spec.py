"""The spec at work, its history, and what differs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from bench.made_log import DESK

from dashboard.conftest import ADMIN, KEYS, READER
from dashboard.pages import Pages
from server.harness import Running, serving


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A gateway whose spec was changed once: a quality and a limit."""
    spec = tmp_path_factory.mktemp("changed") / "tierline.yaml"
    spec.write_text(DESK.read_text() + KEYS)
    with serving(spec) as running:
        spec.write_text(spec.read_text().replace("mini: 0.96", "mini: 0.94").replace("limit: 900", "limit: 1200"))
        assert asked(running, "/admin/reload", ADMIN, "POST")["problem"] == ""
        yield running


@pytest.fixture
def window(browser: Any, changed: Running) -> Iterator[Pages]:
    with Pages.opened(browser, changed) as opened:
        opened.open("spec")
        opened.wrong.clear()  # the 401 before anybody signs in
        yield opened


def asked(running: Running, path: str, secret: str = READER, method: str = "GET") -> Any:
    return running.ask(method, path, headers={"authorization": f"Bearer {secret}"}).json


def test_the_history_says_what_changed_and_never_a_secret(changed: Running) -> None:
    said = asked(changed, "/admin/history")
    newest, oldest = said["specs"]
    assert newest["policy"] == said["at_work"] and newest["before"] == oldest["policy"]
    assert newest["changes"] == 2 and "spec" in newest["parts"] and newest["first_seen"] <= time.time()
    assert ("chief", "reload") in [(one["who"], one["action"]) for one in said["done"]]
    told = asked(changed, f"/admin/history/{newest['policy']}?against={oldest['policy']}")
    assert told["changes"] == [
        {"path": "budgets.everything.limit", "was": "900.0", "now": "1200.0"},
        {"path": "tasks.order_status.quality.mini", "was": "0.96", "now": "0.94"},
    ]
    assert "order_status" in told["yaml"] and READER not in told["yaml"] and ADMIN not in told["yaml"]


def test_a_spec_that_is_not_kept_is_not_found(changed: Running) -> None:
    newest = asked(changed, "/admin/history")["at_work"]
    assert "none-such" in asked(changed, "/admin/history/none-such")["error"]["message"]
    assert "none-such" in asked(changed, f"/admin/history/{newest}?against=none-such")["error"]["message"]


def test_who_may_only_look_sees_the_difference_and_cannot_reload(window: Pages, changed: Running) -> None:
    page = window.sign_in(READER)
    assert page.get_by_role("button", name="Read it again").is_disabled()
    cells = page.get_by_role("table", name="What differs").inner_text()
    assert "budgets.everything.limit" in cells and "900.0" in cells and "1200.0" in cells
    page.get_by_text("The whole spec").click()
    assert "order_extraction" in page.get_by_role("region", name="Spec", exact=True).inner_text()
    window.is_sound()


def test_an_admin_walks_the_history_by_key_and_reads_the_spec_again(window: Pages, changed: Running) -> None:
    page = window.sign_in(ADMIN)
    page.locator("tr.opens").first.focus()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**policy=**")
    window.settled()
    page.locator("select[name=against]").select_option(index=1)
    page.wait_for_url("**against=**")
    window.settled()
    assert page.get_by_role("table", name="What differs").locator("tbody tr").count() == 2
    page.get_by_role("button", name="Read it again").press("Enter")
    page.get_by_text("It was read again, and has not changed.").wait_for()
    changed.spec.write_text(changed.spec.read_text() + "\nodd: 1\n")
    page.get_by_role("button", name="Read it again").click()
    page.get_by_text("The file was not taken.").wait_for()
    assert "odd" in page.get_by_role("region", name="Problems").inner_text()
    assert "the spec before goes on" in page.locator("main").inner_text()
    window.wrong.clear()  # the browser itself tells of the 422 on its console
