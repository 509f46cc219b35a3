"""Reading a log: rows by what they are, new rows as they come, sums and exports."""

from __future__ import annotations

import asyncio
import io
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decision_log.make_records import answered, finite_records, typical
from tierline.decision_log.codec import encode
from tierline.decision_log.export import read_line, write_ndjson, write_parquet
from tierline.decision_log.reader import Filter, LogReader
from tierline.decision_log.schema import COLUMNS
from tierline.decision_log.sqlite import SqliteLog
from tierline.decision_log.stats import stats
from tierline.types.errors import LogFailure
from tierline.types.record import Record


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SqliteLog]:
    with closing(SqliteLog(tmp_path / "tierline.db")) as log:
        yield log


def filled(log: SqliteLog, *rows: Record) -> LogReader:
    for row in rows:
        log.put(row)
    asyncio.run(asyncio.wait_for(log.flushed(), 20))
    return LogReader(log.path)


def ids(rows: Iterator[Record]) -> list[str]:
    return [row.decision.request_id for row in rows]


ROWS = (
    answered("a", at=1.0, task="orders", key="shop", model="mini"),
    answered("b", at=2.0, task="policy", route="auto/hr", model="opus", tier="best", cost=0.1, elapsed=2.0),
    answered("c", at=3.0, task="orders", error="timeout", status=504),
    answered("d", at=4.0, task="orders", error="rate_limited", status=429, cause="fallback"),
)


@pytest.mark.parametrize(
    ("which", "found"),
    [
        (Filter(), "abcd"),
        (Filter(since=2.0), "bcd"),
        (Filter(since=2.0, until=4.0), "bc"),
        (Filter(task="orders"), "acd"),
        (Filter(route="auto/hr"), "b"),
        (Filter(model="mini"), "a"),
        (Filter(tier="best"), "b"),
        (Filter(key="shop"), "a"),
        (Filter(status=504), "c"),
        (Filter(error="timeout"), "c"),
        (Filter(error="any"), "cd"),
        (Filter(task="orders", since=2.0, error="any", status=429), "d"),
        (Filter(policy="another"), ""),
        (Filter(task="' OR 1=1 --"), ""),
    ],
)
def test_rows_are_found_by_what_they_are(log: SqliteLog, which: Filter, found: str) -> None:
    with closing(filled(log, *ROWS)) as reader:
        assert ids(reader.records(which)) == list(found)
        assert reader.count(which) == len(found)
        assert [row["request_id"] for row in reader.last(2, which)] == list(found)[-2:]


def test_pages_hold_every_row_once_from_the_first_moment_on_where_many_rows_have_one_moment(log: SqliteLog) -> None:
    moments = [1.0, 2.0, 2.0, 2.0, 2.0, 2.0, 3.0]
    with closing(filled(log, *[answered(f"r{n}", at=at) for n, at in enumerate(moments)])) as reader:
        found = [row[2] for page in reader.pages(["request_id"], Filter(since=2.0), size=2) for row in page]
    assert found == ["r1", "r2", "r3", "r4", "r5", "r6"]


def test_the_last_page_of_a_log_is_found_in_as_few_steps_as_the_first(log: SqliteLog) -> None:
    filled(log, *[answered(f"r{n}", at=float(n), task="orders") for n in range(3000)]).close()
    with closing(sqlite3.connect(log.path)) as file:
        first, last = (steps(file, Filter(since=0.0, until=9e9, task="orders"), place) for place in (None, (2900.0, 2901)))
    assert 0 < last <= 1.5 * first


def steps(file: sqlite3.Connection, which: Filter, place: tuple[float, int] | None) -> int:
    """The tens of steps that SQLite takes for the fifty rows behind a place."""
    taken = 0

    def one_more() -> None:
        nonlocal taken
        taken += 1

    condition, values = which.after(place)
    file.set_progress_handler(one_more, 10)
    assert len(file.execute(f"SELECT request_id FROM decisions WHERE {condition} ORDER BY at, seq LIMIT 50", values).fetchall()) == 50
    file.set_progress_handler(None, 0)
    return taken


def test_following_sees_rows_as_they_are_written(log: SqliteLog) -> None:
    with closing(filled(log, ROWS[0])) as reader:
        coming = [ROWS[1:3], (), ROWS[3:]]

        def wait() -> bool:
            if not coming:
                return False
            filled(log, *coming.pop(0)).close()
            return True

        assert [row["request_id"] for row in reader.follow(wait)] == ["b", "c", "d"]


def test_following_goes_on_after_the_log_was_emptied(log: SqliteLog) -> None:
    with closing(filled(log, *ROWS)) as reader:

        def empty_and_write() -> bool:
            if reader.get("new"):
                return False
            with closing(sqlite3.connect(log.path)) as file, file:
                file.execute("DELETE FROM decisions")
            filled(log, answered("new", at=9.0)).close()
            return True

        assert [row["request_id"] for row in reader.follow(empty_and_write)] == ["new"]


def test_a_reader_of_no_file_says_how_to_give_one(tmp_path: Path) -> None:
    with pytest.raises(LogFailure, match="--log"):
        LogReader(tmp_path / "missing.db")
    assert not (tmp_path / "missing.db").exists()


