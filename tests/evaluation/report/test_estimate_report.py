"""The report of an estimate: one file that needs nothing else, in which every word is a word."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from evaluation.estimate.specs import DESK, desk, loaded
from tierline.evaluation.estimate.document import Estimate
from tierline.evaluation.estimate.estimate import estimate
from tierline.evaluation.report.charts.bullets import Bullet
from tierline.evaluation.report.charts.swings import Moved, swings
from tierline.evaluation.report.estimated import estimate_report


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Estimate:
    return estimate(desk(tmp_path_factory.mktemp("report")), draws=60)


def test_it_loads_nothing_and_runs_nothing(found: Estimate) -> None:
    page = estimate_report(found)
    assert not re.search(r"<script|\son\w+=|src=|url\(|@import|https?://", page)
    assert "default-src &#x27;none&#x27;" in page


def test_every_section_is_found_from_the_contents(found: Estimate) -> None:
    page = estimate_report(found)
    linked = re.findall(r'<a href="#([\w-]+)">', page)
    assert linked == ["worksheet", "policies", "tasks", "money", "tiers", "moves", "break-even", "sources"]
    assert all(f'<section id="{name}"' in page for name in linked)


def test_every_number_of_the_worksheet_says_where_it_is_from(found: Estimate) -> None:
    page = estimate_report(found)
    sheet = page[page.index('<section id="worksheet"') : page.index('<section id="policies"')]
    told = re.findall(r'<abbr title="(measured|assumed|catalogue|config)', sheet)
    assert len(told) == 8 * len(found.worksheet.rows)


def test_drawings_are_well_formed(found: Estimate) -> None:
    drawings = re.findall(r"<svg.*?</svg>", estimate_report(found), re.DOTALL)
    assert len(drawings) == 10
    assert all(ElementTree.fromstring(drawing.replace("&nbsp;", " ")).tag == "svg" for drawing in drawings)


def test_words_that_are_markup_are_shown_as_words(tmp_path: Path) -> None:
    page = estimate_report(estimate(loaded(tmp_path, DESK.replace("why: Fields.", 'why: "<script>alert(1)</script>"')), draws=60))
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize(("low", "high", "kind"), [(0.9, 0.99, "good"), (0.8, 0.99, "open"), (0.7, 0.8, "bad")])
def test_a_bar_is_cleared_when_all_of_the_range_clears_it(low: float, high: float, kind: str) -> None:
    assert Bullet("task", (low + high) / 2, low, high, 0.9).kind == kind


@pytest.mark.parametrize("width", [880.0, 400.0])
def test_both_ends_of_a_swing_are_drawn_from_where_it_stands_now(width: float) -> None:
    drawn = swings(width, 5.0, [Moved("pass rate", "70 %", "90 %", 7.0, 4.0)], str, str, "title", "label")
    (one, long), (other, short) = [
        (float(x), float(wide)) for x, wide in re.findall(r'<rect class="part c\d" x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', drawn)
    ]
    assert long == pytest.approx(2 * short, rel=1e-3)
    assert other + short == pytest.approx(one, abs=0.01)
