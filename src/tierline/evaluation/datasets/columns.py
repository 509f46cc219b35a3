"""What the columns of a file mean: the names that public data sets use for the same thing, and how each is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

NAMES: Mapping[str, tuple[str, ...]] = {
    "query": ("query", "prompt", "question", "text"),
    "query_id": ("query_id", "sample_id", "question_id", "prompt_id"),
    "model": ("model", "model_name"),
    "score": ("score", "correct", "quality", "accuracy", "performance"),
    "cost": ("cost_usd", "cost", "total_cost"),
    "latency": ("latency", "latency_s"),
    "input_tokens": ("input_tokens", "prompt_tokens"),
    "output_tokens": ("output_tokens", "completion_tokens"),
    "task": ("task", "subject", "category", "eval_name"),
    "dataset": ("dataset",),
    "split": ("split",),
    "language": ("language", "lang"),
    "label": ("tier",),
}
"""Our word → the columns that may hold it, the first that is there wins. Case does not matter."""

TEXTS = ("dataset", "query_id", "query", "task", "split", "language", "label")
NUMBERS = ("score", "cost", "latency", "input_tokens", "output_tokens")
CANONICAL = (*TEXTS, "model", *NUMBERS)
"""The columns of the tidy form that every layout is brought to."""

KNOWN_BUT_UNUSED = frozenset(
    {
        "response",
        "answer",
        "unnamed: 0",
        "index",
        "oracle_model_to_route_to",
        "licence",
        "contaminated",
        "said",
        "certainty",
        "label_source",
        "labels",
        "way",
        "propensity",
        "conflict",
    }
)
"""Columns that need no mention when they are left aside."""


def named(columns: Iterable[str]) -> dict[str, str]:
    """Our word → the file's own column."""
    folded = {column.lower(): column for column in columns}
    return {word: folded[name] for word, names in NAMES.items() for name in names[::-1] if name in folded}


def quoted(name: str) -> str:
    """A column's name as SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL."""
    return "'" + text.replace("'", "''") + "'"


def select(found: Mapping[str, str], given: Mapping[str, str], source: str) -> str:
    """The tidy form of `source`, as SQL: `found` maps our words to its columns, `given` to whole expressions; what is in neither is
    NULL."""
    terms = []
    for word in CANONICAL:
        kind = "DOUBLE" if word in NUMBERS else "VARCHAR"
        what = given.get(word) or (quoted(found[word]) if word in found else "NULL")
        terms.append(f"try_cast({what} AS {kind}) AS {word}")
    return f"SELECT {', '.join(terms)} FROM {source}"  # noqa: S608  # names are quoted, texts are literals
