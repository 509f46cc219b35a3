"""The experiments: what each arm gave, how far from an end, and stopping one by hand, with a reason."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from dashboard.conftest import ADMIN, CALLER, READER
from dashboard.pages import Pages
from dashboard.test_budgets import AS_READER, signed_in
from server.harness import Running, until
from tierline.ledger.ledger import Ledger

AS_ADMIN = {"authorization": f"Bearer {ADMIN}"}
AS_CALLER = {"authorization": f"Bearer {CALLER}"}
NAME = "mini-vs-mid"
ORDER = {"model": "auto", "messages": [{"role": "user", "content": "Where is my order 4711?"}]}


def read(trial: Running) -> Any:
    said = trial.ask("GET", "/admin/experiments", headers=AS_READER)
    assert said.status == 200, said.body
    (found,) = said.json["experiments"]
    return found


def turned(trial: Running, **asked: str) -> Any:
    return trial.ask("POST", f"/admin/experiments/{NAME}", {"arm": "mini", "state": "stopped", "why": "a test", **asked}, headers=AS_ADMIN)


@pytest.fixture(scope="module")
def measured(trial: Running) -> Running:
    """Sixty orders were answered, and each answer of mini was refused by who got it."""
    for _ in range(60):
        said = trial.ask("POST", "/v1/chat/completions", ORDER, headers=AS_CALLER)
        verdict = {"decision": said.headers["x-tierline-decision"], "accept": said.headers["x-tierline-model"] == "mid"}
        assert trial.ask("POST", "/v1/feedback", verdict, headers=AS_CALLER).status == 200
    turned(trial)  # what is done to an arm is read anew
    turned(trial, state="running")
    until(lambda: sum(arm["requests"] for arm in read(trial)["arms"]) >= 50)
    return trial


def test_it_tells_arms_pairs_guards_and_what_follows(measured: Running) -> None:
    found = read(measured)
    assert [(arm["name"], arm["share"]) for arm in found["arms"]] == [("mid", 0.5), ("mini", 0.5)]
    assert found["arms"][1]["state"] == "running"
    (pair,) = found["comparisons"]
    assert pair["better"] == "mid" and pair["evidence"] >= pair["needed"] == pytest.approx(2 / 0.05)
    assert pair["difference"]["low"] > 0
    (guard,) = found["guards"]
    assert (guard["arm"], guard["worse_by"]) == ("mini", 0.9)
    assert "mid is better" in found["follows"] and found["why"].startswith("Is the cheaper")


def test_what_makes_no_sense_is_refused_and_only_an_admin_turns_an_arm(trial: Running) -> None:
    for wrong in ({"arm": "big"}, {"why": "  "}, {"state": "running"}, {"state": "won"}):
        assert turned(trial, **wrong).status == 400, wrong
    body = {"arm": "mini", "state": "stopped", "why": "no"}
    assert trial.ask("POST", f"/admin/experiments/{NAME}", body, headers=AS_READER).status == 403
    assert trial.ask("POST", "/admin/experiments/none", body, headers=AS_ADMIN).status == 404


def test_an_admin_stops_an_arm_with_a_reason_and_lets_it_run_again(in_trial: Pages, measured: Running) -> None:
    page = signed_in(in_trial, "experiments", ADMIN)
    panel = page.get_by_role("region", name=NAME, exact=True)
    assert "mid is better" in panel.inner_text() and "of the way" in panel.inner_text()
    page.get_by_role("button", name="Stop mini").click()
    page.get_by_label("Why is mini stopped?").fill("complaints <b>of many</b>")
    page.get_by_role("button", name="Stop it").click()
    page.get_by_role("button", name="Resume mini").wait_for()
    page.get_by_text("What was done to its arms").click()
    assert "mini stopped, share 0.0 %, by chief: complaints <b>of many</b>" in panel.inner_text()
    with contextlib.closing(Ledger(measured.spec.parent / "desk.db")) as ledger:
        newest = next(entry for entry in ledger.audit.list(5) if entry.action == "arm_stopped")
    assert (newest.who, newest.subject, newest.detail["why"]) == ("chief", f"{NAME}/mini", "complaints <b>of many</b>")
    page.get_by_role("button", name="Resume mini").click()
    page.get_by_label("Why does mini run again?").fill("mended")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Stop mini").wait_for()


def test_an_arm_is_stopped_by_keyboard_and_escape_leaves_it(in_trial: Pages, measured: Running) -> None:
    page = signed_in(in_trial, "experiments", ADMIN)
    page.get_by_role("button", name="Stop mini").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Why is mini stopped?").wait_for()
    assert page.evaluate("document.activeElement.name") == "why"
    in_trial.is_sound()
    page.get_by_label("Why is mini stopped?").focus()
    page.keyboard.press("Escape")
    page.get_by_label("Why is mini stopped?").wait_for(state="detached")
    assert page.evaluate("document.activeElement.textContent.trim()") == "Stop"
    assert read(measured)["arms"][1]["state"] == "running"


def test_who_may_only_look_cannot_stop_one_and_is_told_why(in_trial: Pages, measured: Running) -> None:
    page = signed_in(in_trial, "experiments", READER)
    assert page.get_by_role("button", name="Stop mini").is_disabled()
    assert "needs a key with the scope admin" in page.locator("main").inner_text()


def test_without_experiments_the_page_shows_how_one_is_written(behind_keys: Pages) -> None:
    page = signed_in(behind_keys, "experiments")
    assert "The spec has no experiments." in page.locator("main").inner_text()
