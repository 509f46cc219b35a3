"""Recognises a file and brings it to the tidy form: one row a query and model, in the columns of `columns.CANONICAL`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from tierline.evaluation.datasets import openai_evals, promptfoo, wide
from tierline.evaluation.datasets.columns import CANONICAL, KNOWN_BUT_UNUSED, NUMBERS, literal, named, select
from tierline.evaluation.datasets.decision_log import MAGIC, Logged, LoggedRequests
from tierline.evaluation.datasets.findings import Findings
from tierline.types.errors import EvaluationFailure

FORMS = (".parquet", ".jsonl", ".ndjson", ".csv", ".tsv", ".json", ".db", ".sqlite", ".sqlite3")

_RESULT_MARK = b'"provider"'
_HEAD = 65_536


class OfLogs(msgspec.Struct, frozen=True):
    """How decision logs are read: `learning`: scores to learn from instead of to look at; `trust` of sources, as a team gives it."""

    learning: bool = False
    trust: Mapping[str, float] = {}


class Source(msgspec.Struct, frozen=True):
    """A file in the tidy form: `sql` selects its rows. `labels`: it tells tiers and no scores. `logged`: what a decision log shows beside
    its cells."""

    path: Path
    sql: str
    labels: bool = False
    logged: Logged | None = None


def open_source(
    database: duckdb.DuckDBPyConnection, path: Path, number: int, scratch: Path, findings: Findings, logs: OfLogs | None = None
) -> Source:
    """One file as a source; `logs` says how decision logs are read. Raises EvaluationFailure when it is not there, empty or of no
    form that is known."""
    if not path.is_file():
        raise EvaluationFailure(f"there is no file {path}")
    if path.stat().st_size == 0:
        raise EvaluationFailure(f"{path} is empty")
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head.startswith(MAGIC):
        how = logs or OfLogs()
        log = LoggedRequests(path, learning=how.learning, trust=how.trust)
        sql = _written(database, log.rows(), scratch / f"{number}.ndjson")
        return Source(path, sql, logged=log.told())
    if path.suffix.lower() not in FORMS:
        raise EvaluationFailure(f"{path.name}: a file that ends in {path.suffix or 'nothing'} is not known; use one of {', '.join(FORMS)}")
    if path.suffix.lower() == ".json" and _RESULT_MARK in head:
        return Source(path, _written(database, promptfoo.rows(path, findings), scratch / f"{number}.ndjson"))
    if path.suffix.lower() in (".jsonl", ".ndjson") and openai_evals.is_record(head.splitlines()[0]):
        return Source(path, _written(database, openai_evals.rows(path, findings), scratch / f"{number}.ndjson"))
    return _columnar(database, path, f"file_{number}", findings)


def _written(database: duckdb.DuckDBPyConnection, rows: Iterable[Mapping[str, Any]], path: Path) -> str:
    """Rows of ours as a file that DuckDB reads, so that memory does not grow with their number."""
    encode = msgspec.json.Encoder().encode
    with path.open("wb") as out:
        out.writelines(encode(row) + b"\n" for row in rows)
    columns = ", ".join(f"{name}: '{'DOUBLE' if name in NUMBERS else 'VARCHAR'}'" for name in CANONICAL)
    del database
    return f"SELECT {', '.join(CANONICAL)} FROM read_json({literal(str(path))}, format='newline_delimited', columns={{{columns}}})"  # noqa: S608


def _columnar(database: duckdb.DuckDBPyConnection, path: Path, name: str, findings: Findings) -> Source:
    try:
        relation = _relation(database, path)
        types = dict(zip(relation.columns, map(str, relation.types), strict=True))
        relation.create_view(name)
    except duckdb.Error as error:
        raise EvaluationFailure(f"{path.name} cannot be read: {str(error).splitlines()[0][:300]}") from None
    found = named(types)
    if "model" in found and "score" in found:
        given = {} if "dataset" in found else {"dataset": literal(path.stem)}
        _mention(path, set(types) - set(found.values()), findings)
        _count_unreadable(database, path, name, found["score"], findings)
        _count_judged(database, path, name, types, findings)
        return Source(path, select(found, given, name))
    if "label" in found and "query" in found and not wide.models(types, found):
        return Source(path, select(found, {"dataset": literal(path.stem)}, name), labels=True)
    models = wide.models(types, found)
    if not models or not {"query", "query_id"} & found.keys():
        raise EvaluationFailure(
            f"{path.name}: its columns ({', '.join(list(types)[:12])}{', …' if len(types) > 12 else ''}) are none of the known layouts: "
            "query, model, score, cost_usd (a row an answer); prompt and a column a model, as RouteLLM and RouterBench have it; "
            "or prompt, tier"
        )
    used = set(found.values()) | {column for columns in models.values() for column in columns.values()}
    _mention(path, {column for column in types if column not in used and not column.endswith("response")}, findings)
    findings.note("layout", f"{path.name}: read as one row a query, one column a model: {', '.join(sorted(models))}", len(models))
    return Source(path, wide.tidy(name, found, models, path.stem))


def _relation(database: duckdb.DuckDBPyConnection, path: Path) -> duckdb.DuckDBPyRelation:
    form = path.suffix.lower()
    if form == ".parquet":
        return database.read_parquet(str(path))
    if form in (".csv", ".tsv"):
        return database.read_csv(str(path), header=True, sample_size=100_000)
    return database.read_json(str(path), format="array" if form == ".json" else "newline_delimited")


def _mention(path: Path, unknown: set[str], findings: Findings) -> None:
    unknown = {column for column in unknown if column.lower() not in KNOWN_BUT_UNUSED}
    if unknown:
        findings.note("unknown_columns", f"{path.name}: columns that are not used: {', '.join(sorted(unknown))}", len(unknown))


def _count_judged(database: duckdb.DuckDBPyConnection, path: Path, name: str, types: Mapping[str, str], findings: Findings) -> None:
    """Scores that a judge gave, as `tierline collect` marks them: how good the judge is, the table does not say."""
    if types.get("grade") != "VARCHAR":
        return
    (count,) = database.execute(f"SELECT count(*) FROM {name} WHERE grade = 'judge' AND score IS NOT NULL").fetchall()[0]  # noqa: S608
    if count:
        findings.warn(
            "judged",
            f"{path.name}: {count:,} scores were given by a judge: hold it against known answers first (`tierline labels judge`)",
            count,
        )


def _count_unreadable(database: duckdb.DuckDBPyConnection, path: Path, name: str, score: str, findings: Findings) -> None:
    column = '"' + score.replace('"', '""') + '"'
    query = f"SELECT count(*) FROM {name} WHERE {column} IS NOT NULL AND try_cast({column} AS DOUBLE) IS NULL"  # noqa: S608  # names quoted
    (count,) = database.execute(query).fetchall()[0]
    if count:
        findings.warn("unreadable_scores", f"{path.name}: {count:,} scores are no numbers; their cells are left empty", count)
