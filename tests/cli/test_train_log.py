"""`tierline train --log`: from labels of every source to a scorer, with nothing but what may be believed."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from evaluation.labelled import Asked, golden, labelled, logged, said
from scoring import made
from tierline.cli.app import build
from tierline.config.scorer_file import read_scorer
from tierline.ledger.feedback import Feedback
from tierline.ledger.judges import ALL, JudgeVerdict
from tierline.ledger.ledger import Ledger
from tierline.ledger.shadows import Shadowed
from tierline.types.label import Label
from tierline.types.outcome import Usage

QUERIES = 420


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything went to mini, and opus answered beside, as one judge compares; users speak of mini, a team of some."""
    table = made.table(QUERIES, models=("mini", "opus"))
    texts, truth = table.text or (), table.score
    asked = [Asked(f"q{n}", texts[n], f"answer {n}", task=table.task[n]) for n in range(QUERIES)]
    path = logged(tmp_path_factory.mktemp("log") / "tierline.db", asked)
    dice = np.random.default_rng(1)
    right = dice.random(QUERIES) < 0.9
    said(path, *[Feedback(f"q{n}", 2.0, accept=bool(truth[n, 0]) == bool(right[n]), source="shop") for n in range(QUERIES)])
    with closing(Ledger(path)) as ledger:
        usage = Usage(10, 200)
        ledger.shadows.add(
            [
                Shadowed(
                    f"q{n}", 1.0, "auto", table.task[n], "opus", "mini", 1.0, True, cost=0.02, elapsed=1.0, judge="fair@1", usage=usage
                )
                for n in range(QUERIES)
            ]
        )
    labelled(path, *[golden(f"q{n}", truth[n, 0]) for n in range(0, QUERIES, 5)])
    labelled(path, *[Label(f"q{n}", "opus", truth[n, 1], "judge", 4.0, "fair@1", 0.0) for n in range(QUERIES)])
    return path


def train(log: Path, out: str, *words: str) -> Result:
    given = (
        "train",
        "--log",
        str(log),
        "--out",
        str(log.parent / out),
        "--resamples",
        "100",
        "--least-labels",
        "100",
        "--keep",
        "0.97",
        *words,
    )
    return CliRunner().invoke(build(["train"]), given)


def card(log: Path, out: str) -> dict[str, Any]:
    return dict(read_scorer(log.parent / out).header.card)


def test_a_judge_without_a_verdict_trains_nothing_and_one_with_it_lets_the_guard_compare(log: Path) -> None:
    before = train(log, "before.tl")
    assert before.exit_code == 0, before.output
    assert "0 of 3 tasks may be routed" in before.output
    assert "420 answers have no label that may train" in before.output
    assert card(log, "before.tl")["labels"] == {"mini": QUERIES}
    with closing(Ledger(log)) as ledger:
        ledger.judges.add(JudgeVerdict(1.0, "fair@1", ALL, {"right_of_good": 0.95, "right_of_bad": 0.95, "labels": 100}, True))
    after = train(log, "after.tl")
    assert after.exit_code == 0, after.output
    found = card(log, "after.tl")
    assert found["labels"] == {"mini": QUERIES, "opus": QUERIES}
    assert found["heard"]["shadows"] == QUERIES
    assert found["heard"]["sources"]["golden"] == QUERIES // 5
    assert found["heard"]["conflicts"] > 0
    assert "orders" in [task for task, verdict in found["tasks"].items() if verdict["route"]]
    with closing(Ledger(log)) as ledger:
        ledger.judges.add(JudgeVerdict(2.0, "fair@1", ALL, {}, False))
    assert train(log, "refused.tl").exit_code == 0
    assert card(log, "refused.tl")["labels"] == {"mini": QUERIES}


def test_a_table_beside_the_log_is_learned_from_too(log: Path) -> None:
    table = made.table(300, seed=9, models=("mini", "opus"))
    rows = [
        {
            "query": (table.text or ())[i],
            "task": table.task[i],
            "model": model,
            "score": float(table.score[i, m]),
            "cost_usd": float(table.cost[i, m]),
        }
        for i in range(300)
        for m, model in enumerate(table.models)
    ]
    path = log.parent / "collected.jsonl"
    path.write_bytes(b"\n".join(map(msgspec.json.encode, rows)))
    said = train(log, "both.tl", "--data", str(path))
    assert said.exit_code == 0, said.output
    assert card(log, "both.tl")["queries"] == 300 + QUERIES


def test_trust_is_a_teams_own_word_but_never_for_a_judge(log: Path) -> None:
    refused = train(log, "x.tl", "--trust", "rumour=1")
    assert refused.exit_code == 2
    assert "--trust rumour=1" in refused.output
    assert train(log, "given.tl", "--trust", "judge=1", "--trust", "feedback=0.5").exit_code == 0
    assert card(log, "given.tl")["labels"].get("opus", 0) == 0
