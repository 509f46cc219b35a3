"""What everyone together says of an answer."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.labelled import Asked, golden, labelled, logged, said, shadowed
from tierline.evaluation.labels.sayings import GOOD, of_answers_given, said_of
from tierline.ledger.feedback import Feedback
from tierline.ledger.judges import ALL, JudgeVerdict
from tierline.ledger.ledger import Ledger
from tierline.types.label import Label

JUDGE = "opus@0123456789ab"


def log_of(folder: Path, *asked: Asked) -> Path:
    return logged(folder / "tierline.db", asked, texts=False)


def judged(path: Path, *requests: str, score: float = 0.0) -> None:
    labelled(path, *[Label(one, "mini", score, "judge", 2000.0, JUDGE) for one in requests])


def validated(path: Path, *, valid: bool = True) -> None:
    with closing(Ledger(path)) as ledger:
        report = {"labels": 200, "right_of_good": 0.95, "right_of_bad": 0.95}
        ledger.judges.add(JudgeVerdict(3000.0, JUDGE, ALL, report, valid))


def test_a_judge_is_not_heard_until_it_is_validated_and_not_when_it_was_refused(tmp_path: Path) -> None:
    log = log_of(tmp_path, Asked("plain"))
    judged(log, "plain")
    assert said_of(log) == {}
    validated(log, valid=False)
    assert said_of(log) == {}
    validated(log)
    assert said_of(log)["plain", "mini"].score < GOOD


def test_a_validated_judge_outweighs_a_check_that_tells_less(tmp_path: Path) -> None:
    log = log_of(tmp_path, Asked("plain", passed=True))
    judged(log, "plain")
    validated(log)
    assert said_of(log)["plain", "mini"].score < GOOD


def test_a_golden_label_stands_above_everyone(tmp_path: Path) -> None:
    log = log_of(tmp_path, Asked("plain", passed=False))
    said(log, Feedback("plain", 2.0, accept=False, source="shop"))
    labelled(log, golden("plain", 0.7))
    assert said_of(log)["plain", "mini"].score == 0.7


def test_a_voice_that_was_measured_to_know_nothing_counts_no_more(tmp_path: Path) -> None:
    """A key that accepts everything, beside a golden set that says otherwise half of the time."""
    log = log_of(tmp_path, *[Asked(f"r{n}") for n in range(200)], Asked("last"))
    said(log, *[Feedback(f"r{n}", 2.0, accept=True, source="shop") for n in range(200)], Feedback("last", 2.0, accept=True, source="shop"))
    assert said_of(log)["last", "mini"].score == 1.0
    labelled(log, *[golden(f"r{n}", float(n % 2)) for n in range(200)])
    said(log, Feedback("last", 3.0, accept=False, source="auditor"))
    assert said_of(log)["last", "mini"].score < GOOD


def test_what_is_said_of_a_shadow_is_not_said_of_the_answer_given(tmp_path: Path) -> None:
    log = log_of(tmp_path, Asked("plain"))
    shadowed(log, "plain")
    labelled(log, golden("plain", 0.0, model="opus"), golden("plain", 1.0))
    found = said_of(log)
    assert (found["plain", "opus"].given, found["plain", "mini"].given) == (False, True)
    assert of_answers_given(found) == {"plain": 1.0}


def test_a_word_counts_from_when_the_last_of_them_came(tmp_path: Path) -> None:
    log = log_of(tmp_path, Asked("plain"))
    said(log, Feedback("plain", 2000.0, accept=True, source="shop"), Feedback("plain", 3000.0, accept=True, source="user"))
    assert said_of(log)["plain", "mini"].at == 3000.0


@settings(max_examples=8)
@given(st.lists(st.sampled_from(["good", "bad", "none"]), min_size=1, max_size=6), st.integers(0, 5))
def test_what_is_said_of_one_answer_does_not_hang_on_how_its_model_did_elsewhere(
    tmp_path_factory: pytest.TempPathFactory, elsewhere: list[str], others: int
) -> None:
    log = log_of(tmp_path_factory.mktemp("log"), Asked("plain"), *[Asked(f"r{n}") for n in range(len(elsewhere))])
    said(log, Feedback("plain", 2.0, accept=False, source="shop"))
    alone = said_of(log)["plain", "mini"]
    spoken = [(n, one) for n, one in enumerate(elsewhere) if one != "none"]
    said(log, *[Feedback(f"r{n}", 2.0, accept=one == "good", source=f"user{others}") for n, one in spoken])
    assert said_of(log)["plain", "mini"] == alone
