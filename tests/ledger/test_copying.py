"""A ledger that moves: from a file into the database that replicas share, and back into a file."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from ledger.clock import Clock
from tierline.ledger.copying import copy_ledger
from tierline.ledger.feedback import Feedback
from tierline.ledger.keys import Given
from tierline.ledger.ledger import Ledger
from tierline.ledger.releases import Rehearsed
from tierline.ledger.reviews import Review
from tierline.types.label import Label


def filled(path: Path, clock: Clock, *names: str) -> list[str]:
    """A ledger with something of everything; the secrets of its keys."""
    with closing(Ledger(path, clock=clock, durability="process")) as ledger:
        secrets = [ledger.keys.create(name, Given(owner="ada"), "ops")[1] for name in names]
        for number in (1, 2, 2):  # two that are alike are one
            ledger.feedback.add(Feedback(f"r{number}", clock.now, 0.5, None, None, names[0]))
        ledger.labels.add([Label("r1", "mini", 1.0, "golden", clock.now)])
        ledger.reviews.add([Review("r1", clock.now, "flagged", "auto", "", "mini")], 60.0)
        ledger.pins.pin("auto", "mini", clock.now + 60.0, "ops", "why not")
        ledger.specs.keep(f"s-{names[0]}", {"spec": "1"}, b"{}", clock.now)
        release = ledger.releases.add("shadow", "next", "now", why="a try", by="ops")
        assert release is not None
        ledger.releases.count(release.id, [Rehearsed("t", "mini", "big", 3, 0.1, 0.2)])
        return secrets


def test_into_an_empty_place_everything_goes_with_the_trail_link_by_link(path: Path, url: str, clock: Clock) -> None:
    filled(path, clock, "ci", "ops")
    done = copy_ledger(path, url, "ann")
    assert done.whole and not done.clashing
    with closing(Ledger(path)) as here, closing(Ledger(url, clock=clock)) as there:
        assert list(there.audit.links()) == list(here.audit.links())
        assert there.keys.ring() == here.keys.ring()
        assert [one.score for one in there.feedback.since()] == [0.5, 0.5]
        assert list(there.labels.since()) == list(here.labels.since())
        assert there.reviews.list() == here.reviews.list() and there.specs.list() == here.specs.list()
        assert there.pins.active(clock.now) == {"auto": "mini"}
        newest = there.releases.now()
        assert newest is not None and there.releases.rehearsed(newest.id) == [Rehearsed("t", "mini", "big", 3, 0.1, 0.2)]
        there.audit.add("ann", "look", "auto")
        assert there.audit.verify() is None


def test_done_again_it_adds_nothing(path: Path, url: str, clock: Clock) -> None:
    filled(path, clock, "ci")
    copy_ledger(path, url, "ann")
    with closing(Ledger(url)) as there:
        before = there.audit.head()
        assert not any(copy_ledger(path, url, "ann").rows.values())
        assert there.audit.head() == before


def test_a_second_replica_brings_what_was_said_and_keys_whose_names_are_free(tmp_path: Path, url: str, clock: Clock) -> None:
    first, second = tmp_path / "first.db", tmp_path / "second.db"
    filled(first, clock, "ci", "one")
    clock.now += 10.0
    filled(second, clock, "ci", "other")
    copy_ledger(first, url, "ann")
    done = copy_ledger(second, url, "ann")
    assert not done.whole and done.clashing == ("ci",)
    with closing(Ledger(first)) as one, closing(Ledger(second)) as two, closing(Ledger(url)) as there:
        assert set(there.keys.ring().opens) == {*one.keys.ring().opens, *two.keys.ring().opens} - _of("ci", two)
        assert len(list(there.feedback.since())) == 4
        assert there.audit.verify() is None
        entry = there.audit.list(1)[0]
        assert (entry.action, entry.subject) == ("ledger.copied", f"{two.audit.head().seq}:{two.audit.head().hash}")


def test_a_copy_for_analysis_holds_no_keys(tmp_path: Path, path: Path, url: str, clock: Clock) -> None:
    filled(path, clock, "ci")
    copy_ledger(path, url, "ann")
    copy = tmp_path / "copy.db"
    copy_ledger(url, copy, "ann", keys=False)
    with closing(Ledger(copy)) as there:
        assert not there.keys.any() and [one.request_id for one in there.labels.since()] == ["r1"]


def _of(name: str, ledger: Ledger) -> set[bytes]:
    return {digest for digest, key in ledger.keys.ring().opens.items() if key.name == name}
