"""The decision log in a SQLite file: what it takes it keeps, and what it cannot keep it says."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from decision_log.make_records import answered, typical
from tierline import sqlite_file
from tierline.decision_log.reader import LogReader
from tierline.decision_log.schema import MIGRATIONS, PART
from tierline.decision_log.sqlite import SqliteLog
from tierline.interfaces import DecisionLog
from tierline.types.errors import LogFailure

HERE = Path(__file__).parent
DAY = 86400.0


class Clock:
    """Unix time that moves when the test says so."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Disk:
    """The seam of SqliteLog: connections to a disk that can be made to fail."""

    def __init__(self) -> None:
        self.full = False
        self.failed = threading.Event()

    def __call__(self, path: Path) -> sqlite3.Connection:
        if self.full:
            self.failed.set()
        return sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=self._factory())

    def _factory(disk) -> type[sqlite3.Connection]:  # noqa: N805
        class Connection(sqlite3.Connection):
            def execute(self, statement: str, *arguments: object) -> sqlite3.Cursor:
                if disk.full and statement.startswith("INSERT"):
                    raise sqlite3.OperationalError("database or disk is full")
                return super().execute(statement, *arguments)  # type: ignore[arg-type]

        return Connection


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tierline.db"


@pytest.fixture
def log(path: Path) -> Iterator[SqliteLog]:
    with closing(SqliteLog(path)) as log:
        yield log


def run(work: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(work(), 20))  # type: ignore[arg-type]


def flush(log: SqliteLog) -> None:
    run(log.flushed)


def ids(path: Path, table: str = "decisions") -> set[str]:
    with closing(sqlite3.connect(path)) as file:
        return {row[0] for row in file.execute(f"SELECT request_id FROM {table}")}


# What is taken is kept.


def test_it_is_a_decision_log(log: SqliteLog) -> None:
    assert isinstance(log, DecisionLog)


def test_a_row_is_on_disk_once_it_is_acknowledged(log: SqliteLog, path: Path) -> None:
    log.put(typical("a"))
    flush(log)
    assert ids(path) == {"a"}
    assert log.waiting == 0


def test_a_row_can_be_had_by_its_id_before_and_after_it_is_written(log: SqliteLog) -> None:
    log.put(typical("a"))
    assert log.get("a") == typical("a")
    flush(log)
    assert log.get("a") == typical("a")
    assert log.get("b") is None


def test_rows_come_by_time_oldest_first_between_the_bounds(log: SqliteLog) -> None:
    for number in (3, 1, 4, 2, 5):
        log.put(answered(f"r{number}", at=float(number)))
    flush(log)
    assert [row.decision.request_id for row in log.rows()] == ["r1", "r2", "r3", "r4", "r5"]
    assert [row.at for row in log.rows(since=2, until=5)] == [2, 3, 4]
    assert [row.at for row in log.rows(limit=2)] == [1, 2]


