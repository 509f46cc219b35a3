"""How an evaluation looks in a terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from tierline.evaluation.document import Advantage, Document, Estimate, Interval, Loss, Row, Slice

SLICES = 6
"""Slices shown of each dimension, the worst first."""
_COLOURS = {"error": "red", "warning": "yellow", "note": "dim"}


def show(console: Console, document: Document) -> None:
    """Findings, the rows, and what there is to say about each router that was asked for."""
    data = document.data
    console.print(
        f"[bold]{', '.join(data.files)}[/bold]: {data.compared:,} of {data.queries:,} queries compared, {len(data.models)} models, "
        f"{data.cells:,} answers",
        highlight=False,
    )
    for finding in data.findings:
        console.print(f"[{_COLOURS[finding.severity]}]{finding.severity}[/]: ", end="")
        console.print(finding.message, markup=False, highlight=False, soft_wrap=True)
    console.print(_headline(document))
    console.print(_curves(document))
    for name in document.candidates or ():
        _router(console, name, document.routers[name])
    if "logged" in document.routers:
        _cascade(console, document.routers["logged"])


def _headline(document: Document) -> Table:
    table = _headed("Quality and cost, with the rows that any router is held against", "quality", "USD/1,000", "over the mix of its cost")
    return _filled(
        table,
        document,
        lambda row: (
            _with(row.quality, row.quality_interval),
            _figure(None if row.cost is None else row.cost * 1000, 4),
            _signed(row.advantage),
        ),
    )


def _curves(document: Document) -> Table:
    table = _headed("Along the curve", "APGR", "CPT 50/80 %", "AIQ", "% saved at 100/99/95", "arena")
    return _filled(
        table,
        document,
        lambda row: (
            _figure(row.apgr, 3),
            f"{_percent(row.cpt50)}/{_percent(row.cpt80)}",
            _figure(row.aiq, 3),
            "/".join(_percent(row.save_at.get(level)) for level in ("100", "99", "95")),
            _figure(row.arena, 3),
        ),
    )


def _headed(title: str, *heads: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, show_edge=False)
    table.add_column("", no_wrap=True)
    for head in heads:
        table.add_column(head, justify="right", no_wrap=True)
    return table


def _filled(table: Table, document: Document, cells: Callable[[Row], Sequence[str]]) -> Table:
    for name, row in document.reference.items():
        table.add_row(name.replace("_", " "), *cells(row), style="dim")
    table.add_section()
    for name, row in document.routers.items():
        table.add_row(name, *cells(row), style="bold" if name in document.candidates else "")
    return table


def _router(console: Console, name: str, row: Row) -> None:
    console.print(f"\n[bold]{name}[/bold]", end="")
    console.print(f" ({row.at})" if row.at else "", markup=False, highlight=False)
    if row.advantage is not None:
        console.print(f"  {_verdict(row.advantage)}", markup=False, highlight=False, soft_wrap=True)
    if row.models:
        shares = sorted(row.models.items(), key=lambda one: -one[1])[:SLICES]
        console.print("  goes to " + ", ".join(f"{model} {share:.0%}" for model, share in shares), markup=False, highlight=False)
    if row.regret is not None:
        causes = {"under-routed": row.regret.under_routed, "over-routed": row.regret.over_routed, "forced": row.regret.forced}
        causes |= {"wrong capability": row.regret.wrong_capability, "too slow": row.regret.too_slow}
        console.print(_regret(causes))
    _beliefs(console, row)
    for dimension, slices in row.slices.items():
        console.print(_slices(dimension, slices))
    for figure, why in row.why.items():
        if figure in ("quality", "advantage", "regret"):
            console.print(f"  no {figure}: {why}", markup=False, highlight=False, soft_wrap=True)


def _beliefs(console: Console, row: Row) -> None:
    """What it took the queries for, and how well its own predictions held."""
    if row.confusion is not None:
        confused = row.confusion
        console.print(
            f"  tiers against {confused.source}: {confused.accuracy:.1%} right, {confused.under_routed:.1%} under-routed, "
            f"{confused.over_routed:.1%} over-routed",
            highlight=False,
        )
    if row.brier is not None and row.ece is not None:
        console.print(f"  its predicted pass rates: Brier {row.brier:.3f}, ECE {row.ece:.3f}", highlight=False)


def _slices(dimension: str, slices: Mapping[str, Slice]) -> Table:
    worst = sorted(slices.items(), key=lambda one: one[1].quality.value if one[1].advantage is None else one[1].advantage.value)
    table = Table(title=f"by {dimension}, worst first", title_justify="left", box=box.SIMPLE_HEAD, show_edge=False)
    for head in ("", "queries", "quality", "advantage"):
        table.add_column(head, justify="right" if head else "left")
    for part, figures in worst[:SLICES]:
        quality = figures.quality
        table.add_row(part, f"{figures.queries:,}", _with(quality.value, Interval(quality.low, quality.high)), _signed(figures.advantage))
    return table


def _verdict(advantage: Advantage) -> str:
    mix = " + ".join(f"{share:.0%} {model}" for model, share in advantage.mix.items())
    if advantage.low > 0:
        beats = "beats"
    elif advantage.high < 0:
        beats = "LOSES to"
    else:
        beats = "is not shown to beat"
    return f"{beats} the mix of its cost ({mix}: quality {advantage.quality:.3f}) by {_signed(advantage)}"


def _regret(causes: Mapping[str, Loss | None]) -> Table:
    table = Table(title="regret against the oracle", title_justify="left", box=box.SIMPLE_HEAD, show_edge=False)
    for head in ("cause", "queries", "quality lost", "USD wasted / 1,000"):
        table.add_column(head, justify="right" if head != "cause" else "left")
    for cause, loss in causes.items():
        if loss is not None:
            table.add_row(cause, f"{loss.share:.1%}", f"{loss.quality:.4f}", f"{loss.cost * 1000:.4f}")
    return table


def _cascade(console: Console, row: Row) -> None:
    cascade = row.cascade
    if cascade is None:
        return
    precision = "unknown" if cascade.accept_precision is None else f"{cascade.accept_precision:.1%} of {cascade.judged:,} judged"
    console.print(
        f"\n[bold]logged[/bold]: {cascade.requests:,} requests, {cascade.escalation_rate:.1%} escalated, "
        f"{cascade.fallback_rate:.1%} fell back, {cascade.flagged_rate:.1%} flagged; accepted answers that were good: {precision}; "
        f"{cascade.wasted_cost * 1000:.4f} USD per 1,000 and {cascade.added_latency:.3f} s a request went into answers not given",
        highlight=False,
    )


def _figure(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value * 100:.0f}"


def _with(value: float | None, interval: Interval | None) -> str:
    if value is None:
        return "–"
    return f"{value:.4f}" if interval is None else f"{value:.3f} [{interval.low:.3f}, {interval.high:.3f}]"


def _signed(value: Advantage | Estimate | None) -> str:
    return "–" if value is None else f"{value.value:+.4f} [{value.low:+.4f}, {value.high:+.4f}]"
