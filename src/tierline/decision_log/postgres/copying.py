"""A whole log from a file into PostgreSQL, and back into a file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from tierline import sqlite_file
from tierline.decision_log.postgres.shipment import Shipment, left
from tierline.decision_log.reader import Filter, LogReader
from tierline.decision_log.schema import COLUMNS, MIGRATIONS, PART, insert
from tierline.sqlite_file import transaction
from tierline.types.errors import LogFailure

Told = Callable[[int, int], None]
"""Called with the rows copied so far and the number of all."""


def into_database(path: Path, url: str, told: Told) -> int:
    """Ship every row of the file at `path` that is not in the database yet; how many those were. Raises LogFailure."""
    if not path.is_file():
        raise LogFailure(f"there is no decision log at {path}")
    try:
        return asyncio.run(_ship(path, url, told))
    except LogFailure:
        raise
    except Exception as error:
        raise LogFailure(f"the copy broke off ({type(error).__name__}: {error}): begun again, it goes on where it was") from error


async def _ship(path: Path, url: str, told: Told) -> int:
    shipment = await Shipment.begin(path, url)
    try:
        done, total = 0, left(path)
        while moved := await shipment.next():
            done += moved
            told(done, max(total, done))
        return done
    finally:
        await shipment.close()


def into_file(reader: LogReader, path: Path, which: Filter, told: Told) -> int:
    """Copy the rows of any log, and their texts, into a new file; how many those were. Raises LogFailure when the file is there."""
    if path.exists():
        raise LogFailure(f"{path} is there already: give the path of a new file")
    total, done = reader.count(which), 0
    with closing(sqlite_file.open_file(path, PART, MIGRATIONS)) as file:
        for page in reader.pages(COLUMNS, which):
            rows = [row[2:] for row in page]  # a page begins with at and seq
            names = ", ".join("?" * len(rows))
            texts = _texts(reader, [row[0] for row in rows], names)
            with transaction(file):
                file.executemany(insert(1), rows)
                file.executemany("INSERT OR REPLACE INTO texts (request_id, at, body) VALUES (?, ?, ?)", texts)
            done += len(rows)
            told(done, total)
    return done


def _texts(reader: LogReader, ids: list[str], places: str) -> list[tuple[object, ...]]:
    statement = f"SELECT request_id, at, body FROM texts WHERE request_id IN ({places})"  # noqa: S608  # parameters only
    return [(row["request_id"], row["at"], row["body"]) for row in reader.query(statement, ids)]
