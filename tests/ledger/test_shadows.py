"""What answered beside, kept and counted."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierline.ledger.ledger import Ledger
from tierline.ledger.reader import LedgerReader
from tierline.ledger.shadows import Judgement, Shadowed
from tierline.types.outcome import Usage, Verdict


def shadowed(judgement: Judgement = "", *, at: float = 100.0, **more: object) -> Shadowed:
    plain = Shadowed("r-1", at, "auto", "orders", "opus", "mini", 0.5, True, cost=0.01, elapsed=2.0)
    return msgspec.structs.replace(plain, judgement=judgement, **more)


def test_a_shadow_reads_as_it_was_written(ledger: Ledger) -> None:
    rows = [
        shadowed("won", passed=True, usage=Usage(10, 5), verdicts=(Verdict("orders/schema", True, "fits"),), judging=0.002),
        shadowed(ok=False, error="timeout"),
    ]
    ledger.shadows.add(rows)
    assert ledger.shadows.of("r-1") == rows
    assert ledger.shadows.of("r-2") == []


def test_spending_is_summed_by_route_from_a_moment_and_a_place_on(ledger: Ledger) -> None:
    ledger.shadows.add([shadowed(at=50.0), shadowed(), shadowed(route="other")])
    spent = ledger.shadows.spent(since=60.0)
    assert (spent.last, spent.by_route) == (3, {"auto": 0.01, "other": 0.01})
    ledger.shadows.add([shadowed(cost=0.5)])
    assert ledger.shadows.spent(60.0, spent.last).by_route == {"auto": 0.5}
    assert ledger.shadows.spent(60.0, 4) == msgspec.structs.replace(spent, last=4, by_route={})


def test_standings_count_judgements_and_how_often_the_judge_disagreed_with_itself(ledger: Ledger) -> None:
    ledger.shadows.add([shadowed(said, judge="fair@1") for said in ("won", "won", "lost", "disagreed", "same", "unread")])
    ledger.shadows.add([shadowed(), shadowed(ok=False)])
    judged, alone = ledger.shadows.standings()
    assert (judged.won, judged.lost, judged.disagreed, judged.same, judged.unread, judged.judge) == (2, 1, 1, 1, 1, "fair@1")
    assert judged.self_disagreement == 0.25
    assert (alone.runs, alone.ok, alone.judge, alone.self_disagreement, alone.requests) == (2, 1, "", None, 4.0)
    assert ledger.shadows.standings(task="other") == ledger.shadows.standings(since=101.0) == ledger.shadows.standings(model="x") == []


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0.05, 0.5, 1.0])), min_size=1, max_size=12))
def test_a_pass_rate_weighs_each_answer_by_the_requests_that_it_stands_for(
    tmp_path_factory: pytest.TempPathFactory, answers: list[tuple[bool, float]]
) -> None:
    ledger = Ledger(tmp_path_factory.mktemp("shadows") / "tierline.db")
    ledger.shadows.add([shadowed(passed=passed, share=share) for passed, share in answers])
    (found,) = ledger.shadows.standings()
    ledger.close()
    weights = [1 / share for _, share in answers]
    assert found.requests == pytest.approx(sum(weights))
    assert found.pass_rate == pytest.approx(sum(w for w, (passed, _) in zip(weights, answers, strict=True) if passed) / sum(weights))


def test_a_reader_sees_them_beside_the_log(ledger: Ledger, where: Path | str) -> None:
    ledger.shadows.add([shadowed()])
    reader = LedgerReader(where)
    assert reader.shadows is not None and reader.shadows.of("r-1") == [shadowed()]
    reader.close()
