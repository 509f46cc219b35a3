"""Tools first: does every entry say something, and can its table be read and its source be asked?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import re2

from tierline.config import answer_text
from tierline.config.answer_table import read_table
from tierline.config.case import Case
from tierline.config.document import Place
from tierline.config.environment import has_placeholder
from tierline.config.plugin_names import registered
from tierline.config.problems import did_you_mean
from tierline.config.spec import SourceSpec
from tierline.config.sql_text import parameters, reads
from tierline.config.tools_first import BUILT_IN, COMMON, HttpTool, LookupTool, SqlTool, kind_of, settings
from tierline.config.units import Duration

DATABASES = ("sqlite", "postgresql", "postgres")
SERVICES = ("http", "https")

_OPTIONS = re2.Options()
_OPTIONS.log_errors = False


def examine_tools(case: Case) -> None:
    """Reports sources that cannot be asked, entries that name none or fit none, and tables that cannot be read."""
    for name, source in case.spec.sources.items():
        _source(case, name, source)
    used = {name for route in case.spec.routes.values() for entry in route.tools_first for name in _named(entry)}
    for name in case.spec.sources:
        if case.whole and name not in used:
            case.problems.warn(("sources", name), "nothing asks it", "name it under a route's tools_first, or remove it")
    for name, route in case.spec.routes.items():
        for index, entry in enumerate(route.tools_first):
            _entry(case, ("routes", name, "tools_first", index), entry)


def _named(entry: Mapping[str, Any]) -> Sequence[str]:
    return [str(entry[kind]) for kind in ("sql", "http") if kind in entry]


def _source(case: Case, name: str, source: SourceSpec) -> None:
    place = ("sources", name)
    written = case.as_written("sources", name, "url")
    if not has_placeholder(written) and urlsplit(source.url).password:
        case.problems.warn((*place, "url"), "a password stands in the file", "keep the address in the environment: ${NAME}")
    if has_placeholder(source.url):
        return
    scheme = urlsplit(source.url).scheme
    if scheme not in (*DATABASES, *SERVICES):
        case.problems.error((*place, "url"), "this is no address that can be asked", "write sqlite:///FILE, postgresql://… or https://…")
    elif scheme in DATABASES:
        _database(case, name, source, scheme)
    elif source.query:
        case.problems.error((*place, "query"), "a service takes no query", "remove it; the pattern's groups are what it is sent")


def _database(case: Case, name: str, source: SourceSpec, scheme: str) -> None:
    place = ("sources", name)
    for field in ("method", "headers"):
        if getattr(source, field) != getattr(SourceSpec(url=""), field):
            case.problems.error((*place, field), f"a database takes no {field}", "remove it")
    if not source.query:
        case.problems.error(place, "a database needs a query", "add query: select … where … = :name")
    elif not reads(source.query):
        case.problems.error((*place, "query"), "this is not one query that reads", "write one select; nothing is ever written to a source")
    if scheme == "sqlite":
        file = source.url.removeprefix("sqlite:///")
        if not source.url.startswith("sqlite:///") or not (_folder(case) / file).is_file():
            case.problems.error((*place, "url"), f"there is no SQLite file {file[-60:]!r}", "write sqlite:///FILE, relative to the spec")
    elif find_spec("asyncpg") is None:
        case.problems.error((*place, "url"), "PostgreSQL needs the package asyncpg", "pip install 'tierline[postgres]'")


def _entry(case: Case, place: Place, entry: Mapping[str, Any]) -> None:
    kinds = registered("tierline.answerers")
    kind = kind_of(entry)
    if not kind:
        case.problems.error(place, "it names no tool", f"add one of {', '.join(kinds)}")
    elif kind not in kinds:
        case.problems.unknown((*place, kind), "kind of tool", kind, kinds)
    elif kind not in BUILT_IN:
        _timeout(case, place, entry)
    else:
        _built_in(case, place, kind, entry)


def _timeout(case: Case, place: Place, entry: Mapping[str, Any]) -> None:
    try:
        if Duration.parse(entry.get("timeout", 1)) > 0:
            return
        reason = "nothing is answered in no time"
    except ValueError as error:
        reason = str(error)
    case.problems.error((*place, "timeout"), reason, "write 300ms, 1s or so")


def _built_in(case: Case, place: Place, kind: str, entry: Mapping[str, Any]) -> None:
    struct = BUILT_IN[kind]
    unknown = [key for key in entry if key not in struct.__struct_fields__]
    for key in unknown:
        case.problems.error((*place, key), f"the tool {kind} has no {key!r}", did_you_mean(key, struct.__struct_fields__))
    if unknown:
        return
    if "timeout" in entry:
        _timeout(case, place, entry)
    try:
        given = settings(struct, entry)
    except msgspec.ValidationError as error:
        at, reason = _fault(place, error)
        if at != (*place, *COMMON):
            case.problems.error(at, reason, "see the reference of the spec for what it takes")
        return
    match given:
        case LookupTool():
            _lookup(case, place, given)
        case SqlTool():
            _sql(case, place, given)
        case HttpTool():
            _http(case, place, given)


def _fault(place: Place, error: msgspec.ValidationError) -> tuple[Place, str]:
    """Where the entry does not fit, and why; the message quotes no value."""
    reason, _, where = str(error).partition(" - at `$.")
    return ((*place, where.rstrip("`")) if where else place), reason.replace("`", "")


def _lookup(case: Case, place: Place, given: LookupTool) -> None:
    if has_placeholder(given.lookup):
        return
    answers: dict[str, str] = {}
    try:
        for where, asked, answer in read_table(_folder(case) / given.lookup, given.question, given.answer):
            if answers.setdefault(asked.strip(), answer) != answer:
                raise ValueError(f"{where} answers a question that stands before it, in other words")
    except ValueError as error:
        case.problems.error((*place, "lookup"), str(error), "paths are relative to the spec; every row needs a question and its answer")
        return
    if not answers:
        case.problems.warn((*place, "lookup"), "the table is empty", "add a row, or remove the tool")


def _sql(case: Case, place: Place, given: SqlTool) -> None:
    source = _source_of(case, (*place, "sql"), given.sql)
    groups = _groups(case, (*place, "pattern"), given.pattern)
    if source is None or groups is None:
        return
    if not has_placeholder(source.url) and urlsplit(source.url).scheme in SERVICES:
        case.problems.error((*place, "sql"), f"the source {given.sql!r} is a service", "ask it with http")
    for name in parameters(source.query):
        if name not in groups:
            reason = f"no group fills the query's parameter {name!r}"
            case.problems.error((*place, "pattern"), reason, f"write (?P<{name}>…) where the question names it")
    try:
        answer_text.names(given.answer)
    except ValueError as error:
        case.problems.error((*place, "answer"), str(error), "for example: answer: Your order {id} is {status}.")


def _http(case: Case, place: Place, given: HttpTool) -> None:
    source = _source_of(case, (*place, "http"), given.http)
    _groups(case, (*place, "pattern"), given.pattern)
    if source is not None and not has_placeholder(source.url) and urlsplit(source.url).scheme in DATABASES:
        case.problems.error((*place, "http"), f"the source {given.http!r} is a database", "ask it with sql")


def _source_of(case: Case, place: Place, name: str) -> SourceSpec | None:
    if name not in case.names("sources"):
        case.problems.unknown(place, "source", name, case.names("sources"))
    return case.spec.sources.get(name)


def _groups(case: Case, place: Place, pattern: str) -> Sequence[str] | None:
    """The names of a pattern's groups; None where RE2 does not take it."""
    try:
        compiled = re2.compile(pattern, _OPTIONS)
    except re2.error as error:
        words = error.args[0].decode("utf-8", "replace") if error.args and isinstance(error.args[0], bytes) else str(error)
        case.problems.error(place, f"RE2 does not take this pattern: {words}", "RE2 has no look-around and no back-references")
        return None
    if compiled.search("") is not None:
        case.problems.error(place, "this pattern matches the empty text, and so every text", "make some part of it required")
    return list(compiled.groupindex)


def _folder(case: Case) -> Path:
    return Path(case.problems.file).parent
