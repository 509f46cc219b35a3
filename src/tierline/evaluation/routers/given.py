"""A router of one's own, as a file: what it chose, or scored, for every query.

    query_id (or query), model              its choice                                        → a point
    query_id (or query), score              the higher, the more it needs the strong model    → a curve
    query_id (or query), model, score       the quality it predicts of each model; `cost_usd` may stand beside it → a curve

Parquet, CSV or JSONL; every query that is compared needs a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from tierline.evaluation.datasets.columns import literal, named, quoted
from tierline.evaluation.routers.routing import Progress, Routing
from tierline.evaluation.table import Table
from tierline.types.errors import EvaluationFailure

_READERS = {".parquet": "read_parquet", ".csv": "read_csv", ".jsonl": "read_json", ".ndjson": "read_json"}

_Row = tuple[str, str | None, float | None, float | None]


class GivenRouter:
    """Plays back what a file says; raises EvaluationFailure when it cannot be read or says nothing of a query."""

    def __init__(self, path: Path, name: str = "choices") -> None:
        self.name = name
        self._path = path
        self._rows, self._by, self._has = _read(path)
        self.needs_text = self._by == "query"

    def route(self, table: Table, fold: NDArray[np.intp], chance: np.random.Generator, progress: Progress) -> Routing:
        """What the file says about the table's queries."""
        del fold, chance, progress
        keys: Sequence[str] = table.query if self._by == "query_id" else table.text or ()
        places: dict[str, list[int]] = {}
        for place, key in enumerate(keys):
            places.setdefault(key, []).append(place)
        missing = places.keys() - {row[0] for row in self._rows}
        if missing:
            raise EvaluationFailure(
                f"{self._path.name} says nothing about {len(missing):,} of {len(places):,} queries; each needs a row with its {self._by}"
            )
        if "model" not in self._has:
            return Routing(score=self._scores(places, len(keys)))
        return self._predictions(table, places) if "score" in self._has else self._choices(table, places)

    def _scores(self, places: dict[str, list[int]], many: int) -> NDArray[np.float64]:
        score = np.full(many, np.nan)
        for key, _, said, _ in self._rows:
            if key in places:
                score[places[key]] = np.nan if said is None else said
        if not np.isfinite(score).all():
            raise EvaluationFailure(f"{self._path.name}: some scores are empty or no finite numbers")
        return score

    def _choices(self, table: Table, places: dict[str, list[int]]) -> Routing:
        choice, elsewhere = np.full(len(table.query), -1, dtype=np.intp), set()
        place = {model: number for number, model in enumerate(table.models)}
        for key, model, _, _ in self._rows:
            if key in places:
                choice[places[key]] = place.get(model or "", -1)
                if model not in place:
                    elsewhere.add(model or "(nobody)")
        return Routing(choice=choice, elsewhere=tuple(sorted(elsewhere)), at=f"as {self._path.name} says")

    def _predictions(self, table: Table, places: dict[str, list[int]]) -> Routing:
        good = np.full(table.score.shape, np.nan)
        expected = np.broadcast_to(table.cost.mean(axis=0), table.score.shape).copy()
        place = {model: number for number, model in enumerate(table.models)}
        for key, model, said, cost in self._rows:
            if key in places and model in place:
                good[places[key], place[model]] = np.nan if said is None else said
                if cost is not None:
                    expected[places[key], place[model]] = cost
        if np.isnan(good).any():
            raise EvaluationFailure(
                f"{self._path.name}: {int(np.isnan(good).sum()):,} predictions are missing; it takes one a query and model"
            )
        choice = np.asarray(good.argmax(axis=1), dtype=np.intp)
        return Routing(choice=choice, good=good, expected=expected if table.has_costs else None, at="the highest predicted quality")


def _read(path: Path) -> tuple[list[_Row], str, set[str]]:
    reader = _READERS.get(path.suffix.lower())
    if reader is None or not path.is_file():
        raise EvaluationFailure(f"{path}: " + ("there is no such file" if reader else f"use one of {', '.join(_READERS)}"))
    try:
        with duckdb.connect() as database:
            source = f"{reader}({literal(str(path))})"
            columns = [str(row[0]) for row in database.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()]  # noqa: S608  # a literal
            found = named(columns)
            by = "query_id" if "query_id" in found else "query"
            has = {"model", "score"} & found.keys()
            if by not in found or not has:
                raise EvaluationFailure(f"{path.name}: it needs query_id or query, and model or score or both; it has {', '.join(columns)}")
            cells = [
                f"try_cast({quoted(found[word])} AS {kind})" if word in found else "NULL"
                for word, kind in ((by, "VARCHAR"), ("model", "VARCHAR"), ("score", "DOUBLE"), ("cost", "DOUBLE"))
            ]
            return database.execute(f"SELECT {', '.join(cells)} FROM {source}").fetchall(), by, has  # noqa: S608  # names are quoted
    except duckdb.Error as error:
        raise EvaluationFailure(f"{path.name} cannot be read: {str(error).splitlines()[0][:300]}") from None
