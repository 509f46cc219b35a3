"""The sums of the log: they are those of its rows, whenever and in whatever parts the rows come."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decision_log.make_records import LEAVES, answered, anything, typical, with_winner
from decision_log.test_postgres import opened, shipped, url
from tierline.decision_log.postgres.reader import PostgresReader
from tierline.decision_log.reader import LogReader
from tierline.decision_log.sqlite import SqliteLog
from tierline.decision_log.sums.keep import add_up
from tierline.decision_log.sums.read import Summed, read_sums
from tierline.decision_log.sums.schema import MOST
from tierline.decision_log.sums.table import DAY, FIGURES, HOUR, MINUTE, Key, Sum, bucket, middle, percentile
from tierline.types.outcome import Verdict
from tierline.types.record import Record

__all__ = ["url"]  # the fixture that makes a database

NOON = 1_790_000_000.0 // DAY * DAY + DAY / 2


def put(path: Path, records: Sequence[Record]) -> None:
    with closing(SqliteLog(path, clock=lambda: NOON)) as log:
        for record in records:
            log.put(record)


def told(log: LogReader, since: float, until: float, **narrowed: str) -> dict[str, float]:
    """The figures of a time, all together."""
    return figures(read_sums(log, since, until, NOON, narrowed))


def figures(found: Summed) -> dict[str, float]:
    columns = [sum(column) for column in zip(*(total.figures for _, total in found.sums), strict=True)] or [0.0] * len(FIGURES)
    return dict(zip(FIGURES, columns, strict=True))


def of_rows(path: Path, since: float, until: float) -> dict[str, float]:
    """The same figures, asked of the rows themselves."""
    with closing(sqlite3.connect(path)) as log:
        row = log.execute(
            "SELECT count(*), count(winner), coalesce(sum(status >= 400 OR error != ''), 0), coalesce(sum(fallbacks > 0), 0), "
            "coalesce(sum(input_tokens), 0), coalesce(sum(cost), 0.0) FROM decisions WHERE at >= ? AND at < ?",
            (since, until),
        ).fetchone()
    return dict(zip(("requests", "answered", "failed", "fallbacks", "input_tokens", "cost"), row, strict=True))


def some(number: int, at: float, failed: bool = False) -> Record:
    record = typical(f"r{number:05}", at=at)
    return msgspec.structs.replace(record, status=502, error="provider_error", winner=None) if failed else record


moments = st.lists(st.tuples(st.floats(NOON - 3 * DAY, NOON - 1), st.booleans()), min_size=1, max_size=25)


@settings(max_examples=20)
@given(
    batches=st.lists(st.tuples(moments, st.booleans()), min_size=1, max_size=3), back=st.sampled_from([HOUR, 5 * HOUR, 2 * DAY, 20 * DAY])
)
def test_sums_and_the_rows_behind_them_are_all_rows(batches: list[tuple[list[tuple[float, bool]], bool]], back: int) -> None:
    with TemporaryDirectory() as folder:
        path, number = Path(folder, "log.db"), 0
        for batch, added in batches:
            put(path, [some(number + place, *one) for place, one in enumerate(batch)])
            number += len(batch)
            while added and add_up(path, lambda: NOON):
                pass
        with closing(LogReader(path)) as log:
            found = read_sums(log, NOON - back, NOON, NOON)
            assert figures(found) == pytest.approx(figures(read_sums(log, NOON - back, NOON, NOON, whole=True)))
        expected = of_rows(path, found.since, found.until)
        assert {name: value for name, value in figures(found).items() if name in expected} == pytest.approx(expected)
        assert found.left == 0


def test_each_span_of_time_says_the_same(tmp_path: Path) -> None:
    put(tmp_path / "log.db", [some(number, NOON - 20 * DAY + number * 1800) for number in range(960)])
    while add_up(tmp_path / "log.db", lambda: NOON):
        pass
    with closing(LogReader(tmp_path / "log.db")) as log:
        days, hours, minutes = (read_sums(log, NOON - back, NOON, NOON) for back in (20 * DAY, 10 * DAY, 3 * HOUR))
    assert [found.span for found in (days, hours, minutes)] == [DAY, HOUR, MINUTE]
    for found in (days, hours, minutes):
        assert figures(found)["requests"] == of_rows(tmp_path / "log.db", found.since, found.until)["requests"] > 0
        assert sum(sum(total.latency.values()) for _, total in found.sums) == figures(found)["answered"]


def test_checks_and_the_tokens_of_the_answer_alone_are_counted(tmp_path: Path) -> None:
    put(tmp_path / "log.db", [some(1, NOON - 60)])
    with closing(LogReader(tmp_path / "log.db")) as log:
        said = told(log, NOON - HOUR, NOON)
        assert (said["checked"], said["passed"], said["fallbacks"], said["escalations"]) == (1, 1, 1, 0)
        assert (said["final_input"], said["final_output"], said["final_cached"]) == (931, 151, 512)
        assert told(log, NOON - HOUR, NOON, model="local")["requests"] == 1
        assert told(log, NOON - HOUR, NOON, model="mini")["requests"] == 0


_AMOUNTS = LEAVES | {float: st.floats(0, 10_000), int: st.integers(0, 2**31)}
any_records = st.builds(with_winner, anything(Record, _AMOUNTS), st.integers(-1, 5))


@settings(max_examples=40)
@given(st.lists(any_records, min_size=1, max_size=12), moments, st.booleans())
def test_what_sqlite_adds_up_is_what_is_added_up_row_by_row(
    records: list[Record], times: list[tuple[float, bool]], of_an_older_release: bool
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "log.db")
        for number, record in enumerate(records):
            decision = msgspec.structs.replace(record.decision, request_id=f"r{number}")
            records[number] = msgspec.structs.replace(record, at=times[number % len(times)][0], decision=decision)
        put(path, records)
        if of_an_older_release:
            with closing(sqlite3.connect(path)) as log, log:
                log.execute("UPDATE decisions SET checked = NULL WHERE seq % 2")
        by_row = by_key(path)
        while add_up(path, lambda: NOON):
            pass
        added = by_key(path)
        assert {key: total.latency for key, total in added.items()} == {key: total.latency for key, total in by_row.items()}
        assert all(total.figures == pytest.approx(by_row[key].figures) for key, total in added.items())


def test_answers_of_one_attempt_count_with_what_their_checks_said(tmp_path: Path) -> None:
    path, one = tmp_path / "log.db", answered("r", at=NOON - 300, elapsed=0.5)
    for number, said in enumerate([(), (True,), (True, True), (False,), (True, False)]):
        tried = msgspec.structs.replace(one.tried[0], verdicts=tuple(Verdict("schema", passed) for passed in said))
        named = msgspec.structs.replace(one.decision, request_id=f"r{number}")
        put(path, [msgspec.structs.replace(one, decision=named, tried=(tried,))])
    put(path, [answered("r9", at=NOON - 300, error="timeout", status=504)])
    assert add_up(path, lambda: NOON) == 6
    with closing(LogReader(path)) as log:
        said_of_all = told(log, NOON - HOUR, NOON)
        assert (said_of_all["answered"], said_of_all["checked"], said_of_all["passed"], said_of_all["failed"]) == (5, 4, 2, 1)
        assert (said_of_all["input_tokens"], said_of_all["final_input"]) == (600, 500)
        taken = [total.latency for _, total in read_sums(log, NOON - HOUR, NOON, NOON).sums]
        assert sorted(taken, key=len) == [{}, {bucket(0.5): 5}]


def by_key(path: Path) -> dict[Key, Sum]:
    """All sums of a log, those of the rows behind the mark among them."""
    with closing(LogReader(path)) as log:
        return dict(one for back in (HOUR, 10 * DAY, 900 * DAY) for one in read_sums(log, NOON - back, NOON, NOON).sums)


def test_more_rows_than_one_go_takes_are_added_up_in_several(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    put(path, [some(number, NOON - 300 + number % 7) for number in range(2 * MOST + 30)])
    went = [add_up(path, lambda: NOON) for _ in range(4)]
    assert went == [MOST, MOST, 30, 0]


def test_sums_outlive_their_rows_and_go_on_when_numbers_start_again(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    put(path, [some(number, NOON - 300) for number in range(30)])
    assert add_up(path, lambda: NOON) == 30 and add_up(path, lambda: NOON) == 0
    with closing(sqlite3.connect(path)) as log, log:
        log.execute("DELETE FROM decisions")
    put(path, [some(number, NOON - 200) for number in range(100, 140)])
    with closing(LogReader(path)) as log:
        assert told(log, NOON - HOUR, NOON)["requests"] == 70
    assert add_up(path, lambda: NOON) == 40
    with closing(LogReader(path)) as log:
        assert told(log, NOON - HOUR, NOON)["requests"] == 70


@given(st.floats(0.0002, 900.0))
def test_a_latency_is_told_within_four_per_cent(seconds: float) -> None:
    assert middle(bucket(seconds)) == pytest.approx(seconds, rel=0.036)


@given(st.lists(st.floats(0.001, 100.0), min_size=1, max_size=50), st.sampled_from([0.5, 0.95, 1.0]))
def test_a_percentile_is_the_nearest_rank(latencies: list[float], share: float) -> None:
    counts: dict[int, int] = {}
    for one in latencies:
        counts[bucket(one)] = counts.get(bucket(one), 0) + 1
    exact = sorted(latencies)[max(0, -int(-share * len(latencies) // 1) - 1)]
    assert percentile(counts, share) == pytest.approx(exact, rel=0.036)
    assert percentile({}, share) is None


def test_a_database_is_added_up_as_a_file_is(tmp_path: Path, url: str) -> None:
    records: list[Any] = [some(number, NOON - number * 700, failed=number % 7 == 0) for number in range(300)]
    with opened(tmp_path / "log.db", url, keep_local=1e9) as log:
        for record in records[:200]:
            log.put(record)
        shipped(log)
        assert (add_up(url, lambda: NOON), add_up(url, lambda: NOON)) == (200, 0)
        for record in records[200:]:
            log.put(record)
        shipped(log)
    with closing(PostgresReader(url)) as there, closing(LogReader(tmp_path / "log.db")) as here:
        for back in (HOUR, DAY, 20 * DAY):
            ours, theirs = (read_sums(log, NOON - back, NOON, NOON) for log in (here, there))
            assert figures(ours) == pytest.approx(figures(theirs)) and theirs.left == 0
