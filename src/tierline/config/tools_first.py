"""The tools that a route asks before any model: the settings of the built-in kinds, one struct a kind.

An entry's kind is its first key that is not common to all kinds; the kind's value stands behind it. Kinds of plug-ins are known by the
entry points in `tierline.answerers`, and read their own settings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from tierline.config.spec import AtLeastOne, Section
from tierline.config.structure import decode_unit
from tierline.config.units import Duration, Size

TIMEOUT = Duration(0.3)
"""Seconds that a tool has to answer, where its entry does not say."""

COMMON = frozenset({"timeout"})
"""Keys that an entry of any kind may have."""


class CacheTool(Section, frozen=True, kw_only=True):
    """`cache`: gives again what a model answered to exactly the same request of the same key. Each worker has its own."""

    cache: Annotated[Literal["exact"], Meta(description="how alike two requests must be")]
    ttl: Annotated[Duration, Meta(description="how long an answer is good for")] = msgspec.field(default_factory=lambda: Duration(3600))
    max_entries: Annotated[AtLeastOne, Meta(description="most answers that are kept; the one not asked for longest goes")] = 10_000
    max_bytes: Annotated[Size, Meta(description="most memory that they take")] = msgspec.field(default_factory=lambda: Size(64 * 1024**2))
    timeout: Annotated[Duration, Meta(description="longest wait")] = msgspec.field(default_factory=lambda: TIMEOUT)


class LookupTool(Section, frozen=True, kw_only=True):
    """`lookup`: a table of questions and their answers. It is read when the spec is."""

    lookup: Annotated[str, Meta(description="the table: a CSV, JSON or JSONL file, relative to the spec")]
    match: Annotated[Literal["exact", "normalised"], Meta(description="normalised: case, punctuation and spaces make no difference")] = (
        "exact"
    )
    question: Annotated[str, Meta(description="the column of the questions")] = "question"
    answer: Annotated[str, Meta(description="the column of the answers")] = "answer"
    timeout: Annotated[Duration, Meta(description="longest wait")] = msgspec.field(default_factory=lambda: TIMEOUT)


class SqlTool(Section, frozen=True, kw_only=True):
    """`sql`: the one row that a source's query finds."""

    sql: Annotated[str, Meta(description="a key of `sources`")]
    pattern: Annotated[str, Meta(description="RE2; a question that it matches is asked, its named groups are the query's parameters")]
    answer: Annotated[
        str, Meta(description="the answer's words, with {column} and {group}; left out: the one column, or every column with its name")
    ] = ""
    timeout: Annotated[Duration, Meta(description="longest wait")] = msgspec.field(default_factory=lambda: TIMEOUT)


class HttpTool(Section, frozen=True, kw_only=True):
    """`http`: what a source's service answers."""

    http: Annotated[str, Meta(description="a key of `sources`")]
    pattern: Annotated[str, Meta(description="RE2; a question that it matches is asked, its named groups are the fields sent")]
    answer: Annotated[str, Meta(description="where in the JSON the answer stands, e.g. hits.0.text; left out: the body is the answer")] = ""
    max_bytes: Annotated[Size, Meta(description="largest body")] = msgspec.field(default_factory=lambda: Size(64 * 1024))
    timeout: Annotated[Duration, Meta(description="longest wait")] = msgspec.field(default_factory=lambda: TIMEOUT)


BuiltIn = CacheTool | LookupTool | SqlTool | HttpTool

BUILT_IN: Mapping[str, type[BuiltIn]] = {"cache": CacheTool, "lookup": LookupTool, "sql": SqlTool, "http": HttpTool}
"""Kind → the struct of its settings."""


class Tool(msgspec.Struct, frozen=True):
    """One entry: its kind, the whole entry as it is written, and the seconds it may take."""

    kind: str
    settings: Mapping[str, Any]
    timeout: float


def kind_of(entry: Mapping[str, Any]) -> str:
    """The entry's kind; empty where it names none."""
    return next((key for key in entry if key in BUILT_IN), None) or next((key for key in entry if key not in COMMON), "")


def tools_of(entries: Sequence[Mapping[str, Any]]) -> tuple[Tool, ...]:
    """The tools of one route, in its order."""
    return tuple(Tool(kind_of(entry), entry, float(Duration.parse(entry.get("timeout", TIMEOUT)))) for entry in entries)


def settings(kind: type[Any], entry: Mapping[str, Any]) -> Any:
    """An entry as the struct of its kind; raises msgspec.ValidationError."""
    return msgspec.convert(entry, kind, dec_hook=decode_unit)
