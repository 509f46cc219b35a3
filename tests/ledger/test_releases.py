"""The life cycle in the ledger: rows are only added, the newest counts, and whoever comes late is told so."""

from __future__ import annotations

from tierline.ledger.ledger import Ledger
from tierline.ledger.releases import Rehearsed


def test_a_spec_at_work_is_noted_once(ledger: Ledger) -> None:
    first = ledger.releases.note("a", "version: 1", "the first spec", "(file)")
    assert first is not None and first.before == ""
    assert ledger.releases.note("a", "version: 1", "again", "(file)") is None
    second = ledger.releases.note("b", "", "the file was changed", "(file)")
    assert second is not None and second.before == "a"
    assert [entry.action for entry in ledger.audit.list()] == ["release_by_hand", "release_by_hand"]


def test_a_stage_that_was_overtaken_is_not_entered(ledger: Ledger) -> None:
    seen = ledger.releases.note("a", "", "the first spec", "(file)")
    assert seen is not None
    assert ledger.releases.add("shadow", "b", "a", why="", by="ann", after=seen.id) is not None
    assert ledger.releases.add("canary", "c", "a", why="", by="ben", after=seen.id) is None
    now = ledger.releases.now()
    assert now is not None and (now.stage, now.candidate) == ("shadow", "b")


def test_an_intent_ends_once_and_is_what_is_at_work_from_its_beginning(ledger: Ledger) -> None:
    ledger.releases.note("a", "A", "the first spec", "(file)")
    intent = ledger.releases.add("publishing", "b", "a", why="", by="ann", written="B")
    assert intent is not None and ledger.releases.at_work() == intent
    assert ledger.releases.finish(intent)
    assert not ledger.releases.finish(intent)
    assert [one.stage for one in ledger.releases.list()] == ["published", "publishing", "by_hand"]
    assert (ledger.releases.before("b"), ledger.releases.written("a")) == ("a", "A")


def test_what_workers_count_is_added_up(ledger: Ledger) -> None:
    for _ in range(2):
        ledger.releases.count(1, [Rehearsed("t", "mini", "big", 3, 0.5, 1.0)])
    assert ledger.releases.rehearsed(1) == [Rehearsed("t", "mini", "big", 6, 1.0, 2.0)]
    assert ledger.releases.rehearsed(2) == []
