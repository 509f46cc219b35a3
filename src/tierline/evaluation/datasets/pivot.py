"""From the tidy form to the table, inside DuckDB: ids, duplicates and groups are its work, and it spills to disk when memory is short."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from tierline.evaluation.datasets.columns import NUMBERS
from tierline.evaluation.table import Cells, Table

STRIDE = 200_000
"""Queries that are brought over from DuckDB at one time."""

_KEY = "dataset || chr(31) || coalesce(query_id, md5(coalesce(query, '')))"
_NUMBER = "CASE WHEN isfinite({0}) THEN {0} END"


def build(database: duckdb.DuckDBPyConnection, raw: str, models: Sequence[str]) -> None:
    """Make the tables `queries` (numbered by dataset and id), `models` and `cells` (one row a query and model) from the tidy rows `raw`."""
    database.execute(
        f"""CREATE TEMP TABLE queries AS
        SELECT row_number() OVER (ORDER BY key) - 1 AS q, *, hash(lower(trim(regexp_replace(text, '\\s+', ' ', 'g')))) AS same FROM (
            SELECT {_KEY} AS key, min(dataset) AS dataset, min(query_id) AS id, min(query) AS text, max(query) AS other_text,
                min(task) AS task, min(language) AS language, min(split) AS split, min(label) AS label FROM {raw} GROUP BY 1)"""  # noqa: S608
    )
    listed = ", ".join("?" for _ in models)
    database.execute("CREATE TEMP TABLE models (m INTEGER, model VARCHAR)")
    if not models:
        return
    database.execute(f"INSERT INTO models SELECT generate_subscripts([{listed}], 1) - 1, unnest([{listed}])", [*models, *models])
    numbers = ", ".join(f"avg({_NUMBER.format(name)}) AS {name}" for name in NUMBERS)
    database.execute(
        f"""CREATE TEMP TABLE cells AS
        SELECT q, m, {numbers}, count(*) AS times, count(DISTINCT score) AS scores
        FROM (SELECT {_KEY} AS key, model, {", ".join(NUMBERS)} FROM {raw}) JOIN models USING (model) JOIN queries USING (key)
        GROUP BY q, m ORDER BY q, m"""  # noqa: S608  # names of this package
    )


def table(database: duckdb.DuckDBPyConnection, models: Sequence[str], text: bool) -> Table:
    """The table from what `build` made; `text`: with the prompts."""
    about = database.sql(
        "SELECT dataset, coalesce(id, left(md5(coalesce(text, '')), 12)) AS id, coalesce(task, '') AS task,"
        " coalesce(language, '') AS language, coalesce(label, '') AS label, length(coalesce(text, '')) AS length,"
        " coalesce(same, hash(key)) AS same, "
        "CASE WHEN coalesce(text, '') = '' THEN 0 ELSE len(string_split_regex(trim(text), '\\s+')) END AS words FROM queries ORDER BY q"
    ).fetchnumpy()
    filled = _cells(database, len(about["id"]), len(models))
    texts = None
    if text:
        texts = [value or "" for (value,) in database.sql("SELECT text FROM queries ORDER BY q").fetchall()]
    return Table(
        models=tuple(models),
        query=_texts(about["id"]),
        task=_texts(about["task"]),
        dataset=_texts(about["dataset"]),
        score=filled["score"],
        cost=filled["cost"],
        text=texts,
        latency=_known(filled["latency"]),
        input_tokens=_known(filled["input_tokens"]),
        output_tokens=_known(filled["output_tokens"]),
        length=np.asarray(about["length"], dtype=np.int64),
        words=np.asarray(about["words"], dtype=np.int64),
        group=_numbered(about["same"]),
        language=_if_any(_texts(about["language"])),
        label=_if_any(_texts(about["label"])),
    )


def _cells(database: duckdb.DuckDBPyConnection, queries: int, models: int) -> dict[str, Cells]:
    filled = {name: np.full((queries, models), np.nan) for name in NUMBERS}
    if not models:
        return filled
    chunk = f"SELECT q, m, {', '.join(NUMBERS)} FROM cells WHERE q >= ? AND q < ?"  # noqa: S608  # names of this package
    for start in range(0, queries, STRIDE):
        part: dict[str, Any] = database.execute(chunk, [start, start + STRIDE]).fetchnumpy()
        q, m = np.asarray(part["q"], dtype=np.intp), np.asarray(part["m"], dtype=np.intp)
        for name in NUMBERS:
            filled[name][q, m] = np.ma.filled(np.ma.asarray(part[name], dtype=np.float64), np.nan)
    return filled


def _texts(column: Any) -> list[str]:
    """Texts as a list in which equal ones are one object: tasks and data sets recur."""
    same: dict[str, str] = {}
    return [same.setdefault(value, value) for value in np.ma.filled(column, "").tolist()]


def _if_any(values: list[str]) -> list[str] | None:
    return values if any(values) else None


def _known(cells: Cells) -> Cells | None:
    return None if bool(np.isnan(cells).all()) else cells


def _numbered(words: Any) -> NDArray[np.int64]:
    _, groups = np.unique(np.asarray(words, dtype=np.uint64), return_inverse=True)
    return groups.astype(np.int64).reshape(-1)
