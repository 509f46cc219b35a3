"""Golden sets, and the table that the labels of a log make."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from evaluation.labelled import Asked, golden, labelled, logged, shadowed
from tierline.evaluation.datasets import Reading, read
from tierline.evaluation.datasets.source import OfLogs
from tierline.evaluation.labels.golden import Imported, import_golden, read_golden
from tierline.ledger.judges import ALL, JudgeVerdict
from tierline.ledger.ledger import Ledger
from tierline.types.errors import EvaluationFailure
from tierline.types.label import Label


def write(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def log(tmp_path: Path) -> Path:
    asked = [
        Asked("right"),
        Asked("wrong", answer="It is 41."),
        Asked("dear", model="opus"),
        Asked("other", prompt="Capital of France?", answer="Paris"),
    ]
    return logged(tmp_path / "tierline.db", asked)


def brought(log: Path, *rows: object) -> tuple[Imported, dict[tuple[str, str], float]]:
    done = import_golden(log, read_golden(write(log.parent / "golden.jsonl", *rows)), "golden", 9.0)
    with closing(Ledger(log)) as ledger:
        return done, {(label.request_id, label.model): label.score for label in ledger.labels.since()}


def test_a_reference_labels_every_logged_answer_to_its_prompt(log: Path) -> None:
    done, found = brought(log, {"prompt": "what is  6 × 7?", "reference": "42"}, {"prompt": "nobody asked this", "reference": "1"})
    assert found == {("right", "mini"): 1.0, ("wrong", "mini"): 0.0, ("dear", "opus"): 1.0}
    assert (done.written, done.known, done.unmatched) == (3, 0, (2,))


def test_a_score_is_about_one_answer_one_model_or_one_request(log: Path) -> None:
    shadowed(log, "other")
    _, found = brought(
        log,
        {"prompt": "What is 6 × 7?", "answer": "it is 41.", "score": 0},
        {"prompt": "What is 6 × 7?", "model": "opus", "score": 0.7},
        {"request_id": "other", "score": 1},
        {"request_id": "other", "model": "opus", "score": 0.5},
    )
    assert found == {("wrong", "mini"): 0.0, ("dear", "opus"): 0.7, ("other", "mini"): 1.0, ("other", "opus"): 0.5}


def test_what_stands_there_is_not_written_twice(log: Path) -> None:
    row = {"request_id": "right", "score": 1}
    assert brought(log, row)[0].written == 1
    done, found = brought(log, row)
    assert (done.written, done.known, len(found)) == (0, 1, 1)


def test_every_fault_of_a_golden_set_is_named_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path / "g.jsonl", {"score": 1}, {"prompt": "x", "score": 2, "model": "m"}, {"prompt": "x", "score": 1}, {"promt": "x"})
    with pytest.raises(EvaluationFailure) as refused:
        read_golden(path)
    lines = str(refused.value).splitlines()
    assert [line.split(": ")[0] for line in lines] == ["g.jsonl:1", "g.jsonl:2", "g.jsonl:3", "g.jsonl:4"]


def test_learning_leaves_aside_what_was_asked_for_after_a_weak_answer_and_counts_the_rest(tmp_path: Path) -> None:
    log = logged(
        tmp_path / "tierline.db",
        [
            Asked("a", passed=True),
            Asked("b", model="opus", climbed=True, passed=True),
            Asked("c", model="opus", propensity=0.25, passed=True),
        ],
    )
    shadowed(log, "a")
    labelled(log, golden("a", 1.0, "opus"), golden("c", 0.0, "opus"))
    found = read([log], Reading(sparse=True, logs=OfLogs(learning=True)))
    cells = {
        (query, model)
        for query, row in zip(found.table.query, found.table.score.tolist(), strict=True)
        for model, score in zip(found.table.models, row, strict=True)
        if score == score
    }
    assert cells == {("a", "mini"), ("a", "opus"), ("b", "mini"), ("c", "opus")}
    assert found.logged is not None
    heard = found.logged.heard
    assert (heard.left_aside, heard.explored, heard.explored_weight, heard.shadows, heard.conflicts) == (1, 1, 4.0, 1, 1)
    assert dict(heard.sources) == {"validator": 3, "golden": 2}
    assert {"conflicts", "left_aside", "explored", "shadows", "labels"} <= {finding.kind for finding in found.findings}


def test_to_be_looked_at_a_score_is_the_word_of_whoever_counts_first(tmp_path: Path) -> None:
    log = logged(tmp_path / "tierline.db", [Asked("a", passed=False)])
    labelled(log, golden("a", 1.0))
    assert read([log]).table.score.tolist() == [[1.0]]


def test_a_judge_without_a_valid_verdict_gates_nothing(tmp_path: Path) -> None:
    log = logged(tmp_path / "tierline.db", [Asked("a")])
    labelled(log, Label("a", "mini", 1.0, "judge", 4.0, "opus@1"))
    assert np.isnan(read([log]).table.score).all()
    with closing(Ledger(log)) as ledger:
        ledger.judges.add(JudgeVerdict(1.0, "opus@1", ALL, {"right_of_good": 0.9, "right_of_bad": 0.9, "labels": 60}, True))
    assert read([log]).table.score.tolist() == [[pytest.approx(0.9)]]
