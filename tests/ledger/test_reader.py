"""A ledger read by others than its owner."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from tierline.decision_log.sqlite import SqliteLog
from tierline.ledger.feedback import Feedback
from tierline.ledger.ledger import Ledger
from tierline.ledger.reader import LedgerReader
from tierline.types.errors import LogFailure


def test_it_reads_what_the_ledger_wrote(tmp_path: Path) -> None:
    path = tmp_path / "tierline.db"
    with closing(Ledger(path, durability="process")) as ledger, closing(LedgerReader(path)) as reader:
        ledger.feedback.add(Feedback("r1", 1.0, score=0.5))
        ledger.specs.keep("0123456789ab", {}, b"{}", 1.0)
        assert list(reader.feedback()) == [Feedback("r1", 1.0, score=0.5)]
        kept = reader.spec("0123456789ab")
        assert kept is not None and kept.canonical == b"{}"


def test_a_log_in_which_no_ledger_was_ever_opened_reads_as_an_empty_one(tmp_path: Path) -> None:
    path = tmp_path / "tierline.db"
    SqliteLog(path, retention=None, text_retention=60.0, max_queue=1000).close()
    with closing(LedgerReader(path)) as reader:
        assert list(reader.feedback()) == [] and reader.spec("0123456789ab") is None


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(LogFailure, match="there is no decision log"):
        LedgerReader(tmp_path / "nowhere.db")
