"""A log and its ledger as the hours go by: an alert is raised once, stays, recovers, and is not raised anew."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from databases import fresh_database
from tierline.config.loaded import Loaded
from tierline.decision_log.postgres.log import PostgresLog
from tierline.decision_log.postgres.reader import PostgresReader
from tierline.decision_log.reader import LogReader
from tierline.evaluation.watching.fold import fold
from tierline.evaluation.watching.watcher import GRACE, Watcher
from tierline.ledger.ledger import Ledger
from tierline.types.alert import Alert
from tierline.watch.look import Look
from tierline.watch.past import HOUR, Budgeted
from watch.weeks import spec, write

NOON = 1_790_000_000.0 // 86400 * 86400 + 43_200.0
DAYS = 24


class Process:
    """One process that looks at a log, with nothing but the ledger to remember by."""

    def __init__(self, loaded: Loaded, log: Path) -> None:
        self.loaded, self.log = loaded, log
        with closing(Ledger(log, durability="process")) as ledger:
            self.watcher = Watcher(loaded, ledger.alerts.hours(0))

    def look(self, now: float, budgets: tuple[Budgeted, ...] = ()) -> Look:
        """A look at Unix time `now`, written into the ledger as the chore does."""
        now += GRACE
        with closing(Ledger(self.log, durability="process")) as ledger, closing(LogReader(self.log)) as reader:
            fresh, done = self.watcher.catch_up(reader, now, busy=60.0)
            assert done
            ledger.alerts.keep(fresh, 0)
            found = self.watcher.look(reader, ledger.alerts.list("open"), ledger.alerts.ended(0.0), budgets, now)
            raised = [made for alert in found.raised if (made := ledger.alerts.put(alert))]
            for alert in found.over:
                assert alert.recovered is not None
                ledger.alerts.recover(alert.id, alert.recovered)
        return Look(raised, found.over)


@pytest.fixture(scope="module")
def drop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Loaded, Path]:
    """Five weeks; between 60 and 36 hours before the end half of the answers are rejected, then it is well again."""
    folder = tmp_path_factory.mktemp("drop")
    loaded = spec(folder, "{watch: [quality_drop]}")
    write(loaded, folder / "tierline.db", NOON, an_hour=5, fails=lambda back: 0.5 if 36 < back <= 60 else 0.05)
    return loaded, folder / "tierline.db"


def test_an_alert_is_raised_once_recovers_and_is_not_raised_anew(drop: tuple[Loaded, Path]) -> None:
    process = Process(*drop)
    looks = {back: process.look(NOON - back * HOUR) for back in range(66, -1, -3)}
    raised = {(alert.watch, alert.subject): back for back, found in looks.items() for alert in found.raised}
    over = {(alert.watch, alert.subject): back for back, found in looks.items() for alert in found.over}
    assert sum(len(found.raised) for found in looks.values()) == 2
    assert raised.keys() == over.keys() == {("quality_drop", "model/mini"), ("quality_drop", "task/greeting")}
    assert all(36 <= back < 60 for back in raised.values())
    assert all(back < 36 for back in over.values())
    with closing(Ledger(drop[1])) as ledger:
        assert ledger.alerts.list("open") == []
        alert = next(alert for alert in ledger.alerts.list("recovered") if alert.subject == "model/mini")
    assert abs(alert.since - (NOON - 60 * HOUR)) <= 12 * HOUR
    assert alert.was > 0.9 > 0.8 > alert.now
    assert len(alert.requests) == 5
    with closing(LogReader(drop[1])) as reader:
        for request in alert.requests:
            record = reader.get(request)
            assert record is not None
            assert not record.tried[0].verdicts[0].passed


def test_what_another_process_counted_is_not_read_again(drop: tuple[Loaded, Path], tmp_path: Path) -> None:
    """The rows are gone, as after retention; what they came to is kept."""
    loaded, log = drop
    first = Process(loaded, log)
    first.look(NOON)
    second = Process(loaded, log)
    assert second.watcher.hours.keys() == first.watcher.hours.keys()
    assert msgspec.msgpack.encode(list(second.watcher.hours.values())) == msgspec.msgpack.encode(list(first.watcher.hours.values()))
    with closing(LogReader(log)) as reader:
        assert second.watcher.catch_up(reader, NOON + GRACE) == ([], True)


def test_rows_that_come_late_are_counted(tmp_path: Path) -> None:
    loaded = spec(tmp_path, "{watch: [quality_drop]}")
    write(loaded, tmp_path / "tierline.db", NOON, hours=30, an_hour=1)
    process = Process(loaded, tmp_path / "tierline.db")
    process.look(NOON)
    write(loaded, tmp_path / "tierline.db", NOON, hours=2, an_hour=7, seed=2)
    process.look(NOON)
    last = int(NOON // HOUR) - 1
    assert [process.watcher.hours[hour].rows for hour in (last - 2, last - 1, last)] == [1, 8, 8]


def test_a_long_log_is_read_in_parts(drop: tuple[Loaded, Path]) -> None:
    watcher, parts = Watcher(drop[0]), 0
    with closing(LogReader(drop[1])) as reader:
        done = False
        while not done:
            fresh, done = watcher.catch_up(reader, NOON + GRACE, busy=0.0)
            parts += 1
            assert len(fresh) == 1
    assert parts == len(watcher.hours) == 5 * 168


def test_a_price_a_prompt_and_another_model_are_facts(tmp_path: Path) -> None:
    loaded = spec(tmp_path, "{watch: [price_change, prompt_change, served_model]}")
    log = tmp_path / "tierline.db"
    write(loaded, log, NOON, hours=60, an_hour=8, served=lambda back: "mini-5" if back <= 6 else "mini-4-2026-01",
          prompt=lambda back: "b" * 16 if back <= 6 else "a" * 16)  # fmt: skip
    before = Process(loaded, log)
    assert not before.look(NOON - 12 * HOUR).raised
    dearer = {
        name: msgspec.structs.replace(model, price=msgspec.structs.replace(model.price, input=0.2)) for name, model in loaded.models.items()
    }
    after = Process(msgspec.structs.replace(loaded, models={**loaded.models, "mini": dearer["mini"]}), log)
    told = {alert.watch: alert for alert in after.look(NOON).raised}
    assert told.keys() == {"price_change", "prompt_change", "served_model"}
    assert "from 0.1 in and 0.4 out" in told["price_change"].what
    assert "to 0.2 in and 0.4 out" in told["price_change"].what
    assert told["price_change"].requests == ()
    assert "asked for as mini-4 and served as mini-5, where it was mini-4-2026-01" in told["served_model"].what
    assert abs(told["served_model"].since - (NOON - 6 * HOUR)) <= HOUR
    with closing(LogReader(log)) as reader:
        for alert in (told["prompt_change"], told["served_model"]):
            rows = [reader.get(request) for request in alert.requests]
            assert len(rows) == 5
            assert all(row is not None and row.at >= NOON - 6 * HOUR for row in rows)
    assert not after.look(NOON).raised


def test_a_budget_that_will_not_last_is_told_once_and_its_recovery_too(tmp_path: Path) -> None:
    loaded = spec(tmp_path, "{watch: [budget_pace]}")
    write(loaded, tmp_path / "tierline.db", NOON, hours=2, an_hour=1)
    process = Process(loaded, tmp_path / "tierline.db")

    def at(used: float, projected: float) -> tuple[Budgeted, ...]:
        return (Budgeted("month", 100.0, used, projected, None, NOON + 86400.0),)

    assert not process.look(NOON, at(5.0, 180.0)).raised, "a twentieth of it says nothing yet"
    assert not process.look(NOON, at(50.0, 110.0)).raised, "nor does a tenth too much, half-way"
    (alert,) = process.look(NOON, at(50.0, 130.0)).raised
    assert (alert.subject, alert.was, alert.now) == ("budget/month", 100.0, 130.0)
    assert not process.look(NOON, at(60.0, 102.0)).over, "it is not over while too much is projected"
    assert [one.subject for one in process.look(NOON, at(60.0, 99.0)).over] == ["budget/month"]


def test_an_alert_is_over_when_its_watch_leaves_the_spec(drop: tuple[Loaded, Path], tmp_path: Path) -> None:
    loaded = spec(tmp_path, "{watch: [price_change]}")
    write(loaded, tmp_path / "tierline.db", NOON, hours=2, an_hour=1)
    with closing(Ledger(tmp_path / "tierline.db")) as ledger:
        ledger.alerts.put(Alert("quality_drop", "model/mini", NOON, NOON, 0.9, 0.5, 1.0, "", ""))
    assert [one.watch for one in Process(loaded, tmp_path / "tierline.db").look(NOON).over] == ["quality_drop"]


@pytest.fixture
def url(postgres: str) -> Iterator[str]:
    with fresh_database(postgres) as found:
        yield found


def test_a_log_in_postgresql_comes_to_the_same_hours(url: str, tmp_path: Path) -> None:
    loaded = spec(tmp_path, "{watch: [quality_drop, latency_slo]}")
    write(loaded, tmp_path / "tierline.db", NOON, hours=5, an_hour=6)
    hours = range(int(NOON // HOUR) - 5, int(NOON // HOUR))
    with closing(LogReader(tmp_path / "tierline.db")) as reader:
        here = [fold(reader, hour, {"greeting": 2.0}) for hour in hours]
    log = PostgresLog(tmp_path / "tierline.db", url=url, clock=lambda: NOON)
    try:
        asyncio.run(asyncio.wait_for(log.shipped(), 60.0))
    finally:
        log.close()
    assert [hour.rows for hour in here] == [6] * 5
    with closing(PostgresReader(url)) as other:
        assert [fold(other, hour, {"greeting": 2.0}) for hour in hours] == here
        watcher = Watcher(loaded)
        watcher.catch_up(other, NOON + GRACE, busy=60.0)
        assert sorted(watcher.hours) == list(hours)
        assert watcher.look(other, (), {}, (), NOON).raised == []
