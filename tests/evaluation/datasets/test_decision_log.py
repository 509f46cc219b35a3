"""The decision log as data: what was answered, what it cost and how good it was, and nothing about the models that were not asked."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from evaluation.logged import PASSED, RECORDS, attempt, record, written
from tierline.evaluation.datasets import Dataset, read
from tierline.evaluation.document import REFERENCES
from tierline.evaluation.evaluate import LOG_ONLY, Settings, evaluate
from tierline.types.errors import EvaluationFailure


@pytest.fixture
def logged(tmp_path: Path) -> Dataset:
    return read([written(tmp_path / "tierline.db", RECORDS)])


def test_a_score_is_what_was_said_else_what_the_validators_said_else_nothing(logged: Dataset) -> None:
    cells = {
        (query, model): score
        for query, row in zip(logged.table.query, logged.table.score.tolist(), strict=True)
        for model, score in zip(logged.table.models, row, strict=True)
        if not np.isnan(score)
    }
    assert cells == {("good", "mini"): 1.0, ("climbed", "mini"): 0.0, ("climbed", "opus"): 1.0, ("bad", "mini"): pytest.approx(0.2)}


def test_the_figures_of_the_cascade_by_hand(logged: Dataset) -> None:
    row = evaluate(logged, [], Settings(resamples=100)).routers["logged"]
    cascade = row.cascade
    assert cascade is not None and cascade.requests == 4
    assert (cascade.escalation_rate, cascade.fallback_rate, cascade.flagged_rate) == (0.25, 0.25, 0.0)
    assert (cascade.accept_precision, cascade.judged) == (0.5, 2)
    assert cascade.wasted_cost == pytest.approx(0.001 / 4)
    assert cascade.added_latency == pytest.approx((0.5 + 0.5) / 4)
    assert row.quality == pytest.approx((1.0 + 1.0 + 0.2) / 3)
    assert row.cost == pytest.approx((0.001 + 0.021 + 0.02 + 0.001) / 4)
    assert row.models == {"mini": 0.5, "opus": 0.5}


def test_a_log_says_nothing_about_models_that_were_not_asked(logged: Dataset) -> None:
    document = evaluate(logged, [], Settings(resamples=100))
    assert document.data.compared == 0
    assert {document.reference[name].why["quality"] for name in REFERENCES} == {LOG_ONLY}
    assert document.routers["logged"].why["advantage"] == LOG_ONLY


def test_a_log_without_a_judged_answer_says_so(tmp_path: Path) -> None:
    with pytest.raises(EvaluationFailure, match="no rows"):
        read([written(tmp_path / "tierline.db", [])])
    unjudged = [record("fell", attempt("mini", "first", (), 0.001))]
    row = evaluate(read([written(tmp_path / "other.db", unjudged)]), [], Settings(resamples=100)).routers["logged"]
    assert (row.quality, row.why["quality"], row.cost) == (None, "no answer was judged", 0.001)


def test_a_long_log_is_read_in_little_time(tmp_path: Path) -> None:
    many = [record(f"r{n}", attempt("mini", "first", PASSED, 0.001)) for n in range(12_000)]
    path = written(tmp_path / "tierline.db", many)
    started = time.perf_counter()
    assert len(read([path]).table.query) == 12_000
    assert time.perf_counter() - started < 10
