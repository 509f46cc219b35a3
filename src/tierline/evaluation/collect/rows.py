"""From the journal to the table: one row a cell, in the columns that every command of the evaluation reads."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tierline.evaluation.collect.call import Candidate
from tierline.evaluation.collect.journal import Journal
from tierline.evaluation.collect.prompts import Prompt
from tierline.types.errors import TierlineError

COLUMNS: Mapping[str, str] = {
    "dataset": "VARCHAR",
    "query_id": "VARCHAR",
    "query": "VARCHAR",
    "task": "VARCHAR",
    "model": "VARCHAR",
    "score": "DOUBLE",
    "cost_usd": "DOUBLE",
    "input_tokens": "BIGINT",
    "output_tokens": "BIGINT",
    "latency": "DOUBLE",
    "response": "VARCHAR",
    "reference": "VARCHAR",
    "finish": "VARCHAR",
    "grade": "VARCHAR",
    "grade_detail": "VARCHAR",
    "grade_cost_usd": "DOUBLE",
    "error": "VARCHAR",
    "model_fingerprint": "VARCHAR",
    "collected_at": "DOUBLE",
}
"""Column → type. `cost_usd` is what the answer cost, without its grade; `latency` in seconds; `collected_at` in Unix seconds."""

SUFFIXES = (".parquet", ".csv", ".jsonl")


class CannotWrite(TierlineError):
    """A table that cannot be written where it was asked for."""


def rows(prompts: Sequence[Prompt], candidates: Sequence[Candidate], journal: Journal, grade: str) -> Iterator[dict[str, Any]]:
    """The cells that were run, prompt by prompt; one that was never run has no row, one without an answer has no score."""
    for prompt in prompts:
        for candidate in candidates:
            answer = journal.answers.get((prompt.id, candidate.name))
            if answer is None or (answer.prompt, answer.model_print) != (prompt.digest, candidate.fingerprint):
                continue
            graded = None if answer.error else journal.grades.get((prompt.id, candidate.name))
            values = (
                prompt.dataset,
                prompt.id,
                prompt.text,
                prompt.task,
                candidate.name,
                None if graded is None else graded.score,
                answer.cost_usd,
                answer.input_tokens,
                answer.output_tokens,
                answer.latency,
                answer.response,
                prompt.reference,
                answer.finish,
                grade,
                answer.detail if graded is None else graded.detail,
                0.0 if graded is None else graded.cost_usd,
                answer.error,
                answer.model_print,
                answer.at,
            )
            yield dict(zip(COLUMNS, values, strict=True))


def write(path: Path, table: Iterable[Mapping[str, Any]], columns: Mapping[str, str] = COLUMNS) -> int:
    """Write the table, whose columns have these types, as its suffix says; it appears whole or not at all. Returns the number of
    rows; raises CannotWrite."""
    writer = _WRITERS[check_suffix(path)]
    with tempfile.TemporaryDirectory(prefix=".tierline-collect-", dir=path.resolve().parent) as folder:
        half = Path(folder, "table")
        count = writer(half, table, columns)
        half.replace(path)
    return count


def check_suffix(path: Path) -> str:
    """The suffix, in small letters; raises CannotWrite for one that is not known, or Parquet without DuckDB."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise CannotWrite(f"{path.name} is none of Parquet, CSV and JSONL ({', '.join(SUFFIXES)})")
    if suffix == ".parquet":
        try:
            import duckdb  # noqa: F401, PLC0415  # an optional extra
        except ImportError:
            raise CannotWrite("Parquet needs DuckDB: install `tierline[analysis]`, or name a .csv or .jsonl file") from None
    return suffix


def _jsonl(path: Path, table: Iterable[Mapping[str, Any]], _: Mapping[str, str]) -> int:
    encode = msgspec.json.Encoder().encode
    count = 0
    with path.open("wb") as file:
        for row in table:
            file.write(encode(row) + b"\n")
            count += 1
    return count


def _csv(path: Path, table: Iterable[Mapping[str, Any]], columns: Mapping[str, str]) -> int:
    count = 0
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(columns))
        writer.writeheader()
        for row in table:
            writer.writerow(row)
            count += 1
    return count


def _parquet(path: Path, table: Iterable[Mapping[str, Any]], columns: Mapping[str, str]) -> int:
    import duckdb  # an optional extra  # noqa: PLC0415

    lines = path.with_suffix(".ndjson")
    count = _jsonl(lines, table, columns)
    with duckdb.connect() as database:
        found = database.read_json(str(lines), format="newline_delimited", columns=dict(columns))
        found.write_parquet(str(path), compression="zstd")
    return count


_WRITERS: Mapping[str, Callable[[Path, Iterable[Mapping[str, Any]], Mapping[str, str]], int]] = {
    ".parquet": _parquet,
    ".csv": _csv,
    ".jsonl": _jsonl,
}
