"""Where the worksheet's numbers come from: a log before a table, a table before a sheet, a sheet before the spec."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evaluation.estimate.specs import desk
from tierline.config.loaded import Loaded
from tierline.evaluation.estimate.evidence import Evidence
from tierline.evaluation.estimate.fill import worksheet_of
from tierline.evaluation.estimate.from_log import from_log
from tierline.evaluation.estimate.from_table import from_table
from tierline.evaluation.estimate.mixed import mixed
from tierline.evaluation.estimate.sheet import from_csv, to_csv
from tierline.evaluation.estimate.worksheet import OPEN, Row, Worksheet
from tierline.evaluation.table import Table
from tierline.routing.router import Router
from tierline.types.features import Features
from tierline.types.hints import Hints
from tierline.types.outcome import Usage, Verdict
from tierline.types.record import Record, Tried
from tierline.types.scores import NO_SCORES
from tierline.types.view import NO_VIEW

DAY = 86_400.0


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    return desk(tmp_path_factory.mktemp("evidence"))


def record(spec: Loaded, number: int, task: str = "orders", *, passed: bool = True, answered: str = "", cached: int = 0) -> Record:
    asked = Features(f"r{number}", hints=Hints(task=task), input_tokens=400)
    decision = Router(spec).decide(asked, NO_SCORES, NO_VIEW)
    tried = Tried(
        decision.target, "first", True, 0.001, 0.2 + number / 1000, None, Usage(400, 150, cached, 0, 60), verdicts=(Verdict("v", passed),)
    )
    return Record(at=DAY * 20_000 + number * 864, features=asked, decision=decision, tried=() if answered else (tried,),
                  winner=None if answered else 0, answered=answered)  # fmt: skip


def row(sheet: Worksheet, task: str) -> Row:
    return next(row for row in sheet.rows if row.task == task)


def test_a_log_gives_shares_tokens_seconds_thinking_and_volume_with_their_counts_and_days(spec: Loaded) -> None:
    records = [record(spec, number, "orders" if number % 4 else "drafts", cached=100) for number in range(200)]
    found = from_log(records, {}, "tierline.db")
    sheet = worksheet_of(spec, found)
    orders = row(sheet, "orders")
    assert orders.traffic_share.value == pytest.approx(0.75)
    assert (orders.traffic_share.source.kind, orders.traffic_share.source.n) == ("measured", 200)
    assert (orders.tokens_in.source.since, orders.tokens_in.source.until) == ("2024-10-04", "2024-10-05")
    assert (orders.tokens_in.value, orders.tokens_out.value, orders.models["a"].thinking.value) == pytest.approx((400, 90, 60))
    assert orders.cached.value == pytest.approx(0.25)
    assert orders.latency_p50.value == pytest.approx(0.3, abs=0.02)
    assert found.per_day == pytest.approx(100.0, rel=0.02)


def test_labels_say_how_good_the_given_answers_were_and_rejected_ones_were_not(spec: Loaded) -> None:
    records = [record(spec, number, passed=number % 5 != 0) for number in range(100)]
    labels = {f"r{number}": float(number % 10 != 1) for number in range(100) if number % 5}
    found = row(worksheet_of(spec, from_log(records, labels, "log")), "orders").pass_rate
    assert found.value == pytest.approx(0.8 * 70 / 80)
    assert (found.source.n, found.source.note) == (80, "log")


def test_where_only_checks_have_spoken_the_pass_rate_is_seen_through_their_errors(spec: Loaded) -> None:
    records = [record(spec, number, passed=number % 4 != 0) for number in range(100)]
    found = row(worksheet_of(spec, from_log(records, {}, "log")), "orders").pass_rate
    assert found.value == pytest.approx((0.75 - 0.2) / (0.98 - 0.2))
    assert found.source.note == "log, by its checks alone"


def test_few_rows_measure_nothing(spec: Loaded) -> None:
    sheet = worksheet_of(spec, from_log([record(spec, number) for number in range(19)], {}, "log"))
    assert row(sheet, "orders").pass_rate.source.kind == "assumed"
    assert row(sheet, "orders").tokens_in.value == 900


def test_requests_that_a_tool_answered_are_hits(spec: Loaded) -> None:
    records = [record(spec, number, answered="faq" if number % 5 == 0 else "") for number in range(100)]
    hits = row(worksheet_of(spec, from_log(records, {}, "log")), "orders").tool_hits
    assert (hits.value, hits.source.kind) == (pytest.approx(0.2), "measured")


def table() -> Table:
    score = np.array([[1.0, 1.0], [0.0, 1.0]] * 20)
    return Table(
        ("a", "c"), [f"q{n}" for n in range(40)], ["orders"] * 40, ["d"] * 40, score, np.full((40, 2), 0.01),
        latency=np.full((40, 2), 0.7), output_tokens=np.full((40, 2), 33.0),
    )  # fmt: skip


def test_a_table_gives_pass_rates_and_no_shares(spec: Loaded) -> None:
    orders = row(worksheet_of(spec, from_table(table(), {"a": "a", "c": "c"}, "answers.csv")), "orders")
    assert (orders.pass_rate.value, orders.pass_rate.source.n, orders.tokens_out.value) == (0.5, 40, 33.0)
    assert (orders.traffic_share.value, orders.traffic_share.source.kind) == (0.75, "assumed")


def test_a_log_comes_before_a_table_a_table_before_a_sheet_and_a_sheet_before_the_spec(spec: Loaded) -> None:
    said = from_csv(to_csv(worksheet_of(spec)).replace(",0.8,", ",0.81,").replace(",0.97,", ",0.96,"), spec.models, "sheet")
    logged = from_log([record(spec, number) for number in range(60)], {f"r{n}": 1.0 for n in range(60)}, "log")
    found = row(worksheet_of(spec, mixed([logged, from_table(table(), {"a": "a", "c": "c"}, "answers"), said])), "orders")
    assert found.models["a"].pass_rate.source.note == "log + answers + sheet" and found.models["a"].pass_rate.value == 1.0
    assert found.models["c"].pass_rate.value == 1.0 and found.models["c"].pass_rate.source.n == 40
    assert found.models["b"].pass_rate.value == 0.9
    assert mixed([]) == Evidence()


def test_shares_add_up_whatever_is_said_of_them(tmp_path: Path) -> None:
    left = worksheet_of(desk(tmp_path, "traffic_share: 0.25", "traffic_share: 0.15"))
    assert {found.task: pytest.approx(found.traffic_share.value) for found in left.rows} == {"orders": 0.75, "drafts": 0.15, OPEN: 0.1}
    said = from_csv("task,traffic_share\norders,0.9\ndrafts,0.9\n", {}, "sheet")
    over = worksheet_of(desk(tmp_path), said)
    assert {found.task: pytest.approx(found.traffic_share.value) for found in over.rows} == {"orders": 0.5, "drafts": 0.5}


def test_every_number_of_every_row_has_a_source_and_lies_within_its_range(spec: Loaded) -> None:
    for found in worksheet_of(spec).rows:
        for number in (
            found.traffic_share,
            found.tokens_in,
            found.tokens_out,
            found.pass_rate,
            found.latency_p50,
            found.latency_p95,
            found.cost,
        ):
            assert number.source.kind in ("measured", "assumed", "catalogue", "config")
            assert number.low <= number.value <= number.high


def test_only_a_model_that_is_known_to_reason_is_taken_to_think(tmp_path: Path) -> None:
    """Nobody knows what a model can do for which neither spec nor catalogue says; that is no reason to pay for thinking."""
    told = desk(
        tmp_path,
        "price: {input: 30, output: 150}, capabilities: [json_object]",
        "price: {input: 30, output: 150}, capabilities: [reasoning]",
    )
    models = row(worksheet_of(told), "orders").models
    assert (models["c"].thinking.value, models["c"].thinking.source.kind) == (150.0, "assumed")
    assert (models["a"].thinking.value, models["a"].thinking.source.note) == (0.0, "cannot reason")
    untold = desk(tmp_path, "price: {input: 30, output: 150}, capabilities: [json_object]", "price: {input: 30, output: 150}")
    thinking = row(worksheet_of(untold), "orders").models["c"].thinking
    assert (thinking.value, thinking.source.note) == (0.0, "not known to reason")


def test_a_request_that_governance_refuses_costs_nothing_and_is_answered_by_nobody(tmp_path: Path) -> None:
    found = worksheet_of(
        desk(tmp_path, "routes:", "governance: {rules: [{when: 'task == \"drafts\"', refuse: true, why: not ours}]}\nroutes:")
    )
    drafts = row(found, "drafts")
    assert (drafts.primary_model, drafts.cost.value) == ("", 0.0)
