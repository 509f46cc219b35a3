"""The log as NDJSON or Parquet: every column of `decisions`, and the encoded parts as JSON."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import msgspec

from tierline.decision_log.codec import decode
from tierline.decision_log.reader import EVERYTHING, Filter, LogReader
from tierline.decision_log.schema import BLOBS, COLUMNS
from tierline.types.decision import Decision
from tierline.types.errors import LogFailure
from tierline.types.features import Features
from tierline.types.outcome import Aside
from tierline.types.record import Record, Tried
from tierline.types.scores import NO_SCORES, Scores
from tierline.types.view import NO_VIEW, View

Progress = Callable[[int], None]
"""Called with the number of rows written since the last call."""

_PLAIN = tuple(name for name in COLUMNS if name not in BLOBS)
_BOOLEAN = frozenset({"flagged", "truncated"})
_TYPES = {"REAL": "DOUBLE", "INTEGER": "BIGINT", "TEXT": "VARCHAR"}
_EVERY = 500


class Exported(msgspec.Struct, frozen=True):
    """One line of an export, as far as a record needs it."""

    at: float
    features: Features
    decision: Decision
    tried: tuple[Tried, ...]
    scores: Scores | None
    view: View | None
    winner: int | None
    status: int
    error: str
    stopped: str
    flagged: bool
    truncated: bool
    overhead: float
    answered: str = ""
    asides: tuple[Aside, ...] = ()


_line = msgspec.json.Decoder(Exported).decode


def read_line(line: str | bytes) -> Record:
    """The record of one NDJSON line, for those who replay an export. An infinite number, which JSON has not, is lost on the way.

    Raises ValueError when the line is not from an export."""
    found = _line(line)
    return Record(
        found.at,
        found.features,
        found.decision,
        found.tried,
        found.scores or NO_SCORES,
        found.view or NO_VIEW,
        found.winner,
        found.status,
        found.error,
        found.stopped,
        found.flagged,
        found.truncated,
        found.overhead,
        found.answered,
        found.asides,
    )


def write_ndjson(log: LogReader, out: IO[bytes], which: Filter = EVERYTHING, progress: Progress = lambda _: None) -> int:
    """Write one JSON object a line, by time, oldest first, in bounded memory; returns how many."""
    count = 0
    for line in _lines(log, which):
        out.write(line)
        count += 1
        if count % _EVERY == 0:
            progress(_EVERY)
    progress(count % _EVERY)
    return count


def write_parquet(log: LogReader, path: Path, which: Filter = EVERYTHING, progress: Progress = lambda _: None) -> int:
    """Write a Parquet file with the same columns (the encoded parts are JSON text); returns how many rows.

    The file appears whole or not at all. Raises LogFailure when DuckDB, the extra `analysis`, is not installed."""
    try:
        import duckdb  # an optional extra  # noqa: PLC0415
    except ImportError:
        raise LogFailure("Parquet needs DuckDB: install `tierline[analysis]`, or export NDJSON") from None
    columns = {**_types(log), **dict.fromkeys(BLOBS, "JSON")}
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix=".tierline-export-", dir=path.resolve().parent))
        lines, half = Path(folder, "rows.ndjson"), Path(folder, "rows.parquet")
        with lines.open("wb") as out:
            count = write_ndjson(log, out, which, progress)
        with duckdb.connect() as database:
            rows = database.read_json(str(lines), format="newline_delimited", columns=columns)
            rows.write_parquet(str(half), compression="zstd")
        half.replace(path)
    return count


def _types(log: LogReader) -> dict[str, str]:
    declared = {row["name"]: _TYPES.get(row["type"], "JSON") for row in log.query("PRAGMA table_info(decisions)")}
    return {name: "BOOLEAN" if name in _BOOLEAN else declared[name] for name in _PLAIN}


def _lines(log: LogReader, which: Filter) -> Iterator[bytes]:
    encode = msgspec.json.Encoder().encode
    for row in log.rows(which):
        yield encode(as_json(row)) + b"\n"


def as_json(row: sqlite3.Row) -> dict[str, Any]:
    """A row as a mapping that encodes to JSON: plain columns first, then the parts of the record."""
    record = decode(row)
    shown: dict[str, Any] = {name: row[name] for name in _PLAIN}
    shown.update((name, bool(row[name])) for name in _BOOLEAN)
    shown["features"] = record.features
    shown["scores"] = None if row["scores"] is None else record.scores
    shown["view"] = None if row["view"] is None else record.view
    shown["decision"] = record.decision
    shown["tried"] = record.tried
    shown["asides"] = record.asides
    return shown
