"""`sql`: the one row that a query finds, as words."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tierline.answerers.pattern import Pattern
from tierline.answerers.postgres_rows import PostgresRows
from tierline.answerers.question import question
from tierline.answerers.rows import Row, Rows
from tierline.answerers.sqlite_rows import SqliteRows
from tierline.config.answer_text import filled, names
from tierline.config.loaded import Loaded
from tierline.config.sql_text import parameters
from tierline.config.tools_first import SqlTool, settings
from tierline.types.access import Source
from tierline.types.ask import Hit
from tierline.types.errors import AnswererFailure
from tierline.types.features import Features
from tierline.types.request import Request

SQLITE = "sqlite:///"


class Sql:
    """Answers what its pattern matches and its source knows."""

    def __init__(self, entry: Mapping[str, Any], loaded: Loaded) -> None:
        given: SqlTool = settings(SqlTool, entry)
        source = loaded.sources[given.sql]
        self.name = f"sql:{given.sql}"
        self._pattern = Pattern(given.pattern)
        self._parameters = parameters(source.query)
        self._answer, self._places = given.answer, names(given.answer)
        self._rows = _rows(source, loaded.path.parent, float(given.timeout))

    async def answer(self, request: Request, features: Features) -> Hit | None:  # noqa: ARG002  # the protocol's
        """The row in words; None where nothing matches, or the database has no such row or nothing in it."""
        named = self._pattern.named(question(request))
        if named is None or any(name not in named for name in self._parameters):
            return None
        rows = await self._rows.find({name: named[name] for name in self._parameters})
        if len(rows) > 1:
            raise AnswererFailure("the query found more than one row")
        return self._hit(rows[0], named) if rows else None

    async def close(self) -> None:
        """Let go of the database."""
        await self._rows.close()

    def _hit(self, row: Row, named: Mapping[str, str]) -> Hit | None:
        values = {column: _words(value) for column, value in row.items() if value is not None}
        if self._answer:
            known = {**named, **values}
            missing = [name for name in self._places if name not in known]
            if [name for name in missing if name not in row]:
                raise AnswererFailure(f"the answer names {missing[0]!r}, which is neither a column nor a group")
            return None if missing else Hit(filled(self._answer, known))
        if len(row) == 1:
            return next((Hit(value) for value in values.values()), None)
        return Hit("\n".join([f"{column}: {value}" for column, value in values.items()])) if values else None


def _rows(source: Source, folder: Path, limit: float) -> Rows:
    if source.url.startswith(SQLITE):
        return SqliteRows(folder / source.url.removeprefix(SQLITE), source.query, limit)
    return PostgresRows(source.url, source.query, limit)


def _words(value: Any) -> str:
    if isinstance(value, bytes):
        raise AnswererFailure("the query found bytes, which are no words")
    return str(value).lower() if isinstance(value, bool) else str(value)
