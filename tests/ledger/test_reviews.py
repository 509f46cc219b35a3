"""The review queue: what comes in, who judges it, and what is learnt."""

from __future__ import annotations

import pytest

from ledger.clock import Clock
from tierline.ledger.ledger import Ledger
from tierline.ledger.reviews import BLOCKED, CannotReview, Review, State, review_of
from tierline.types.decision import Decision
from tierline.types.features import Features
from tierline.types.outcome import NO_USAGE, Aside, Verdict
from tierline.types.record import Record, Tried

DAY = 86400.0
FAILED = (Verdict("orders/schema", False, "no JSON"), Verdict("orders/length", True))


def entry(request_id: str, at: float = 1_790_000_000.0, kind: str = "flagged") -> Review:
    return Review(request_id, at, kind, "auto", "orders", "mini", FAILED)  # type: ignore[arg-type]


def row(*tried: Tried, winner: int | None = None, **changes: object) -> Record:
    decision = Decision("r-1", "auto", "0123456789ab", (), task="orders")
    return Record(1.0, Features("r-1"), decision, tried, winner=winner, **changes)  # type: ignore[arg-type]


def test_a_flagged_answer_comes_in_with_the_verdicts_on_it() -> None:
    tried = Tried("mini", "first", True, 0.1, 0.1, None, NO_USAGE, verdicts=FAILED)
    found = review_of(row(Tried("tiny", "first", True, 0.1, 0.1, None, NO_USAGE), tried, winner=1, flagged=True))
    assert found == Review("r-1", 1.0, "flagged", "auto", "orders", "mini", FAILED)


def test_a_blocked_request_comes_in_with_what_blocked_it() -> None:
    blocked = Aside("prepare/moderate", "mini", True, error=BLOCKED, detail="violence")
    found = review_of(row(status=403, error=BLOCKED, asides=(Aside("tool", "a", False, error="miss"), blocked)))
    assert found == Review("r-1", 1.0, "blocked", "auto", "orders", "", (Verdict("prepare/moderate", False, "violence"),))


def test_what_was_accepted_or_failed_is_nothing_to_judge() -> None:
    good = Tried("mini", "first", True, 0.1, 0.1, None, NO_USAGE)
    assert review_of(row(good, winner=0)) is None
    assert review_of(row(status=502, error="upstream_failed")) is None


@pytest.mark.parametrize(("state", "correction", "label"), [("accepted", None, "pass"), ("corrected", "42", "fail")])
def test_what_is_judged_is_a_label_feedback_and_stands_in_the_audit(
    ledger: Ledger, clock: Clock, state: State, correction: str | None, label: str
) -> None:
    ledger.reviews.add([entry("r-1")], DAY)
    clock.now += 60
    judged = ledger.reviews.judge("r-1", state, "anna", correction, "looked twice")
    assert (judged.state, judged.reviewed_by, judged.reviewed_at, judged.note) == (state, "anna", clock.now, "looked twice")
    (found,) = ledger.reviews.labels()
    assert (found["request_id"], found["task"], found["model"], found["source"]) == ("r-1", "orders", "mini", "review")
    assert (found["label"], found["correction"]) == (label, correction)
    assert found["verdicts"][0] == {"validator": "orders/schema", "passed": False, "detail": "no JSON", "score": None}
    (said,) = ledger.feedback.of("r-1")
    assert (said.accept, said.correction, said.source) == (label == "pass", correction, "review")
    (audited,) = ledger.audit.list()
    assert (audited.who, audited.action, audited.subject, audited.detail) == ("anna", "review", "r-1", {"state": state})


def test_what_is_dismissed_teaches_nothing(ledger: Ledger) -> None:
    ledger.reviews.add([entry("r-1")], DAY)
    ledger.reviews.judge("r-1", "dismissed", "anna")
    assert list(ledger.reviews.labels()) == [] == ledger.feedback.of("r-1")
    assert ledger.reviews.counts() == {"open": 0, "accepted": 0, "corrected": 0, "dismissed": 1}


def test_an_entry_is_judged_once(ledger: Ledger) -> None:
    ledger.reviews.add([entry("r-1")], DAY)
    ledger.reviews.judge("r-1", "accepted", "anna")
    with pytest.raises(CannotReview, match="accepted already, by anna"):
        ledger.reviews.judge("r-1", "corrected", "bert", "42")
    with pytest.raises(CannotReview, match="no request 'r-2'"):
        ledger.reviews.judge("r-2", "accepted", "bert")
    assert len(ledger.feedback.of("r-1")) == len(ledger.audit.list()) == 1


def test_a_right_answer_goes_with_corrected_and_with_nothing_else(ledger: Ledger) -> None:
    ledger.reviews.add([entry("r-1")], DAY)
    wrong: list[tuple[State, str | None]] = [("corrected", None), ("accepted", "42"), ("dismissed", "42"), ("open", None)]
    for state, correction in wrong:
        with pytest.raises(ValueError, match=r"correct"):
            ledger.reviews.judge("r-1", state, "anna", correction)
    assert ledger.reviews.counts()["open"] == 1


def test_the_same_request_comes_in_once_and_stays_as_it_was_judged(ledger: Ledger) -> None:
    ledger.reviews.add([entry("r-1"), entry("r-1")], DAY)
    ledger.reviews.judge("r-1", "dismissed", "anna")
    ledger.reviews.add([entry("r-1")], DAY)
    assert ledger.reviews.counts() == {"open": 0, "accepted": 0, "corrected": 0, "dismissed": 1}


def test_what_nobody_judged_in_time_leaves_the_queue_and_labels_stay(ledger: Ledger, clock: Clock) -> None:
    ledger.reviews.add([entry("r-1", clock.now), entry("r-2", clock.now)], DAY)
    ledger.reviews.judge("r-1", "accepted", "anna")
    clock.now += 2 * DAY
    ledger.reviews.add([entry("r-3", clock.now)], DAY)
    assert [found.request_id for found in ledger.reviews.list(None)] == ["r-3", "r-1"]


def test_the_newest_are_listed_first_by_state(ledger: Ledger, clock: Clock) -> None:
    ledger.reviews.add([entry(f"r-{number}", clock.now + number) for number in range(5)], DAY)
    ledger.reviews.judge("r-3", "accepted", "anna")
    assert [found.request_id for found in ledger.reviews.list(limit=3)] == ["r-4", "r-2", "r-1"]
    assert [found.request_id for found in ledger.reviews.list("accepted")] == ["r-3"]


def test_labels_come_page_by_page_and_each_once(ledger: Ledger, clock: Clock) -> None:
    ledger.reviews.add([entry(f"r-{number}") for number in range(503)], DAY)
    with ledger.connection.transaction():  # one wait for the disk
        for number in range(503):
            clock.now += number % 3  # many at the same moment
            ledger.reviews.judge(f"r-{number}", "accepted", "anna")
    found = [label["request_id"] for label in ledger.reviews.labels()]
    assert len(found) == len(set(found)) == 503


def test_a_blocked_request_that_was_rightly_blocked_is_no_feedback_on_an_answer(ledger: Ledger) -> None:
    ledger.reviews.add([entry("r-1", kind="blocked")], DAY)
    ledger.reviews.judge("r-1", "accepted", "anna")
    assert ledger.feedback.of("r-1") == []
    assert [(label["kind"], label["label"]) for label in ledger.reviews.labels()] == [("blocked", "pass")]
