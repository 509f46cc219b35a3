"""A month by route: its figures, the month before, and what could be won."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from evaluation.review.traffic import numbered, request, written
from tierline.config.load import load
from tierline.decision_log.reader import LogReader
from tierline.evaluation.review.month import Month, month_of, span_of
from tierline.evaluation.review.monthly import month_markdown, month_report


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Month:
    october, after = span_of("2026-10")
    september, _ = span_of("2026-09")
    fine = [request(n, october + 60.0 * n) for n in range(100)]
    dear = [request(n, october + 60.0 * n, first="opus") for n in range(10)]
    climbed = [request(n, october + 60.0 * n, route="nightly", climbs=True) for n in range(4)]
    wrong = [request(n, october + 60.0 * n, route="nightly", passes=False) for n in range(2)]
    before = [request(n, september + 60.0 * n) for n in range(50)]
    spec = written(tmp_path_factory.mktemp("month"), numbered(fine, dear, climbed, wrong, before, [request(0, after)]))
    with closing(LogReader(spec.parent / "tierline.db")) as reader:
        return month_of(load(spec), reader, {}, "2026-10")


def test_each_route_stands_beside_what_it_was_the_month_before(month: Month) -> None:
    auto, nightly = (next(one for one in month.routes if one.route == name) for name in ("auto", "nightly"))
    assert (auto.now.requests, auto.before.requests, nightly.before.requests) == (110, 50, 0)
    assert auto.now.cost == pytest.approx(100 * 0.001 + 10 * 0.01) and auto.owner == "support"
    assert nightly.now.escalation_rate == pytest.approx(4 / 6)
    assert nightly.now.pass_rate == 0.0, "the checks refused each first answer"


def test_what_could_be_won_is_what_is_too_dear_thrown_away_or_wrong(month: Month) -> None:
    auto, nightly = (next(one for one in month.routes if one.route == name) for name in ("auto", "nightly"))
    assert auto.waste.over_routed == pytest.approx(10 * (0.01 - 0.001), rel=0.01)
    assert nightly.waste.climbed == pytest.approx(4 * 0.001)
    assert nightly.waste.failed == pytest.approx(2 * 0.05)
    assert month.next_route == "nightly"


def test_the_report_names_the_route_to_optimise_next_and_escapes_what_it_quotes(month: Month, tmp_path: Path) -> None:
    assert "Optimise the route nightly next" in month_markdown(month)
    page = month_report(month, "Made by <b>nobody</b>.")
    assert "Optimise the route nightly next" in page and "<b>nobody</b>" not in page and "<script" not in page


def test_what_is_no_month_is_told() -> None:
    with pytest.raises(ValueError, match="write 2026-10"):
        span_of("October")
