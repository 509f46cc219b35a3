"""Reads what a router is measured on: files of many layouts → one table, and everything that is wrong with them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import duckdb
import msgspec
import numpy as np

from tierline.evaluation.datasets import inspect, pivot
from tierline.evaluation.datasets.columns import CANONICAL, literal
from tierline.evaluation.datasets.decision_log import Logged
from tierline.evaluation.datasets.findings import Findings
from tierline.evaluation.datasets.source import OfLogs, Source, open_source
from tierline.evaluation.document import Finding
from tierline.evaluation.table import Table
from tierline.types.errors import EvaluationFailure

COMPLETE = ("complete",)
"""As the models asked for: those that were measured on every query."""

MEMORY = "2GB"
"""What DuckDB may hold before it spills to disk."""


class Reading(msgspec.Struct, frozen=True):
    """How to read: `models` to compare (empty: all; `COMPLETE`), only the rows of `split` (empty: all), what scores are divided by, USD a
    query for models without costs, and whether prompts are needed. `choose` narrows the models that are there, where none are
    named; `sparse`: no query needs to be measured on every model, and logs stand beside the tables; `logs`: how they are read."""

    models: tuple[str, ...] = ()
    split: str = ""
    score_scale: float = 1.0
    costs: Mapping[str, float] = {}
    text: bool = False
    choose: Callable[[Sequence[str]], Sequence[str]] | None = None
    sparse: bool = False
    logs: OfLogs = OfLogs()


class Dataset(msgspec.Struct, frozen=True):
    """What was read. `table` has no models where the files hold only tier labels. `logged`: what a decision log shows (of several, the
    last); a table of logs alone is not `comparable`, because it shows of each request only the models that were asked."""

    table: Table
    findings: tuple[Finding, ...]
    files: tuple[Path, ...]
    cells: int
    logged: Logged | None = None
    comparable: bool = True


def read(files: Sequence[Path], how: Reading | None = None) -> Dataset:
    """The files together as one table; raises EvaluationFailure, with every reason, when nothing can be measured with them."""
    how, findings = how or Reading(), Findings()
    with tempfile.TemporaryDirectory(prefix="tierline-evaluate-") as folder, duckdb.connect() as database:
        _limit(database, folder)
        sources = [open_source(database, path, number, Path(folder), findings, how.logs) for number, path in enumerate(files)]
        try:
            return _read(database, sources, how, findings)
        except duckdb.Error as error:
            raise EvaluationFailure(f"the data cannot be read: {str(error).splitlines()[0][:300]}") from None


def _read(database: duckdb.DuckDBPyConnection, sources: Sequence[Source], how: Reading, findings: Findings) -> Dataset:
    logged = next((source.logged for source in sources[::-1] if source.logged is not None), None)
    tables = [source for source in sources if source.logged is None]
    used = sources if how.sparse else tables or sources
    database.execute(f"CREATE TEMP VIEW tidy AS {_together(used, how)}")
    ((rows,),) = database.execute("SELECT count(*) FROM tidy").fetchall()
    if not rows:
        where = f" of split {how.split!r}" if how.split else ""
        raise EvaluationFailure(f"{', '.join(source.path.name for source in sources)}: no rows{where}")
    inspect.rows(database, "tidy", findings)
    if how.logs.learning and logged is not None:
        inspect.heard(logged.heard, findings)
    findings.stop_at_errors()
    models = _models(database, sources, how, findings)
    pivot.build(database, "tidy", models)
    if models:
        inspect.cells(database, findings)
    inspect.leakage(database, findings)
    table = pivot.table(database, models, how.text)
    if models and tables:
        table = _compared(_priced(table, how.costs), how)
        inspect.table(table, findings)
    cells = int(np.isfinite(table.score).sum())
    return Dataset(table, findings.all(), tuple(source.path for source in sources), cells, logged, bool(models and tables))


def _limit(database: duckdb.DuckDBPyConnection, folder: str) -> None:
    database.execute(f"SET memory_limit = '{MEMORY}'")
    database.execute(f"SET temp_directory = {literal(folder)}")
    database.execute("SET autoinstall_known_extensions = false")
    database.execute("SET enable_progress_bar = false")


def _together(sources: Sequence[Source], how: Reading) -> str:
    scaled = [f"score / {how.score_scale!r} AS score" if name == "score" and how.score_scale != 1.0 else name for name in CANONICAL]
    where = f" WHERE split = {literal(how.split)}" if how.split else ""
    return " UNION ALL ".join(f"SELECT {', '.join(scaled)} FROM ({source.sql}){where}" for source in sources)  # noqa: S608


def _models(database: duckdb.DuckDBPyConnection, sources: Sequence[Source], how: Reading, findings: Findings) -> list[str]:
    """The models to compare, in the order asked for, else by name."""
    there = [str(name) for (name,) in database.sql("SELECT DISTINCT model FROM tidy WHERE model IS NOT NULL ORDER BY 1").fetchall()]
    if not there:
        if all(source.labels for source in sources):
            return []
        raise EvaluationFailure(f"{', '.join(source.path.name for source in sources)}: no row names a model that was measured")
    if not how.models and how.choose is not None:
        chosen = list(how.choose(there))
        if aside := [model for model in there if model not in chosen]:
            findings.note(
                "models_aside",
                f"{len(aside)} models of the data are not in the spec and are left aside (--models names them)",
                len(aside),
                aside,
            )
        return chosen
    if how.models in ((), COMPLETE):
        return there
    if unknown := [model for model in how.models if model not in there]:
        raise EvaluationFailure(f"the data have no model {', '.join(unknown)}; they have {', '.join(there)}")
    return list(dict.fromkeys(how.models))


def _priced(table: Table, costs: Mapping[str, float]) -> Table:
    """The table with `costs` where a model has none of its own."""
    if unknown := [model for model in costs if model not in table.models]:
        raise EvaluationFailure(f"--cost names {', '.join(unknown)}, which the data have not; they have {', '.join(table.models)}")
    cost = table.cost.copy()
    for model, usd in costs.items():
        column = cost[:, table.models.index(model)]
        column[np.isnan(column)] = usd
    return msgspec.structs.replace(table, cost=cost) if costs else table


def _compared(table: Table, how: Reading) -> Table:
    """The table, or the models of it that were measured everywhere; raises EvaluationFailure when no query can be compared."""
    measured = np.logical_and.reduce(np.isfinite(table.score), axis=0).tolist()
    everywhere = [model for model, full in zip(table.models, measured, strict=True) if full]
    if how.models == COMPLETE:
        if not everywhere:
            raise EvaluationFailure("no model was measured on every query: name the models to compare with --models")
        return table.only(everywhere)
    if not np.isfinite(table.score).any():
        raise EvaluationFailure("nothing was measured: no row has both a model and a score that is a number")
    if how.sparse or table.complete.any():
        return table
    raise EvaluationFailure(
        f"no query was measured (score{' and cost' if table.has_costs else ''}) on all {len(table.models)} models: name fewer with --models"
        f"{'; '.join(('', *_hints(table, everywhere)))}"
    )


def _hints(table: Table, everywhere: Sequence[str]) -> Iterator[str]:
    """What may be the matter where no query can be compared."""
    if everywhere:
        yield f"measured on every query: {', '.join(everywhere)} (--models complete)"
    priced = np.logical_or.reduce(np.isfinite(table.cost), axis=0).tolist()
    free = [model for model, some in zip(table.models, priced, strict=True) if not some]
    if free and table.has_costs:
        yield f"without any cost: {', '.join(free)} (--cost MODEL=USD)"
    if len(set(table.dataset)) > 1:
        yield "each file is a data set of its own unless its column `dataset` says otherwise, and queries of two data sets are never one"
