"""The worksheet as CSV: what is written is read again, and what cannot be meant is refused."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.estimate.specs import desk
from tierline.config.loaded import Loaded
from tierline.evaluation.estimate.evidence import Cell, Evidence, Seen, Tally
from tierline.evaluation.estimate.fill import worksheet_of
from tierline.evaluation.estimate.sheet import COLUMNS, from_csv, to_csv
from tierline.types.errors import EvaluationFailure


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    return desk(tmp_path_factory.mktemp("sheet"))


def test_the_columns_are_those_of_a_worksheet() -> None:
    assert COLUMNS == (
        "task", "traffic_share", "quality_threshold", "primary_model", "fallback_model", "tokens_in", "tokens_out", "validation",
        "pass_rate", "latency_p50", "latency_p95", "cost_per_request", "last_review",
    )  # fmt: skip


@settings(max_examples=25)
@given(st.integers(20, 500), st.floats(0.3, 1.0), st.floats(10, 5000), st.floats(0.1, 900), st.floats(0.01, 30))
def test_what_is_written_is_read_again(spec: Loaded, n: int, rate: float, tokens: float, sd: float, slow: float) -> None:
    cell = Cell(Tally(n, rate, 0.2), Tally(), Tally(n, tokens, sd), Tally(n, 0.0, 0.0), tuple(slow * (1 + k / 30) for k in range(30)), n)
    measured = Evidence(
        "log", "2026-10-01", "2026-10-31", None, n, True, {"orders": Seen(n, Tally(n, tokens, sd))}, {("orders", "a"): cell}
    )
    sheet = worksheet_of(spec, measured)
    again = worksheet_of(spec, from_csv(to_csv(sheet), spec.models))
    for one, other in zip(sheet.rows, again.rows, strict=True):
        for name in ("traffic_share", "tokens_in", "tokens_out", "pass_rate", "latency_p50", "latency_p95", "cost"):
            number, read = getattr(one, name), getattr(other, name)
            assert (read.value, read.low, read.high) == pytest.approx((number.value, number.low, number.high), rel=1e-3, abs=1e-9)
            assert read.source == number.source


def filled(spec: Loaded, **cells: str) -> str:
    """The sheet with cells of the row of orders filled in by hand."""
    rows = sorted(csv.DictReader(io.StringIO(to_csv(worksheet_of(spec)))), key=lambda row: row["task"] != "orders")
    rows[0].update(cells)
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def test_what_people_fill_in_counts_and_says_that_it_is_assumed(spec: Loaded) -> None:
    sheet = from_csv(filled(spec, primary_model="a", pass_rate="91%", pass_rate_from="assumed: the team's guess"), spec.models)
    row = next(row for row in worksheet_of(spec, sheet).rows if row.task == "orders")
    assert (row.pass_rate.value, row.pass_rate.source.kind, row.pass_rate.source.note) == (0.91, "assumed", "the team's guess")
    assert row.models["a"].pass_rate.value == 0.91


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"pass_rate": "1.4"}, r"sheet:2: pass_rate: '1.4' is no share between 0 and 1"),
        ({"tokens_in": "many"}, r"sheet:2: tokens_in: 'many' is no number above 0"),
        ({"latency_p50_from": "hearsay"}, r"sheet:2: latency_p50_from: 'hearsay' is no source"),
        ({"primary_model": "gpt"}, r"sheet:2: primary_model: no model 'gpt' in the spec; it has a, b, c"),
        ({"task": ""}, r"sheet:2: a row without a task"),
        ({"pas_rate": "0.9"}, r"sheet: no such column pas_rate"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_line_and_column(spec: Loaded, cells: dict[str, str], said: str) -> None:
    with pytest.raises(EvaluationFailure, match=said):
        from_csv(filled(spec, **cells), spec.models, "sheet")


def test_a_sheet_that_names_another_primary_does_not_change_the_routing(spec: Loaded) -> None:
    found = worksheet_of(spec, from_csv(filled(spec, primary_model="c"), spec.models))
    assert next(row.primary_model for row in found.rows if row.task == "orders") == "a"
    assert "for orders, the spec asks a first: the spec counts" in found.notes[0]
