"""One view of every label about logged answers."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from evaluation.labelled import Asked, golden, labelled, logged, said, shadowed
from tierline.evaluation.labels.heard import Answer, answers
from tierline.evaluation.labels.trust import voice_of
from tierline.evaluation.labels.view import Labels
from tierline.ledger.feedback import Feedback
from tierline.ledger.judges import ALL, JudgeVerdict
from tierline.ledger.ledger import Ledger
from tierline.ledger.reviews import Review
from tierline.types.label import Label
from tierline.types.outcome import Verdict


def heard(path: Path) -> dict[tuple[str, str], Answer]:
    return {(answer.request_id, answer.model): answer for answer in answers(path)}


def voices(answer: Answer) -> dict[str, float]:
    return {voice_of(label): label.score for label in answer.labels}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return logged(tmp_path / "tierline.db", [Asked("plain", passed=True), Asked("climbed", model="opus", climbed=True, passed=True)])


def test_every_source_speaks_of_the_answer_that_was_given(log: Path) -> None:
    said(log, Feedback("plain", 2.0, score=0.4, source="shop", kind="user"), Feedback("plain", 3.0, tool_success=False, source="shop"))
    labelled(log, golden("plain", 1.0))
    with closing(Ledger(log)) as ledger:
        ledger.reviews.add([Review("plain", 1.0, "flagged", "auto", "sums", "mini")], 1e12)
        ledger.reviews.judge("plain", "accepted", "anna")
    assert voices(heard(log)["plain", "mini"]) == {
        "validator:sums/schema": 1.0,
        "feedback:shop/user": 0.4,
        "validator:tools": 0.0,
        "review:anna": 1.0,
        "golden:set": 1.0,
    }


def test_a_correction_says_that_the_answer_was_wrong(log: Path) -> None:
    said(log, Feedback("plain", 2.0, correction="41", source="shop"))
    assert voices(heard(log)["plain", "mini"])["feedback:shop"] == 0.0


def test_an_answer_asked_for_after_a_weak_one_says_so_and_the_weak_one_has_its_own_labels(log: Path) -> None:
    said(log, Feedback("climbed", 2.0, score=1.0, source="shop"))
    found = heard(log)
    assert (found["climbed", "opus"].after_failure, found["climbed", "mini"].after_failure) == (True, False)
    assert voices(found["climbed", "opus"]) == {"validator:sums/schema": 1.0, "feedback:shop": 1.0}
    assert voices(found["climbed", "mini"]) == {"validator:sums/schema": 0.0}


def test_a_shadow_is_an_answer_of_another_model_at_its_own_cost(log: Path) -> None:
    shadowed(log, "plain", verdicts=(Verdict("sums/schema", False),))
    labelled(log, Label("plain", "opus", 1.0, "judge", 4.0, "opus@1"))
    found = heard(log)["plain", "opus"]
    assert (found.way, found.given, found.cost, found.usage.output) == ("shadow", False, pytest.approx(0.02), 7)
    assert voices(found) == {"validator:sums/schema": 0.0, "judge:opus@1": 1.0}


def test_a_shadow_that_says_the_same_is_worth_the_same_once_a_judge_compares_the_others(log: Path) -> None:
    shadowed(log, "plain", judgement="same", judge="opus@1")
    labelled(log, golden("plain", 1.0))
    assert voices(heard(log)["plain", "opus"]) == {}
    with closing(Ledger(log)) as ledger:
        ledger.judges.add(JudgeVerdict(1.0, "opus@1", ALL, {}, True))
    assert voices(heard(log)["plain", "opus"]) == {"golden:set": 1.0}


def test_a_log_of_an_older_release_is_read_as_far_as_it_goes(log: Path) -> None:
    said(log, Feedback("plain", 2.0, score=1.0, source="shop"))
    with closing(sqlite3.connect(log)) as file:
        for table in ("labels", "judges", "shadows"):
            file.execute(f"DROP TABLE {table}")
        file.execute("ALTER TABLE feedback DROP COLUMN kind")
        file.execute("UPDATE schema_version SET version = 2 WHERE part = 'ledger'")
        file.commit()
    assert voices(heard(log)["plain", "mini"])["feedback:shop"] == 1.0
    assert Labels(log).overview().labelled == 3


def test_many_pages_are_read_and_nothing_is_kept_of_them(tmp_path: Path) -> None:
    log = logged(tmp_path / "tierline.db", [Asked(f"r{n}", passed=n % 3 > 0) for n in range(2_500)], texts=False)
    labelled(log, *[golden(f"r{n}", float(n % 3 > 0)) for n in range(0, 2_500, 5)])
    found = Labels(log).overview()
    assert (found.answers, found.labelled, found.conflicts) == (2_500, 2_500, 0)
    row = next(row for row in found.voices if row.voice == "validator:sums/schema")
    assert (row.seen, row.how) == (500, "measured")
    assert row.trust > 0.95
    (pair,) = found.pairs
    assert (pair.agreement.both, pair.agreement.kappa) == (500, 1.0)
