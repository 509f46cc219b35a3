"""Alerts in the ledger: one open for a watch and subject, and one who looks, whoever writes."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import msgspec

from tierline.ledger.ledger import Ledger
from tierline.ledger.reader import LedgerReader
from tierline.types.alert import Alert

ALERT = Alert("quality_drop", "model/mini", 100.0, 50.0, 0.95, 0.88, 0.99, "it fell", "look", ("r1", "r2"))


def test_of_two_who_raise_the_same_one_does(ledger: Ledger, where: Path | str) -> None:
    with closing(Ledger(where)) as other:
        made = ledger.alerts.put(ALERT)
        assert made == msgspec.structs.replace(ALERT, id=1)
        assert other.alerts.put(ALERT) is None
        assert other.alerts.put(msgspec.structs.replace(ALERT, subject="model/big")) is not None
    assert [alert.subject for alert in ledger.alerts.list()] == ["model/big", "model/mini"]


def test_what_has_recovered_may_be_raised_again(ledger: Ledger) -> None:
    made = ledger.alerts.put(ALERT)
    assert made is not None
    assert ledger.alerts.recover(made.id, 120.0)
    assert not ledger.alerts.recover(made.id, 130.0)
    assert ledger.alerts.ended(110.0) == {("quality_drop", "model/mini"): 120.0}
    assert ledger.alerts.ended(120.0) == {}
    assert ledger.alerts.put(ALERT) is not None
    assert [alert.recovered for alert in ledger.alerts.list("all")] == [None, 120.0]
    assert [alert.recovered for alert in ledger.alerts.list("recovered")] == [120.0]


def test_what_nobody_was_told_of_is_known_after_a_crash(ledger: Ledger, where: Path | str) -> None:
    made = ledger.alerts.put(ALERT)
    assert made is not None
    with closing(Ledger(where)) as other:
        assert other.alerts.untold() == ([made], [])
        other.alerts.told(made.id, 101.0)
        assert other.alerts.untold() == ([], [])
        other.alerts.recover(made.id, 120.0)
        assert ledger.alerts.untold() == ([], [msgspec.structs.replace(made, recovered=120.0)])
        other.alerts.told(made.id, 121.0, over=True)
    assert ledger.alerts.untold() == ([], [])


def test_one_looks_until_it_says_so_no_more(ledger: Ledger, where: Path | str) -> None:
    with closing(Ledger(where)) as other:
        assert ledger.alerts.take("alerts", "a", 0.0, 60.0)
        assert not other.alerts.take("alerts", "b", 30.0, 90.0)
        assert ledger.alerts.take("alerts", "a", 50.0, 110.0)
        assert not other.alerts.take("alerts", "b", 100.0, 160.0)
        assert other.alerts.take("alerts", "b", 111.0, 171.0)
        assert not ledger.alerts.take("alerts", "a", 112.0, 172.0)


def test_hours_are_kept_replaced_and_forgotten(ledger: Ledger) -> None:
    ledger.alerts.keep([(1, b"a"), (2, b"b")], 0)
    ledger.alerts.keep([(2, b"c"), (3, b"d")], 2)
    assert ledger.alerts.hours(0) == [(2, b"c"), (3, b"d")]
    assert ledger.alerts.hours(3) == [(3, b"d")]


def test_a_reader_lists_them_beside_a_writer(ledger: Ledger, where: Path | str) -> None:
    ledger.alerts.put(ALERT)
    with closing(LedgerReader(where)) as reader:
        alerts = reader.alerts()
        assert alerts is not None
        assert [alert.requests for alert in alerts.list()] == [("r1", "r2")]
