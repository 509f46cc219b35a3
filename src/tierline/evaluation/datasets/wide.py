"""Tables with one row a query and columns a model: RouterBench's (`<model>`, `<model>|total_cost`), RouteLLM's (`<model>`: right or wrong),
and the same with other marks (`<model>_score`, `<model>_cost`)."""

from __future__ import annotations

from collections.abc import Mapping

from tierline.evaluation.datasets.columns import KNOWN_BUT_UNUSED, literal, quoted, select

_MARKS: Mapping[str, tuple[str, ...]] = {
    "cost": ("|total_cost", "|cost_usd", "|cost", "_cost_usd", "_cost"),
    "latency": ("|latency", "_latency"),
    "input_tokens": ("|input_tokens", "_input_tokens"),
    "output_tokens": ("|output_tokens", "_output_tokens"),
    "score": ("|score", "|correct", "_score", "_correct"),
    "": ("|model_response", "|response", "_response"),
}
_NUMERIC = (
    "BOOLEAN",
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "FLOAT",
    "DOUBLE",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
)


def models(types: Mapping[str, str], found: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Model → our word → the column, from the columns and their SQL types. A column is a model's score when it is numeric or true and
    false, and nothing else is known of it."""
    found_columns = set(found.values())
    models: dict[str, dict[str, str]] = {}
    for column, kind in types.items():
        if column in found_columns or column.lower() in KNOWN_BUT_UNUSED:
            continue
        model, word = _marked(column)
        if not word:
            continue
        if kind in _NUMERIC or kind.startswith("DECIMAL"):
            models.setdefault(model, {})[word] = column
    return {model: columns for model, columns in models.items() if "score" in columns}


def tidy(source: str, found: Mapping[str, str], models: Mapping[str, Mapping[str, str]], dataset: str) -> str:
    """The tidy form as SQL. A row without an id is its own query, whatever its text."""
    about = {word: column for word, column in found.items() if word not in ("model", "score", "cost", "latency")}
    numbered = f"(SELECT *, row_number() OVER () AS tierline_row FROM {source})"  # noqa: S608  # a name of ours
    given = {} if "query_id" in found else {"query_id": "tierline_row"}
    given |= {} if "dataset" in found else {"dataset": literal(dataset)}
    parts = [
        select(about | dict(columns), given | {"model": literal(model), "score": f"CAST({quoted(columns['score'])} AS DOUBLE)"}, numbered)
        for model, columns in models.items()
    ]
    return " UNION ALL ".join(parts)


def _marked(column: str) -> tuple[str, str]:
    """The model and our word that a column's name says; a bare name is a score."""
    for word, marks in _MARKS.items():
        for mark in marks:
            if column.lower().endswith(mark) and len(column) > len(mark):
                return column[: -len(mark)], word
    return column, "score"
