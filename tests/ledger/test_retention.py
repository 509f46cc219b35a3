"""What age removes from the ledger, and what it never does."""

from __future__ import annotations

import asyncio
import time
from contextlib import closing
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tierline.gateway.books import Books
from tierline.ledger.feedback import Feedback
from tierline.ledger.ledger import Ledger
from tierline.ledger.retention import BATCH, STAYS
from tierline.ledger.shadows import Shadowed
from tierline.types.label import Label, Source


def label(number: int, at: float, source: Source = "judge") -> Label:
    return Label(f"r{number}", "mini", 1.0, source, at)


@given(st.lists(st.tuples(st.floats(0, 100), st.sampled_from(["golden", "review", "feedback", "validator", "judge"])), max_size=20))
def test_only_what_is_too_old_goes_and_what_people_said_stays(said: list[tuple[float, Source]]) -> None:
    with closing(Ledger(":memory:")) as ledger:
        labels = [label(number, at, source) for number, (at, source) in enumerate(said)]
        ledger.labels.add(labels)
        assert not ledger.retention.run(50.0)
        assert list(ledger.labels.since()) == [one for one in labels if one.at >= 50.0 or one.source in STAYS]


def test_a_run_deletes_a_batch_and_says_whether_there_is_more(tmp_path: Path) -> None:
    with closing(Ledger(tmp_path / "log.db", durability="process")) as ledger:
        ledger.labels.add([label(number, 1.0) for number in range(BATCH + 3)])
        assert ledger.retention.run(50.0) and len(list(ledger.labels.since())) == 3
        assert not ledger.retention.run(50.0) and not list(ledger.labels.since())


def test_the_gateways_books_forget_old_shadows_and_labels_and_keep_corrections(tmp_path: Path) -> None:
    now, path = time.time(), tmp_path / "log.db"
    with closing(Ledger(path, durability="process")) as ledger:
        ledger.shadows.add([Shadowed(f"r{n}", now - n * 3600.0, "auto", "", "mini", "big", 0.5, True) for n in range(4)])
        ledger.labels.add([label(n, now - n * 3600.0) for n in range(4)])
        ledger.feedback.add(Feedback("r3", 1.0, correction="42", source="shop"))
    with closing(Books(path)) as books:
        asyncio.run(books.forget_once(None))
        asyncio.run(books.forget_once(5400.0))
    with closing(Ledger(path)) as ledger:
        assert [one.request_id for one in ledger.labels.since()] == ["r0", "r1"]
        assert sum(len(ledger.shadows.of(f"r{n}")) for n in range(4)) == 2
        assert [one.correction for one in ledger.feedback.since()] == ["42"]
