"""The reader of a decision log, wherever the log is."""

from __future__ import annotations

from pathlib import Path

from tierline.decision_log.postgres.reader import PostgresReader
from tierline.decision_log.reader import LogReader
from tierline.postgres.connection import is_address


def open_reader(where: str | Path) -> LogReader:
    """A reader of the file at a path, or of the PostgreSQL database at an address. Raises LogFailure."""
    return PostgresReader(str(where)) if is_address(where) else LogReader(where)


def text_of(where: str | Path, request_id: str) -> bytes | None:
    """The stored prompt and answer of one request in the log there, or None. Raises LogFailure."""
    reader = open_reader(where)
    try:
        return reader.text(request_id)
    finally:
        reader.close()
