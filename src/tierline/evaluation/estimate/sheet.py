"""The worksheet as CSV: written for a spreadsheet, and read again, so that people may fill it in.

One row a task. First the columns of the worksheet, then `<column>_from` for each number that somebody measured or assumed, then what
the sheet holds beside them, and for every model of the fleet `pass_rate:<model>`, `latency_p50:<model>`, `latency_p95:<model>`,
`tokens_out:<model>` and `thinking:<model>`, each with its `_from`. The primary's own columns stand for its `:<model>` ones: where the
two differ, the primary's column counts."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence

from tierline.evaluation.estimate import number as numbers
from tierline.evaluation.estimate.evidence import Evidence
from tierline.evaluation.estimate.number import ASSUMED_CV, LATENCY_CV, THINKING_CV, Number
from tierline.evaluation.estimate.source import Source, read, written
from tierline.evaluation.estimate.worksheet import Row, Worksheet
from tierline.types.errors import EvaluationFailure

COLUMNS = ("task", "traffic_share", "quality_threshold", "primary_model", "fallback_model", "tokens_in", "tokens_out", "validation",
           "pass_rate", "latency_p50", "latency_p95", "cost_per_request", "last_review")  # fmt: skip
"""The worksheet's own, in their order."""
SOURCED = ("traffic_share", "tokens_in", "tokens_out", "pass_rate", "latency_p50", "latency_p95", "cost_per_request")
BESIDE = ("cached", "tool_hits", "asks")
BY_MODEL = ("pass_rate", "latency_p50", "latency_p95", "tokens_out", "thinking")
OF_PRIMARY = ("pass_rate", "latency_p50", "latency_p95", "tokens_out")

_LIKE: Mapping[str, str] = {"traffic_share": "share", "pass_rate": "rate", "cached": "rate", "tool_hits": "rate", "asks": "rate"}
_CV = {"latency_p50": LATENCY_CV, "latency_p95": LATENCY_CV, "thinking": THINKING_CV}
_RATES = frozenset({"share", "rate"})


def to_csv(worksheet: Worksheet) -> str:
    """The sheet, with a line of titles."""
    models = list(worksheet.models)
    beside = [name for column in BESIDE for name in (column, f"{column}_from")]
    by_model = [f"{column}:{model}{end}" for model in models for column in BY_MODEL for end in ("", "_from")]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow((*COLUMNS, *(f"{column}_from" for column in SOURCED), *beside, *by_model))
    for row in worksheet.rows:
        writer.writerow((*_columns(row), *_sources(row), *_beside(row), *_models(row, models)))
    return out.getvalue()


def from_csv(text: str, models: Mapping[str, object], where: str = "worksheet") -> Evidence:
    """What a sheet says. Empty cells say nothing. Raises EvaluationFailure naming line and column."""
    reader = csv.DictReader(io.StringIO(text))
    names = reader.fieldnames or ()
    if "task" not in names:
        raise EvaluationFailure(f"{where}: no column `task`: the first line names the columns, as `tierline estimate --csv` writes them")
    _known(names, models, where)
    sheet: dict[tuple[str, str], Number] = {}
    named: dict[str, tuple[str, str]] = {}
    for line, cells in enumerate(reader, 2):
        task = (cells["task"] or "").strip()
        if not task:
            raise EvaluationFailure(f"{where}:{line}: a row without a task")
        primary = (cells.get("primary_model") or "").strip()
        if primary and primary not in models:
            raise EvaluationFailure(f"{where}:{line}: primary_model: no model {primary!r} in the spec; it has {', '.join(models)}")
        named[task] = (primary, (cells.get("fallback_model") or "").strip())
        found = dict(_numbers(cells, names, f"{where}:{line}"))
        found |= {f"{column}:{primary}": found[column] for column in OF_PRIMARY if primary and column in found}
        sheet |= {(task, column): number for column, number in found.items()}
    return Evidence(where=where, sheet=sheet, named=named)


def _columns(row: Row) -> Iterator[str]:
    yield from (row.task, _said(row.traffic_share), _said(row.quality_threshold), row.primary_model, row.fallback_model)
    yield from (_said(row.tokens_in), _said(row.tokens_out), row.validation, _said(row.pass_rate))
    yield from (_said(row.latency_p50), _said(row.latency_p95), _said(row.cost), row.reviewed)


def _sources(row: Row) -> Iterator[str]:
    for column in SOURCED:
        yield _from(getattr(row, "cost" if column == "cost_per_request" else column))


def _beside(row: Row) -> Iterator[str]:
    for column in BESIDE:
        yield from (_said(getattr(row, column)), _from(getattr(row, column)))


def _models(row: Row, models: list[str]) -> Iterator[str]:
    for model in models:
        for column in BY_MODEL:
            number = getattr(row.models[model], column)
            yield from (_said(number), _from(number))


def _said(number: Number) -> str:
    return f"{number.value:.6g}"


def _from(number: Number) -> str:
    off = number.width if number.like == "amount" and number.source.measured else 0.0
    return written(number.source, off)


def _known(names: Sequence[str], models: Mapping[str, object], where: str) -> None:
    """Columns that are none are refused: a misspelt one would be passed over."""
    known = {*COLUMNS, *(f"{column}_from" for column in SOURCED), *BESIDE, *(f"{column}_from" for column in BESIDE)}
    known |= {f"{column}:{model}{end}" for model in models for column in BY_MODEL for end in ("", "_from")}
    strange = [name for name in names if name not in known]
    if strange:
        raise EvaluationFailure(f"{where}: no such column {', '.join(strange)}: a model's are called pass_rate:<model> and so on")


def _numbers(cells: Mapping[str, str | None], names: Sequence[str], where: str) -> Iterator[tuple[str, Number]]:
    for name in names:
        column = name.split(":")[0]
        if (
            name.endswith("_from")
            or column not in ("traffic_share", "tokens_in", *BESIDE, *BY_MODEL)
            or not (cells.get(name) or "").strip()
        ):
            continue
        source, off = read(cells.get(f"{name}_from") or "", f"{where}: {name}_from")
        yield name, _number(column, _value(str(cells[name]), column, f"{where}: {name}"), source, off)


def _value(text: str, column: str, where: str) -> float:
    try:
        value = float(text.strip().removesuffix("%")) / (100.0 if text.strip().endswith("%") else 1.0)
    except ValueError:
        value = -1.0
    most = 1.0 if _LIKE.get(column) in _RATES else float("inf")
    if not 0.0 <= value <= most or value == float("inf"):
        raise EvaluationFailure(f"{where}: {text!r} is no {'share between 0 and 1' if most == 1.0 else 'number above 0'}")
    return value


def _number(column: str, value: float, source: Source, off: float) -> Number:
    like = _LIKE.get(column)
    if like == "share":
        return numbers.share(value, source)
    if source.kind in ("config", "catalogue") or (like == "rate" and value == 0.0 and not source.n):
        return numbers.fixed(value, source)
    if like == "rate":
        return numbers.rate(value, source)
    return numbers.amount(value, source, off if source.measured else _CV.get(column, ASSUMED_CV))