def test_a_row_of_a_newer_release_is_named_when_it_cannot_be_read(log: SqliteLog) -> None:
    with closing(filled(log, typical("a"))) as reader:
        with closing(sqlite3.connect(log.path)) as file, file:
            file.execute("UPDATE decisions SET decision = x'00'")
        with pytest.raises(LogFailure, match="request 'a' cannot be read"):
            reader.get("a")


def test_a_log_that_no_gateway_has_open_is_read_too(log: SqliteLog) -> None:
    filled(log, typical("a")).close()
    log.close()
    assert not log.path.with_name("tierline.db-wal").exists()
    with closing(LogReader(log.path)) as reader:
        assert reader.get("a") == typical("a")


# Sums.


def test_shares_rates_and_percentiles_are_those_of_the_rows(log: SqliteLog) -> None:
    rows = [answered(f"m{n}", at=1.0, cost=0.01, elapsed=float(n)) for n in range(1, 21)]
    with closing(filled(log, *rows, *ROWS[1:])) as reader:
        found = stats(reader, "model")
    assert [(group.name, group.requests) for group in found.groups] == [("mini", 20), ("", 2), ("opus", 1)]
    mini, failed, opus = found.groups
    assert (mini.latency_p50, mini.latency_p95) == (10.0, 19.0)
    assert mini.request_share == pytest.approx(20 / 23)
    assert mini.cost_per_1k == pytest.approx(10.0)
    assert opus.cost_share == pytest.approx(0.1 / found.total.cost)
    assert (failed.error_rate, failed.fallback_rate, failed.latency_p50) == (1.0, 0.5, None)
    assert found.total.requests == 23
    assert found.total.cost == pytest.approx(0.2 + 0.1 + 0.002)


@given(st.lists(st.tuples(st.sampled_from(["fast", "best"]), st.floats(0, 9), st.floats(0, 1)), min_size=1, max_size=30))
@settings(max_examples=15, deadline=None)
def test_groups_add_up_to_the_whole(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, float, float]]) -> None:
    log = SqliteLog(tmp_path_factory.mktemp("sums") / "tierline.db")
    made = [answered(f"r{n}", at=1.0, tier=tier, elapsed=took, cost=cost) for n, (tier, took, cost) in enumerate(rows)]
    with closing(log), closing(filled(log, *made)) as reader:
        found = stats(reader, "tier")
    assert sum(group.requests for group in found.groups) == found.total.requests == len(rows)
    assert sum(group.request_share for group in found.groups) == pytest.approx(1.0)
    assert sum(group.cost for group in found.groups) == pytest.approx(found.total.cost)
    for group in found.groups:
        took = sorted(elapsed for tier, elapsed, _ in rows if tier == group.name)
        assert group.latency_p50 == took[(len(took) + 1) // 2 - 1]
        assert group.latency_p95 == took[(len(took) * 95 + 99) // 100 - 1]


def test_an_empty_log_has_empty_sums(log: SqliteLog) -> None:
    with closing(filled(log)) as reader:
        found = stats(reader)
    assert (found.total.requests, found.total.cost, found.groups) == (0, 0.0, ())


def test_rows_are_grouped_by_known_dimensions_only(log: SqliteLog) -> None:
    with closing(filled(log)) as reader, pytest.raises(ValueError, match="tier, model, task, route"):
        stats(reader, "1; DROP TABLE decisions")  # type: ignore[arg-type]


# Exports.


@given(finite_records)
@settings(max_examples=30, deadline=None)
def test_an_exported_line_is_read_back_as_the_record(tmp_path_factory: pytest.TempPathFactory, record: Record) -> None:
    record = msgspec.structs.replace(record, at=5.0)
    log = SqliteLog(tmp_path_factory.mktemp("lines") / "tierline.db")
    with closing(log), closing(filled(log, record)) as reader:
        out = io.BytesIO()
        assert write_ndjson(reader, out) == 1
    assert read_line(out.getvalue()) == record
    assert list(json.loads(out.getvalue())) == [*COLUMNS]


def test_parquet_holds_the_columns_with_their_types_and_the_parts_as_json(log: SqliteLog, tmp_path: Path) -> None:
    target = tmp_path / "rows.parquet"
    steps: list[int] = []
    with closing(filled(log, typical("t", at=5.0), *ROWS)) as reader:
        assert write_parquet(reader, target, progress=steps.append) == 5
    assert sum(steps) == 5
    with duckdb.connect() as database:
        rows = database.read_parquet(str(target))
        assert rows.columns == [*COLUMNS]
        found = database.sql(
            "SELECT request_id, cost, flagged, winner, status, tried->>'$[1][0]', decision->>'$.task' FROM rows ORDER BY \"at\""
        ).fetchall()
    assert found[-1] == ("t", 0.000412, False, 1, 200, "local", "order_extraction")
    assert found[2][3:5] == (None, 504)
    assert sorted(path.name for path in tmp_path.iterdir() if "export" in path.name) == []


def test_an_empty_log_exports_an_empty_parquet_file_with_all_columns(log: SqliteLog, tmp_path: Path) -> None:
    with closing(filled(log)) as reader:
        assert write_parquet(reader, tmp_path / "none.parquet") == 0
    with duckdb.connect() as database:
        assert database.read_parquet(str(tmp_path / "none.parquet")).columns == [*COLUMNS]


def test_the_export_and_the_codec_know_the_same_columns() -> None:
    assert len(encode(typical())) == len(COLUMNS)
