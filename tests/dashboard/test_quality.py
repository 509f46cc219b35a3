"""Routing quality: what the log proves, what it does not, and the evaluation beside the spec."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from bench.made_log import DESK, make_log

from dashboard.conftest import READER
from dashboard.pages import Pages
from server.harness import Running, serving
from tierline.config.load import load
from tierline.evaluation.document import Advantage, Data, Document, Interval, Loss, Regret, Row, encode
from tierline.evaluation.quality.of_newest import evaluation_of
from tierline.ledger.ledger import Ledger
from tierline.ledger.shadows import Shadowed

NOTHING = Loss(0.0, 0.0, 0.0)
GIVEN = ("order_status", "mini")


@pytest.fixture(scope="module")
def proving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A gateway that explores, whose log has chance in it, with shadows of `mid` and an evaluation beside its spec."""
    spec = tmp_path_factory.mktemp("proving") / "tierline.yaml"
    spec.write_text(DESK.read_text().replace("    log_text: all\n", "    explore: 0.3\n", 1))
    log = spec.parent / "desk.db"
    make_log(log, load(spec, {}), 4000, time.time(), days=2)
    with closing(sqlite3.connect(log)) as rows:
        found = rows.execute(
            "SELECT request_id, at FROM decisions WHERE task = ? AND model = ? AND attempts = 1 ORDER BY at DESC", GIVEN
        ).fetchmany(50)
    beside = [
        Shadowed(name, at, "auto", GIVEN[0], "mid", GIVEN[1], 0.1, True, number % 10 != 0, 0.001, 1.0)
        for number, (name, at) in enumerate(found)
    ]
    ledger = Ledger(log)
    ledger.shadows.add(beside)
    ledger.close()
    regret = Regret(Loss(0.2, 0.05, 0.001), Loss(0.1, 0.05, 0.0), Loss(0.1, 0.0, 0.001))
    won = Row(
        quality=0.93,
        quality_interval=Interval(0.9, 0.95),
        cost=0.001,
        advantage=Advantage(0.021, 0.012, 0.03, {"mini": 1.0}, 0.9, 0.001),
        regret=regret,
    )
    written = encode(
        Document(
            data=Data(files=("a.jsonl",), queries=900, compared=800, cells=1, models={}, tasks={}, datasets={}),
            reference={},
            routers={"spec": won},
        )
    )
    (spec.parent / "evaluation.json").write_bytes(written)
    with serving(spec) as running:
        yield running


@pytest.fixture
def proved(browser: Any, proving: Running) -> Iterator[Pages]:
    with Pages.opened(browser, proving) as opened:
        yield opened


def quality(running: Running) -> Any:
    said = running.ask("GET", "/admin/quality")
    assert said.status == 200, said.body
    return said.json


def test_measured_pass_rates_are_those_of_the_rows(desk: Running) -> None:
    said = quality(desk)["log"]
    with closing(sqlite3.connect(desk.spec.parent / "desk.db")) as log:
        newest = "SELECT task, first_model FROM decisions ORDER BY seq DESC LIMIT ?"
        asked = log.execute(newest, (said["requests"],)).fetchall().count(("order_status", "mini"))
    held = {(one["task"], one["model"]): one for one in said["held"]}
    mini = held["order_status", "mini"]
    assert 0.8 * asked < mini["measured"]["judged"] <= asked
    assert mini["measured"]["low"] < mini["measured"]["value"] < mini["measured"]["high"] and mini["verdict"] == "too high"
    assert held["policy_questions", "grand"] | {"declared": 0} == {
        "task": "policy_questions", "model": "grand", "declared": 0, "measured": None, "verdict": "no evidence",
    }  # fmt: skip


def test_slices_come_with_the_worst_first(desk: Running) -> None:
    rates = [one["rate"] for one in quality(desk)["log"]["slices"]]
    assert rates and rates == sorted(rates, key=lambda one: one["high"]) and all(one["judged"] >= 30 for one in rates)


