"""The decision log in PostgreSQL: every row gets there once, in order, whatever happens on the way."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from databases import ask, fresh_database
from decision_log.make_records import typical
from decision_log.relay import Relay
from tierline.cli.app import build
from tierline.decision_log.postgres.log import PostgresLog
from tierline.decision_log.postgres.reader import PostgresReader
from tierline.decision_log.reader import Filter, LogReader
from tierline.decision_log.sqlite import SqliteLog
from tierline.decision_log.stats import stats
from tierline.interfaces import DecisionLog
from tierline.postgres.migrate import HEAD, upgrade
from tierline.types.errors import LogFailure

HERE = Path(__file__).parent
DAY = 86400.0
NOON = 1_790_000_000.0 // DAY * DAY + DAY / 2


@pytest.fixture
def url(postgres: str) -> Iterator[str]:
    """A database of its own for each test."""
    with fresh_database(postgres) as found:
        yield found


@contextmanager
def opened(path: Path, url: str, **how: Any) -> Iterator[PostgresLog]:
    log = PostgresLog(path, url=url, **{"clock": lambda: NOON + 60.0, **how})
    try:
        yield log
    finally:
        log.close()


def shipped(log: PostgresLog, within: float = 30.0) -> None:
    asyncio.run(asyncio.wait_for(log.shipped(), within))


def until(true: Callable[[], bool], within: float = 20.0) -> None:
    """Wait for what another thread does."""
    end = time.monotonic() + within
    while not true():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.01)


def ids(url: str) -> list[str]:
    with closing(PostgresReader(url)) as reader:
        return [row["request_id"] for row in reader.query("SELECT request_id FROM decisions ORDER BY seq")]


def test_a_row_comes_back_from_the_database_as_it_was_put(tmp_path: Path, url: str) -> None:
    with opened(tmp_path / "log.db", url) as log:
        record = typical("a")
        log.put(record, b'{"request": {}}')
        shipped(log)
        assert isinstance(log, DecisionLog)
        assert list(log.rows()) == [record]
    with closing(PostgresReader(url)) as reader:
        assert reader.get("a") == record
        assert reader.text("a") == b'{"request": {}}'


def test_rows_keep_their_order_over_batches(tmp_path: Path, url: str) -> None:
    with opened(tmp_path / "log.db", url) as log:
        for number in range(4500):
            log.put(typical(f"r{number:04}", at=NOON + number))
        shipped(log)
        assert ids(url) == [f"r{number:04}" for number in range(4500)]
        assert log.backlog == 0


def test_a_row_that_is_put_again_is_brought_up_to_date(tmp_path: Path, url: str) -> None:
    with opened(tmp_path / "log.db", url) as log:
        log.put(typical("a"))
        shipped(log)
        changed = typical("a", status=500, error="internal_error")
        log.put(changed)
        shipped(log)
        assert list(log.rows()) == [changed]


def test_while_the_database_is_away_rows_wait_on_disk_and_then_follow_in_order(tmp_path: Path, url: str) -> None:
    relay = Relay(url)
    with opened(tmp_path / "log.db", relay.url) as log:
        log.put(typical("before"))
        shipped(log)
        relay.cut()
        for number in range(300):
            log.put(typical(f"during{number:03}", at=NOON + number))
        asyncio.run(log.flushed())
        until(lambda: log.behind != "" and log.backlog == 300)
        assert log.problem == "" and log.get("during299") is not None
        relay.mend()
        shipped(log)
        assert ids(url) == ["before", *[f"during{number:03}" for number in range(300)]]
        until(lambda: log.behind == "")
    relay.close()


def test_a_gateway_starts_and_takes_rows_while_the_database_is_away(tmp_path: Path, url: str) -> None:
    relay = Relay(url)
    relay.cut()
    with opened(tmp_path / "log.db", relay.url) as log:
        log.put(typical("a"))
        asyncio.run(log.flushed())
        until(lambda: "until PostgreSQL can be reached" in log.behind)
        relay.mend()
        shipped(log)
        assert ids(url) == ["a"]
    relay.close()


def test_past_the_backlog_no_more_requests_are_begun_and_rows_of_those_that_were_are_kept(tmp_path: Path, url: str) -> None:
    relay = Relay(url)
    relay.cut()
    with opened(tmp_path / "log.db", relay.url, max_backlog=50) as log:
        for number in range(60):
            log.put(typical(f"r{number}", at=NOON + number))
        until(lambda: log.waiting == 100_000)
        assert "as many as may (`decision_log.max_backlog`)" in log.problem
        log.put(typical("late"))
        relay.mend()
        shipped(log)
        until(lambda: log.waiting == 0 and log.problem == "")
        assert len(ids(url)) == 61
    relay.close()


def test_what_was_acknowledged_before_kill_9_is_in_the_database_after_the_next_start_exactly_once(tmp_path: Path, url: str) -> None:
    path = tmp_path / "log.db"
    writer = subprocess.Popen(
        [sys.executable, str(HERE / "write_until_killed.py"), str(path), url], stdout=subprocess.PIPE, text=True, env={**os.environ}
    )
    assert writer.stdout is not None
    acknowledged: list[str] = []
    for line in writer.stdout:
        acknowledged.append(line.strip())
        if len(acknowledged) == 40:
            writer.send_signal(signal.SIGKILL)
            break
    acknowledged += [line.strip() for line in writer.stdout if line.endswith("\n")]
    writer.wait()
    writer.stdout.close()
    with opened(path, url) as log:
        shipped(log)
        there = ids(url)
    assert len(there) == len(set(there)) and set(acknowledged) <= set(there)


def test_a_file_put_back_to_an_earlier_state_loses_nothing_and_doubles_nothing(tmp_path: Path, url: str) -> None:
    path = tmp_path / "log.db"
    with opened(path, url) as log:
        log.put(typical("a"))
        shipped(log)
    kept = {part: part.read_bytes() for part in tmp_path.iterdir()}
    with opened(path, url) as log:
        log.put(typical("lost with the file"))
        shipped(log)
    for part in tmp_path.iterdir():
        part.unlink()
    for part, content in kept.items():
        part.write_bytes(content)
    with opened(path, url) as log:
        log.put(typical("b"))
        shipped(log)
    assert sorted(ids(url)) == ["a", "b", "lost with the file"]


def test_replicas_share_one_database(tmp_path: Path, url: str) -> None:
    with opened(tmp_path / "one.db", url) as one, opened(tmp_path / "two.db", url) as two:
        for number in range(20):
            (one, two)[number % 2].put(typical(f"r{number:02}", at=NOON + number))
        shipped(one)
        shipped(two)
        assert [record.decision.request_id for record in one.rows()] == [f"r{number:02}" for number in range(20)]
        assert one.get("r01") is not None and one.get("nobody's") is None


def test_workers_share_one_file_and_one_of_them_ships_it(tmp_path: Path, url: str) -> None:
    path = tmp_path / "log.db"
    with opened(path, url) as one, opened(path, url) as two:
        one.put(typical("a"))
        two.put(typical("b"))
        shipped(one)
        shipped(two)
        assert sorted(ids(url)) == ["a", "b"]


def test_a_day_is_a_partition_and_old_days_leave_whole(tmp_path: Path, url: str) -> None:
    now = [NOON]
    how = {"retention": 2 * DAY, "text_retention": DAY, "keep_local": 60.0, "clock": lambda: now[0]}
    with opened(tmp_path / "log.db", url, **how) as log:
        for day in range(5):
            log.put(typical(f"d{day}", at=NOON + day * DAY), b"{}")
        shipped(log)
    now[0] = NOON + 4 * DAY
    with opened(tmp_path / "log.db", url, **how) as log:
        log.put(typical("last", at=now[0]))
        shipped(log)
        until(lambda: "d0" not in ids(url))
        assert ids(url) == ["d2", "d3", "d4", "last"]
        until(lambda: log._file.get("d3") is None)
        with closing(PostgresReader(url)) as reader:
            assert reader.text("d4") is not None and reader.text("d2") is None


def test_a_row_that_postgresql_cannot_hold_does_not_keep_the_others(tmp_path: Path, url: str, caplog: pytest.LogCaptureFixture) -> None:
    with opened(tmp_path / "log.db", url) as log:
        bad = typical("bad")
        features = msgspec.structs.replace(bad.features, team="a\x00b")
        log.put(typical("good"))
        log.put(msgspec.structs.replace(bad, features=features))
        log.put(typical("also good"))
        shipped(log)
        assert ids(url) == ["good", "also good"]
    assert "the row of request 'bad' has no form in PostgreSQL" in caplog.text


def test_the_same_figures_come_from_the_file_and_from_the_database(tmp_path: Path, url: str) -> None:
    with opened(tmp_path / "log.db", url) as log:
        for number in range(30):
            log.put(
                typical(f"r{number}", at=NOON + number, status=200 if number % 3 else 502, error="" if number % 3 else "upstream_failed")
            )
        shipped(log)
        with closing(PostgresReader(url)) as there, closing(LogReader(tmp_path / "log.db")) as here:
            for by in ("tier", "model", "task", "route"):
                assert stats(there, by) == stats(here, by)
            some = Filter(since=NOON + 5, until=NOON + 20, status=200)
            assert [r.decision.request_id for r in there.records(some)] == [r.decision.request_id for r in here.records(some)]
            assert list(there.pages(("request_id", "cost"), some)) == [list(page) for page in here.pages(("request_id", "cost"), some)]


def test_several_gateways_may_bring_one_database_up_to_date_at_once(url: str) -> None:
    async def all_at_once() -> None:
        await asyncio.gather(*(upgrade(url) for _ in range(4)))

    asyncio.run(all_at_once())
    assert ask(url, "SELECT version_num FROM tierline_version")[0]["version_num"] == HEAD


def test_a_database_without_a_log_and_one_that_is_not_there_say_so(url: str) -> None:
    with pytest.raises(LogFailure, match="holds no decision log"):
        PostgresReader(url)
    with pytest.raises(LogFailure, match="cannot be read"):
        PostgresReader("postgresql://nobody@127.0.0.1:1/none")


def test_a_log_moves_into_the_database_and_back_into_a_file_row_for_row(tmp_path: Path, url: str) -> None:
    old = tmp_path / "old.db"
    log = SqliteLog(old, clock=lambda: NOON)
    for number in range(2500):
        log.put(typical(f"r{number:04}", at=NOON + number), b"{}" if number % 500 == 0 else None)
    log.close()
    for said in ("2,500 rows copied", "0 rows copied"):
        moved = CliRunner().invoke(build(["log"]), ["log", "migrate", str(old), url])
        assert moved.exit_code == 0 and said in moved.stderr
    back = tmp_path / "back.db"
    assert CliRunner().invoke(build(["log"]), ["log", "migrate", url, str(back)]).exit_code == 0
    with closing(LogReader(old)) as before, closing(LogReader(back)) as after:
        assert list(before.records()) == list(after.records())
        assert after.text("r1500") == b"{}" and after.text("r1501") is None
    again = CliRunner().invoke(build(["log"]), ["log", "migrate", url, str(back)])
    assert again.exit_code == 2 and "is there already" in again.stderr


def test_the_log_commands_read_the_database_that_a_spec_names(tmp_path: Path, url: str) -> None:
    with opened(tmp_path / "log.db", url) as log:
        log.put(typical("a"))
        shipped(log)
    spec = tmp_path / "tierline.yaml"
    spec.write_text(f'version: 1\ndecision_log: {{url: "{url}"}}\n')
    shown = CliRunner().invoke(build(["log"]), ["log", "show", "a", "--config", str(spec), "--json"])
    assert shown.exit_code == 0 and msgspec.json.decode(shown.stdout)["request_id"] == "a"
    tail = CliRunner().invoke(build(["log"]), ["log", "tail", "--log", url, "--json"])
    assert tail.exit_code == 0 and msgspec.json.decode(tail.stdout)["request_id"] == "a"
