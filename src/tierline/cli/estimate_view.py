"""An estimate as people read it in a terminal."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table

from tierline.evaluation.estimate.number import Number
from tierline.evaluation.estimate.source import written
from tierline.evaluation.estimate.worksheet import Row, Worksheet
from tierline.evaluation.report.figures import plain

MARKS = {"measured": "●", "assumed": "○", "catalogue": "▪", "config": "▫"}
"""How a source is marked beside its number."""


def show_worksheet(console: Console, worksheet: Worksheet) -> None:
    """The rows, and where their numbers came from."""
    table = Table(title="Worksheet", title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    columns = ("task category", "share", "threshold", "primary", "fallback", "tokens in", "out", "validation", "pass rate", "median", "p95",
               "USD/request", "reviewed")  # fmt: skip
    for place, column in enumerate(columns):
        table.add_column(column, justify="right" if place in (1, 2, 5, 6, 8, 9, 10, 11) else "left", overflow="fold")
    for row in worksheet.rows:
        table.add_row(*_cells(row))
    console.print(table)
    console.print("[dim]" + "   ".join(f"{mark} {kind}" for kind, mark in MARKS.items()) + "[/]", highlight=False)
    for note in worksheet.notes:
        console.print(f"note: {note}", highlight=False)


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.task,
        _marked(row.traffic_share, f"{row.traffic_share.value:.0%}"),
        f"{row.quality_threshold.value:.0%}",
        row.primary_model or "–",
        row.fallback_model or "–",
        _marked(row.tokens_in, f"{row.tokens_in.value:,.0f}"),
        _marked(row.tokens_out, f"{row.tokens_out.value:,.0f}"),
        row.validation,
        _marked(row.pass_rate, f"{row.pass_rate.value:.1%}"),
        _marked(row.latency_p50, f"{plain(row.latency_p50.value)} s"),
        _marked(row.latency_p95, f"{plain(row.latency_p95.value)} s"),
        _marked(row.cost, f"{plain(row.cost.value)}"),
        row.reviewed or "never",
    )


def _marked(number: Number, said: str) -> str:
    return f"{said} {MARKS[number.source.kind]}"


def sources(worksheet: Worksheet) -> list[tuple[str, str, str]]:
    """Row, column and source of every number of the sheet."""
    columns = ("traffic_share", "quality_threshold", "tokens_in", "tokens_out", "pass_rate", "latency_p50", "latency_p95", "cost")
    return [(row.task, column, written(getattr(row, column).source)) for row in worksheet.rows for column in columns]
