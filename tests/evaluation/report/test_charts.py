"""Scales, ticks and names of the charts."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierline.evaluation.report.charts.frame import log_spread, spread, ticks
from tierline.evaluation.report.charts.labels import HEIGHT, Label, placed
from tierline.evaluation.report.charts.tradeoff import between
from tierline.evaluation.report.figures import plain, points, usd
from tierline.evaluation.report.html import tag

values = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20)
positive = st.lists(st.floats(1e-9, 1e6), min_size=1, max_size=20)


@given(values)
def test_every_value_has_its_place_within_the_chart(found: list[float]) -> None:
    scale = spread(found, 50.0, 800.0)
    assert all(50.0 <= scale(value) <= 800.0 for value in found)
    assert all(scale.low <= tick <= scale.high for tick in ticks(scale)) or scale.high - scale.low < 1e-6


@given(positive)
def test_a_logarithmic_scale_keeps_the_order_of_its_values(found: list[float]) -> None:
    scale = log_spread(found, 50.0, 800.0)
    places = [scale(value) for value in sorted(found)]
    assert places == sorted(places) and places[0] >= 50.0 and places[-1] <= 800.0
    assert len(ticks(scale, 6)) <= 7


def test_ticks_are_round() -> None:
    assert ticks(spread([0.0, 1.0], 0, 100, margin=0.0), 5) == pytest.approx([0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert ticks(log_spread([0.02, 3.0], 0, 100), 7) == pytest.approx([0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0])


def test_a_straight_line_stays_straight_on_a_logarithmic_scale() -> None:
    cost, quality = between(0.01, 0.5, 1.0, 0.9, 0.5)
    assert cost == pytest.approx(0.1)
    assert quality == pytest.approx(0.5 + 0.4 * (0.1 - 0.01) / 0.99)


@given(st.lists(st.tuples(st.floats(60, 300), st.floats(40, 400)), max_size=10, unique=True))
def test_names_never_cover_one_another(marks: list[tuple[float, float]]) -> None:
    names = [Label("name", x, y, needed=False) for x, y in marks]
    drawn = placed(names, marks, 50, 860, 20, 420)
    boxes = []
    for x, y, side in re.findall(r'<text class="label" x="([\d.]+)" y="([\d.]+)" text-anchor="(\w+)"', drawn):
        begin = float(x) if side == "start" else float(x) - 4 * 7.4
        boxes.append((begin, begin + 4 * 7.4, float(y)))
    for place, (begin, end, y) in enumerate(boxes):
        for other_begin, other_end, other_y in boxes[:place]:
            assert end <= other_begin + 0.01 or other_end <= begin + 0.01 or abs(y - other_y) >= HEIGHT - 0.01


@pytest.mark.parametrize(
    ("value", "said"), [(0.00112, "$1.12"), (0.0, "$0"), (12.0, "$12,000"), (1.234e-7, "$0.000123"), (None, "–"), (float("nan"), "–")]
)
def test_costs_are_told_per_thousand_queries(value: float | None, said: str) -> None:
    assert usd(value) == said


def test_differences_bear_their_sign() -> None:
    assert (points(0.034), points(-0.034), points(0.0), points(-0.0001)) == ("+3.4", "−3.4", "0.0", "0.0")
    assert plain(1234.5) == "1,234"


@given(st.text(), st.text())
def test_what_is_put_into_a_tag_is_text(child: str, attribute: str) -> None:
    made = tag("p", child, title=attribute)
    assert made.count("<") == 2 and made.count(">") == 2 and made.count('"') == 2
