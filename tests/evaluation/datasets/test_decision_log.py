"""The decision log as data: what was answered, what it cost and how good it was, and nothing about the models that were not asked."""

from __future__ import annotations

import asyncio
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from tierline.decision_log.sqlite import SqliteLog
from tierline.evaluation.datasets import Dataset, read
from tierline.evaluation.document import REFERENCES
from tierline.evaluation.evaluate import LOG_ONLY, Settings, evaluate
from tierline.ledger.feedback import Feedback
from tierline.ledger.ledger import Ledger
from tierline.types.decision import Decision, Step
from tierline.types.errors import EvaluationFailure
from tierline.types.features import Features
from tierline.types.outcome import NO_USAGE, Usage, Verdict
from tierline.types.record import Record, Tried

PASSED, FAILED = (Verdict("orders/schema", True),), (Verdict("orders/schema", False),)


def record(request_id: str, *tried: Tried, flagged: bool = False) -> Record:
    decision = Decision(request_id, "auto", "3f9a1c0b77de", (Step("fast", ("mini",)), Step("best", ("opus",))), task="orders")
    return Record(1000.0, Features(request_id, language="en"), decision, tried, winner=len(tried) - 1 if tried else None, flagged=flagged)


def attempt(target: str, cause: str, verdicts: tuple[Verdict, ...], cost: float, ok: bool = True) -> Tried:
    return Tried(target, cause, ok, cost, 0.5, None, Usage(10, 5) if ok else NO_USAGE, "" if ok else "server", verdicts=verdicts)


RECORDS = [
    record("good", attempt("mini", "first", PASSED, 0.001)),
    record("climbed", attempt("mini", "first", FAILED, 0.001), attempt("opus", "escalation", PASSED, 0.02)),
    record("fell", attempt("mini", "first", (), 0.0, ok=False), attempt("opus", "fallback", (), 0.02)),
    record("bad", attempt("mini", "first", PASSED, 0.001)),
    record("nobody"),
]
SAID = [Feedback("good", 1.0, accept=True), Feedback("bad", 1.0, score=0.0), Feedback("bad", 2.0, score=0.4)]


@pytest.fixture
def logged(tmp_path: Path) -> Dataset:
    return read([written(tmp_path / "tierline.db", RECORDS)])


def written(path: Path, records: list[Record]) -> Path:
    with closing(SqliteLog(path)) as log:
        for one in records:
            log.put(one)
        asyncio.run(log.flushed())
    with closing(Ledger(path)) as ledger:
        for said in SAID:
            ledger.feedback.add(said)
    return path


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