def test_many_rows_are_read_page_by_page_without_gap_or_double(log: SqliteLog) -> None:
    for number in range(1234):
        log.put(answered(f"r{number}", at=float(number // 3)))
    flush(log)
    assert [row.decision.request_id for row in log.rows()] == [f"r{number}" for number in range(1234)]


def test_a_row_put_again_under_its_id_replaces_the_first(log: SqliteLog) -> None:
    log.put(typical("a", status=200))
    log.put(typical("a", status=499))
    flush(log)
    found = log.get("a")
    assert found is not None
    assert found.status == 499


def test_flushed_returns_at_once_when_nothing_waits(log: SqliteLog) -> None:
    flush(log)
    assert log.waiting == 0


def test_close_writes_what_is_waiting(path: Path) -> None:
    log = SqliteLog(path)
    for number in range(5000):
        log.put(answered(f"r{number}", at=1.0))
    log.close()
    assert len(ids(path)) == 5000


def test_an_interpreter_that_ends_without_close_writes_what_is_waiting(path: Path) -> None:
    code = (
        f"from make_records import typical; from tierline.decision_log.sqlite import SqliteLog; SqliteLog({str(path)!r}).put(typical('a'))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=HERE)
    assert ids(path) == {"a"}


def test_puts_from_many_threads_are_all_kept(log: SqliteLog, path: Path) -> None:
    threads = [threading.Thread(target=lambda t=t: [log.put(answered(f"{t}-{n}", at=1.0)) for n in range(500)]) for t in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    flush(log)
    assert len(ids(path)) == 2000


CHILD = """
import asyncio, sys
from make_records import typical
from tierline.decision_log.sqlite import SqliteLog

async def main():
    log = SqliteLog(sys.argv[1])
    for number in range(10**9):
        ids = [f"{sys.argv[2]}-{number}-{i}" for i in range(7)]
        for one in ids:
            log.put(typical(one))
        await log.flushed()
        print(*ids, sep="\\n", flush=True)

asyncio.run(main())
"""


def writer(path: Path, name: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", CHILD, str(path), name], stdout=subprocess.PIPE, text=True, cwd=HERE)


def acknowledged(child: subprocess.Popen[str], count: int) -> set[str]:
    """At least so many ids, then the child is killed, and whatever it still had said is read too."""
    assert child.stdout is not None
    said = [child.stdout.readline() for _ in range(count)]
    child.send_signal(signal.SIGKILL)
    said += child.stdout.readlines()
    child.stdout.close()
    assert child.wait() == -signal.SIGKILL
    return {line.strip() for line in said if line.endswith("\n")}


def test_what_was_acknowledged_is_there_after_kill_9(path: Path) -> None:
    promised = acknowledged(writer(path, "a"), 100)
    assert len(promised) >= 100
    assert promised <= ids(path)
    assert sqlite_file.quick_check(path) == ()


def test_two_processes_write_the_same_file(path: Path) -> None:
    children = [writer(path, name) for name in ("a", "b")]
    promised = acknowledged(children[0], 100) | acknowledged(children[1], 100)
    assert {name[0] for name in promised} == {"a", "b"}
    assert promised <= ids(path)


# What cannot be kept is said.


def test_a_full_queue_refuses_and_keeps_what_it_has(path: Path) -> None:
    disk = Disk()
    log = SqliteLog(path, max_queue=100, connect=disk)
    disk.full = True
    for number in range(100):
        log.put(answered(f"r{number}", at=1.0))
    with pytest.raises(LogFailure, match=r"takes no more rows.*tierline\.db"):
        log.put(answered("one too many", at=1.0))
    assert not log.healthy
    disk.full = False
    flush(log)
    assert log.healthy
    log.put(answered("taken again", at=1.0))
    log.close()
    assert ids(path) == {f"r{number}" for number in range(100)} | {"taken again"}


def test_while_the_disk_is_full_rows_wait_and_the_problem_says_how_to_mend_it(path: Path) -> None:
    disk = Disk()
    with closing(SqliteLog(path, connect=disk)) as log:
        disk.full = True
        log.put(typical("a"))
        assert disk.failed.wait(20)  # it has tried, failed, and tried again
        assert "make room on the disk" in log.problem
        assert log.waiting == 1
        disk.full = False
        flush(log)
        assert log.problem == ""
    assert ids(path) == {"a"}


LIMITED = """
import asyncio, resource, sys
from make_records import typical
from tierline.decision_log.sqlite import SqliteLog

async def main():
    log = SqliteLog(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
    for number in range(2000):
        log.put(typical(f"r{number}"))
    try:
        await asyncio.wait_for(log.flushed(), 0.5)
        print("written")
    except TimeoutError:
        print(log.healthy, log.waiting > 0, log.problem)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    await log.flushed()
    print(log.healthy, log.waiting)
    log.close()

asyncio.run(main())
"""


def test_no_row_is_lost_when_the_system_refuses_to_let_the_file_grow(path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", LIMITED, str(path)], capture_output=True, text=True, check=True, cwd=HERE)
    refused, mended = done.stdout.splitlines()
    assert refused.startswith("False True")
    assert "rows wait in memory" in refused
    assert mended == "True 0"
    assert len(ids(path)) == 2000


def test_close_says_how_many_rows_are_lost_when_they_cannot_be_written(path: Path) -> None:
    disk = Disk()
    log = SqliteLog(path, connect=disk)
    disk.full = True
    log.put(typical("a"))
    with pytest.raises(LogFailure, match="1 rows of the decision log could not be written"):
        log.close(patience=0)


def test_who_waits_for_a_log_that_is_closed_over_a_broken_disk_is_told(path: Path) -> None:
    disk = Disk()
    log = SqliteLog(path, connect=disk)

    async def story() -> None:
        disk.full = True
        log.put(typical("a"))
        waiting = asyncio.ensure_future(log.flushed())
        await asyncio.sleep(0)
        with pytest.raises(LogFailure):
            await asyncio.to_thread(log.close, 0)
        with pytest.raises(LogFailure, match="closed before"):
            await waiting

    run(story)


def test_an_sqlite_that_binds_few_values_at_once_gets_every_row(path: Path) -> None:
    def connect(path: Path) -> sqlite3.Connection:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 999)
        return connection

    names = {f"r{number}" for number in range(200)}
    with closing(SqliteLog(path, connect=connect)) as log:
        for name in names:
            log.put(typical(name))
        flush(log)
    assert ids(path) == names


def test_a_closed_log_takes_no_rows(path: Path) -> None:
    log = SqliteLog(path)
    log.close()
    log.close()
    with pytest.raises(LogFailure, match="closed"):
        log.put(typical("a"))


def test_a_row_without_a_stored_form_is_mended_and_its_neighbours_are_written(log: SqliteLog, path: Path) -> None:
    log.put(typical("a"))
    log.put(typical("b-\ud800", overhead=float("nan")))
    log.put(typical("c", at=float("nan")))
    log.put(typical("d"))
    flush(log)
    assert ids(path) == {"a", "b-?", "c", "d"}
    assert log.healthy
    assert log.rejected == 0


def test_a_row_that_cannot_even_be_mended_is_named_and_holds_up_no_other(
    log: SqliteLog, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log.put(typical("a"))
    log.put(typical("b", tried=("not an attempt",)))
    log.put(typical("c"))
    flush(log)
    assert ids(path) == {"a", "c"}
    assert log.rejected == 1
    assert "'b'" in caplog.text


def test_a_file_that_is_moved_away_is_followed_by_a_new_one(log: SqliteLog, path: Path) -> None:
    log.put(typical("a"))
    flush(log)
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        (path.parent / name).rename(path.parent / f"old-{name}")
    log.put(typical("b"))
    flush(log)
    assert ids(path) == {"b"}
    assert ids(path.parent / "old-tierline.db") == {"a"}


# What is opened is looked at first.


def refused(path: Path) -> str:
    with pytest.raises(LogFailure) as failure:
        SqliteLog(path)
    assert str(path) in failure.value.message
    return failure.value.message


def test_a_file_that_is_no_database_is_refused(path: Path) -> None:
    path.write_bytes(b"this is no database, " * 100)
    assert "move it away" in refused(path)


def test_a_half_written_file_is_refused_with_the_way_to_mend_it(path: Path) -> None:
    log = SqliteLog(path)
    for number in range(200):
        log.put(typical(f"r{number}"))
    log.close()
    os.truncate(path, path.stat().st_size // 2 // 4096 * 4096)
    assert ".recover" in refused(path)


def test_a_torn_write_ahead_log_is_read_up_to_the_tear(path: Path) -> None:
    with closing(SqliteLog(path)) as log:
        log.put(typical("a"))
        flush(log)
        whole = path.read_bytes(), path.with_name("tierline.db-wal").read_bytes()
    torn = path.with_name("torn.db")
    torn.write_bytes(whole[0])
    torn.with_name("torn.db-wal").write_bytes(whole[1] + whole[1][-3000:])
    with closing(SqliteLog(torn)) as log:
        assert log.get("a") == typical("a")


def test_a_file_of_another_application_is_refused_and_left_as_it_was(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE songs (title)")
    before = path.read_bytes()
    assert "another application" in refused(path)
    assert path.read_bytes() == before


def test_a_file_of_a_newer_release_is_refused(path: Path) -> None:
    SqliteLog(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute("UPDATE schema_version SET version = 99")
    assert "newer release" in refused(path)
    with pytest.raises(LogFailure, match="newer release"):
        LogReader(path)


def test_a_folder_that_is_not_there_is_named(path: Path) -> None:
    assert "check that its folder exists" in refused(path.parent / "missing" / "tierline.db")


def test_an_old_file_is_brought_up_to_date_and_keeps_its_rows(path: Path) -> None:
    with closing(SqliteLog(path)) as log:
        log.put(typical("a"))
    later = (*MIGRATIONS, "ALTER TABLE decisions ADD COLUMN colour TEXT NOT NULL DEFAULT 'blue; -- no';")
    sqlite_file.open_file(path, PART, later).close()
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("SELECT request_id, colour FROM decisions").fetchall() == [("a", "blue; -- no")]


def test_a_migration_that_fails_changes_nothing(path: Path) -> None:
    SqliteLog(path).close()
    with pytest.raises(LogFailure):
        sqlite_file.open_file(path, PART, (*MIGRATIONS, "CREATE TABLE extra (a); CREATE TABLE decisions (a);"))
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("SELECT count(*) FROM sqlite_master WHERE name = 'extra'").fetchone() == (0,)
    SqliteLog(path).close()


# What is too old leaves.


def test_rows_older_than_their_retention_leave_by_the_clock(path: Path) -> None:
    clock = Clock(100 * DAY)
    with closing(SqliteLog(path, retention=30 * DAY, clock=clock)) as log:
        log.put(answered("old", at=80 * DAY))
        log.put(answered("new", at=99 * DAY))
        flush(log)
        clock.now += 15 * DAY
        log.put(answered("newest", at=clock.now))
        flush(log)
        assert ids(path) == {"new", "newest"}


def test_texts_have_a_retention_of_their_own(path: Path) -> None:
    clock = Clock(100 * DAY)
    with closing(SqliteLog(path, text_retention=7 * DAY, clock=clock)) as log:
        log.put(answered("a", at=clock.now), b"the prompt")
        flush(log)
        with closing(LogReader(path)) as reader:
            assert reader.text("a") == b"the prompt"
            clock.now += 8 * DAY
            log.put(answered("b", at=clock.now), b"another")
            flush(log)
            assert reader.text("a") is None
        assert ids(path) == {"a", "b"}
        assert ids(path, "texts") == {"b"}


def test_a_text_never_outlives_its_row(path: Path) -> None:
    clock = Clock(100 * DAY)
    with closing(SqliteLog(path, retention=DAY, text_retention=7 * DAY, clock=clock)) as log:
        log.put(answered("a", at=clock.now), b"the prompt")
        flush(log)
        clock.now += 2 * DAY
        log.put(answered("b", at=clock.now))
        flush(log)
        assert ids(path, "texts") == set()


def test_rows_without_retention_stay_for_ever(path: Path) -> None:
    clock = Clock(100 * DAY)
    with closing(SqliteLog(path, clock=clock)) as log:
        log.put(answered("a", at=0.0))
        flush(log)
        clock.now += 10_000 * DAY
        log.put(answered("b", at=clock.now))
        flush(log)
        assert ids(path) == {"a", "b"}


def test_many_old_rows_leave_in_small_batches(path: Path) -> None:
    clock = Clock(100 * DAY)
    with closing(SqliteLog(path, retention=DAY, clock=clock)) as log:
        for number in range(1300):
            log.put(answered(f"old-{number}", at=clock.now))
        flush(log)
        clock.now += 2 * DAY
        left = []
        for number in range(3):
            log.put(answered(f"new-{number}", at=clock.now))
            flush(log)
            left.append(len(ids(path)) - number - 1)
        assert left == [800, 300, 0]
