"""Keys and audit: who may do what, who did what, and whether the trail of that is as it was written."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from bench.made_log import DESK

from dashboard.conftest import ADMIN, KEYS, READER
from dashboard.pages import Pages
from dashboard.test_budgets import signed_in
from server.harness import Running, serving

AS_ADMIN = {"authorization": f"Bearer {ADMIN}"}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A gateway on whose ledger a key was made, and another made and ended."""
    spec = tmp_path_factory.mktemp("kept") / "tierline.yaml"
    spec.write_text(DESK.read_text() + KEYS)
    with serving(spec) as running:
        for name in ("ci", "gone"):
            wanted = {"name": name, "owner": "ada", "models": ["mini"], "requests": 60}
            assert running.ask("POST", "/admin/keys", wanted, headers=AS_ADMIN).status == 201
        assert running.ask("DELETE", "/admin/keys/gone", headers=AS_ADMIN).status == 200
        yield running


@pytest.fixture
def window(browser: Any, kept: Running) -> Iterator[Pages]:
    with Pages.opened(browser, kept) as opened:
        yield opened


def verified(kept: Running, head: str = "") -> Any:
    return kept.ask("GET", f"/admin/audit/verified?head={head}", headers=AS_ADMIN)


def test_one_sees_who_may_do_what_and_who_did_what(window: Pages) -> None:
    page = signed_in(window, "keys", ADMIN)
    keys = page.get_by_role("table", name="Keys of the ledger")
    assert "60 requests per 1 min" in keys.inner_text() and "models mini" in keys.inner_text() and "by chief" in keys.inner_text()
    assert keys.locator("tbody tr").count() == 1
    page.get_by_label("with those that have ended").check()
    keys.get_by_text("revoked", exact=True).wait_for()
    trail = page.get_by_role("table", name="Audit trail").inner_text()
    assert "key.revoke" in trail and "gone" in trail and "chief" in trail
    window.is_sound()


def test_the_chain_is_checked_by_keyboard_with_a_head_that_was_kept(window: Pages, kept: Running) -> None:
    head = kept.ask("GET", "/admin/audit", headers=AS_ADMIN).json["head"]
    page = signed_in(window, "keys", ADMIN)
    page.get_by_label("An earlier head").focus()
    page.keyboard.type(f"{head['seq']}:{head['hash']}")
    page.keyboard.press("Enter")
    page.get_by_text("are as they were written, and the head that you kept is among them").wait_for()


def test_a_key_that_may_read_sees_none_of_it(window: Pages, kept: Running) -> None:
    page = signed_in(window, "keys", READER)
    assert "needs a key with the scope admin" in page.locator("main").inner_text()
    assert kept.ask("GET", "/admin/audit/verified", headers={"authorization": f"Bearer {READER}"}).status == 403


def test_a_head_that_the_trail_never_had_and_one_that_makes_no_sense(kept: Running) -> None:
    said = verified(kept, f"1:{'ab' * 32}").json
    assert (said["whole"], said["broken"]["seq"]) == (False, 1)
    assert verified(kept, "7").status == 400


def test_an_entry_that_was_changed_is_named(window: Pages, kept: Running) -> None:
    page = signed_in(window, "keys", ADMIN)
    with contextlib.closing(sqlite3.connect(kept.spec.parent / "desk.db")) as ledger, ledger:
        ledger.execute("DROP TRIGGER audit_is_never_changed")
        ledger.execute("UPDATE audit SET who = 'nobody' WHERE seq = 2")
    page.get_by_role("button", name="Check the chain").click()
    page.get_by_text("The trail was tampered with").wait_for()
    assert "at entry 2" in page.get_by_role("region", name="Audit trail").first.inner_text()