def test_a_log_without_pairs_and_without_chance_proves_nothing_of_other_choices(desk: Running) -> None:
    said = quality(desk)
    log = said["log"]
    assert (log["confused"], log["regret"], log["explored"], log["beside"], said["evaluation"]) == (None, None, [], [], None)
    assert (log["by_chance"], said["explores"], said["shadows"]) == (0, [], [])


def test_shadows_above_tell_of_tiers_too_low_and_not_of_tiers_too_high(proving: Running) -> None:
    log = quality(proving)["log"]
    (pair,) = log["beside"]
    assert (pair["given"], pair["beside"], pair["up"]) == ("mini", "mid", True)
    assert pair["requests"] == log["shadowed"] == sum(pair[name] for name in ("both", "neither", "only_given", "only_beside"))
    assert log["confused"]["over"] is None and log["confused"]["under"]["value"] == pytest.approx(pair["only_beside"] / pair["requests"])
    assert log["regret"]["under_routed"]["share"] == pytest.approx(pair["only_beside"] / pair["requests"])


def test_chance_tells_what_the_tier_above_would_bring(proving: Running) -> None:
    log = quality(proving)["log"]
    most = log["explored"][0]
    low, high = most["low"], most["high"]
    assert log["by_chance"] >= most["requests"] == sum(most["answers"].values()) and most["why"] == ""
    assert most["cost"][low]["value"] < most["cost"][high]["value"]
    for name in (low, high):
        assert 0.0 <= most["quality"][name]["low"] <= most["quality"][name]["value"] <= most["quality"][name]["high"] <= 1.0


def test_an_evaluation_that_is_none_is_told_in_words(proving: Running) -> None:
    beside = proving.spec.parent / "another"
    beside.mkdir()
    (beside / "evaluation.json").write_text("{")
    found = evaluation_of(beside / "tierline.yaml")
    assert found is not None and "tierline evaluate --json" in found["wrong"] and len(found["fingerprint"]) == 12
    assert evaluation_of(Path(proving.spec.parent / "nowhere" / "tierline.yaml")) is None


def test_an_engineer_sees_what_is_not_known_and_what_would_tell(pages: Pages) -> None:
    pages.open("overview")
    page = pages.go_to("Routing quality")
    for name, give in (
        ("Advantage over a random mix of the same cost", "tierline evaluate --json"),
        ("Tier too low, tier too high", "shadow"),
        ("Regret by cause", "shadow"),
        ("What asking another model first would bring", "explore: 0.02"),
        ("Predicted pass rates: reliability", "tierline train"),
    ):
        told = page.get_by_role("region", name=name).inner_text()
        assert "No evidence." in told and give in told, name
    assert "too high" in page.get_by_role("table", name="Declared pass rates").inner_text()
    pages.is_sound()


def test_what_is_proved_is_read_by_keyboard_alone(proved: Pages) -> None:
    page = proved.open("quality")
    assert "+2.1 points" in page.get_by_role("region", name="Advantage over a random mix of the same cost").inner_text()
    told = page.get_by_role("region", name="The evaluation", exact=True).first.inner_text()
    assert "evaluation.json" in told and "fingerprint" in told and "800 of 900 queries" in told
    assert (
        page.get_by_role("table", name="By chance").is_visible() and page.get_by_role("table", name="Answers given and beside").is_visible()
    )
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.textContent") == "Look again"
    page.keyboard.press("Enter")
    worst = page.get_by_role("table", name="Worst slices")
    worst.get_by_role("button", name="Good").focus()
    page.keyboard.press("Enter")
    assert worst.locator("th[aria-sort=descending]").inner_text().startswith("Good")
    proved.settled()
    proved.is_sound()


def test_who_may_look_may_see_it(behind_keys: Pages) -> None:
    behind_keys.open()
    behind_keys.wrong.clear()
    behind_keys.sign_in(READER)
    page = behind_keys.go_to("Routing quality")
    page.get_by_role("heading", name="Worst slices").wait_for()
