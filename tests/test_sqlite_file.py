"""The file that the log and the ledger share: several workers may come to a new one at once."""

from __future__ import annotations

import multiprocessing
from contextlib import closing
from multiprocessing.synchronize import Barrier
from pathlib import Path

from tierline.sqlite_file import open_file, open_for_reading
from tierline.types.errors import LogFailure

PROCESSES, FILES = 8, 25
PARTS = {"rows": ("CREATE TABLE rows (id)", "CREATE INDEX by_id ON rows (id)"), "labels": ("CREATE TABLE labels (id)",)}


def test_many_processes_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(PROCESSES)
    processes = [context.Process(target=open_all, args=(tmp_path, who, barrier)) for who in range(PROCESSES)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * PROCESSES
    assert [path.read_text() for path in tmp_path.glob("troubles-*")] == [""] * PROCESSES
    for number in range(FILES):
        for part, migrations in PARTS.items():
            open_for_reading(tmp_path / f"{number}.db", part, len(migrations)).close()


def open_all(folder: Path, who: int, barrier: Barrier) -> None:
    """Opens every file in step with the other processes and notes what went wrong."""
    part = sorted(PARTS)[who % 2]
    troubles = ""
    for number in range(FILES):
        barrier.wait(30)
        try:
            with closing(open_file(folder / f"{number}.db", part, PARTS[part])):
                pass
        except LogFailure as failure:
            troubles += f"{failure}\n"
    (folder / f"troubles-{who}").write_text(troubles)
