"""The worksheet: every number with its source, savings at a volume that is typed, and the sheet as a file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dashboard.conftest import READER
from dashboard.pages import Pages
from server.harness import Running
from tierline.config.load import load
from tierline.evaluation.estimate.sheet import from_csv


def worksheet(desk: Running, volume: str = "") -> Any:
    said = desk.ask("GET", f"/admin/worksheet?volume={volume}")
    assert said.status == 200, said.body
    return said.json


def test_every_number_says_where_it_came_from(desk: Running) -> None:
    said = worksheet(desk)
    assert said["requests"] == 20_000
    kinds = set()
    for row in said["estimate"]["worksheet"]["rows"]:
        for name in ("traffic_share", "quality_threshold", "tokens_in", "tokens_out", "pass_rate", "latency_p50", "latency_p95", "cost"):
            source = row[name]["source"]
            kinds.add(source["kind"])
            assert source["kind"] != "measured" or 0 < source["n"] <= 20_000, (row["task"], name)
    assert kinds == {"measured", "assumed", "config"}


def test_savings_are_those_of_a_request_times_the_volume(desk: Running) -> None:
    said = worksheet(desk, "50k/day")
    assert said["per"]["day"] == pytest.approx(50_000)
    assert said["estimate"]["volume"]["source"]["kind"] == "config"
    for policy in said["estimate"]["policies"]:
        saving = policy["saving"]
        for period, requests in said["per"].items():
            assert saving[period]["value"] == pytest.approx(saving["request"]["value"] * requests)
    assert [policy["name"] for policy in said["estimate"]["policies"]] == ["all best", "all cheap", "static", "cascade", "spec"]
    assert "learned" in said["estimate"]["absent"]


def test_its_csv_is_one_that_the_command_reads_again(desk: Running) -> None:
    said = worksheet(desk)
    known = from_csv(said["csv"], load(desk.spec, {}).models)
    rows = {row["task"]: row for row in said["estimate"]["worksheet"]["rows"]}
    assert set(known.named) == set(rows)
    for task, row in rows.items():
        assert known.sheet[task, "traffic_share"].value == pytest.approx(row["traffic_share"]["value"], rel=1e-5)
        assert known.sheet[task, "tokens_in"].source.kind == row["tokens_in"]["source"]["kind"]


def test_a_volume_that_is_none_is_refused_in_words(desk: Running) -> None:
    said = desk.ask("GET", "/admin/worksheet?volume=lots")
    assert said.status == 400 and "1M/month" in said.error["message"] and said.error["param"] == "volume"


def test_without_the_extra_it_says_how_to_install_it() -> None:
    script = (
        "import asyncio, sys; sys.modules['numpy'] = None; from tierline.server.panels.analysis import MISSING, reckoner;"
        "print(asyncio.run(reckoner('tierline.evaluation.estimate.of_newest')), MISSING['missing'])"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert said.stdout.startswith("None ") and "pip install 'tierline[analysis]'" in said.stdout


def test_a_manager_types_a_volume_and_takes_the_sheet_along(pages: Pages, tmp_path: Path) -> None:
    page = pages.open("worksheet")
    assert "measured n=20,000" in page.get_by_role("table", name="Worksheet", exact=True).inner_text()
    page.get_by_label("Volume").fill("1M/month")
    page.get_by_label("Volume").press("Enter")
    page.wait_for_url("**volume=1M%2Fmonth**")
    page.get_by_text("At 1,000,000 requests a month (config: 1M/month)").wait_for()
    assert "Saved a month" in page.locator(".tiles").inner_text()
    row = page.get_by_role("table", name="Policies side by side").get_by_role("row").filter(has_text="as the spec is written")
    assert "$" in row.inner_text()
    with page.expect_download() as taken:
        page.get_by_role("button", name="Download CSV").click()
    taken.value.save_as(tmp_path / "sheet.csv")
    assert (tmp_path / "sheet.csv").read_text().startswith("task,traffic_share,quality_threshold,primary_model")


def test_it_is_worked_by_keyboard_alone(pages: Pages) -> None:
    page = pages.open("worksheet?volume=1k/day")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "volume"
    page.keyboard.press("Control+a")
    page.keyboard.type("2k/day")
    page.keyboard.press("Enter")
    page.get_by_text("(config: 2k/day)").wait_for()
    page.keyboard.press("Tab")
    with page.expect_download() as taken:
        page.keyboard.press("Enter")
    assert taken.value.suggested_filename.startswith("worksheet-")
    policies = page.get_by_role("table", name="Policies side by side")
    policies.get_by_role("button", name="Risk per 1,000").focus()
    page.keyboard.press("Enter")
    assert policies.locator("th[aria-sort=descending]").inner_text().startswith("Risk per 1,000")


def test_a_volume_that_makes_no_sense_leaves_the_sheet_and_says_so(pages: Pages) -> None:
    page = pages.open("worksheet")
    page.get_by_label("Volume").fill("a lot")
    page.get_by_label("Volume").press("Enter")
    page.get_by_text("write 1M/month").wait_for()
    assert page.get_by_role("table", name="Worksheet", exact=True).is_visible()
    pages.wrong.clear()  # the browser tells of the refusal itself


def test_the_worksheet_is_sound(pages: Pages) -> None:
    pages.open("worksheet?volume=1M/month")
    pages.is_sound()


def test_who_may_look_may_see_it(behind_keys: Pages) -> None:
    behind_keys.open()
    behind_keys.wrong.clear()
    behind_keys.sign_in(READER)
    page = behind_keys.go_to("Worksheet")
    page.get_by_role("table", name="Worksheet", exact=True).wait_for()
