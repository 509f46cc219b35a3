"""Recorded answers of real models to real questions, through the gateway with the official SDK: a cut of `python -m bench zeroeval`.

Needs zeroeval.parquet in TIERLINE_DATA; without it these tests are skipped, and fail under CI=true."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import duckdb
import pytest

from bench import zeroeval
from tierline.config.load import load
from tierline.decision_log.reader import LogReader
from tierline.routing.router import Router

COUNT = 150


class Cut(NamedTuple):
    folder: Path
    asked: Sequence[zeroeval.Question]
    calibration: Sequence[zeroeval.Question]
    run: zeroeval.Run


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Cut:
    source = zeroeval.table_path()
    if source is None:
        reason = "zeroeval.parquet is not there: set TIERLINE_DATA to the folder that holds it"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("zeroeval")
    every = zeroeval.questions(source)
    asked, calibration = every[:COUNT], every[1000:]
    return Cut(folder, asked, calibration, zeroeval.run(folder, source, asked, zeroeval.Declared.of(calibration, 0.5)))


def test_every_answer_is_the_recorded_one_of_the_model_in_the_header(cut: Cut) -> None:
    assert len(cut.run.answered) == COUNT
    assert [one.question.id for one in cut.run.answered if one.text != one.question.answers[one.model]] == []


def test_every_cost_is_the_recorded_one_and_they_add_up_to_the_logs(cut: Cut) -> None:
    assert zeroeval.problems(cut.run) == []
    assert cut.run.logged_rows == COUNT
    assert sum(one.cost for one in cut.run.answered) == pytest.approx(cut.run.logged_cost, abs=1e-6)


def test_every_row_decides_again_as_it_was_decided(cut: Cut) -> None:
    router = Router(load(cut.folder / "tierline.yaml"))
    reader = LogReader(cut.folder / "tierline.db")
    records = list(reader.records())
    reader.close()
    assert len(records) == COUNT
    assert all(router.decide(one.features, one.scores, one.view) == one.decision for one in records)


def test_nothing_that_decides_can_see_a_score(cut: Cut) -> None:
    columns = [name for name, *_ in duckdb.sql(f"describe select * from '{cut.folder / 'answers.parquet'}'").fetchall()]
    assert sorted(columns) == ["input_tokens", "model", "output_tokens", "query", "response"]
    assert {q.id for q in cut.asked}.isdisjoint(q.id for q in cut.calibration)


def test_more_than_one_model_answers_and_the_tasks_are_recognised_without_a_header(cut: Cut) -> None:
    assert len({one.model for one in cut.run.answered}) > 1
    recognised = sum(one.task == zeroeval.TASK_OF[one.question.dataset] for one in cut.run.answered)
    assert recognised > 0.8 * COUNT
