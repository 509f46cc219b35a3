"""An estimate as people read it in a terminal."""

from __future__ import annotations

from collections.abc import Callable

from rich import box
from rich.console import Console
from rich.table import Table

from tierline.evaluation.estimate.document import Estimate, PolicyEstimate, Range
from tierline.evaluation.estimate.source import written
from tierline.evaluation.estimate.words import (
    COLUMNS,
    MARKS,
    cells_of,
    inputs_named,
    money,
    per_thousand,
    said_volume,
)
from tierline.evaluation.report.figures import percent, points, seconds

MOST_SWINGS = 8
WIDTH = 168
"""Columns of plain text: the worksheet is wide."""
UNITS = ("\N{NO-BREAK SPACE}%", "\N{NO-BREAK SPACE}s")


def show(console: Console, found: Estimate) -> None:
    """The worksheet, the policies, the tasks, what moves the answer, where it turns, and what was taken for granted."""
    _worksheet(console, found)
    _policies(console, found)
    _tasks(console, found)
    _swings(console, found)
    points = [point.says if not point.task else f"{point.task}: {point.says}" for point in found.break_even]
    console.print("[bold]Break-even[/]", *(f"  {line}" for line in points), sep="\n", highlight=False)
    for name, why in found.absent.items():
        console.print(f"no policy {name!r}: {why}", highlight=False, markup=False, soft_wrap=True)
    for said in found.assumed:
        console.print(f"assumed: {said}", highlight=False, markup=False, soft_wrap=True)


def _table(title: str, columns: tuple[str, ...], words: int = 1) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for place, column in enumerate(columns):
        table.add_column(column, justify="left" if place < words else "right")
    return table


def _worksheet(console: Console, found: Estimate) -> None:
    table = _table(f"Worksheet of {found.spec}", COLUMNS)
    for place in (3, 4, 7):
        table.columns[place].justify = "left"
    table.columns[7].min_width = 24
    for row in found.worksheet.rows:
        table.add_row(*cells_of(row))
    console.print(table)
    rows = found.worksheet.rows
    counted = dict.fromkeys(written(number.source) for row in rows for number in (row.traffic_share, row.pass_rate, row.latency_p50))
    marks = "   ".join(f"{mark} {kind}" for kind, mark in MARKS.items())
    console.print(f"[dim]{marks}. {'; '.join(list(counted)[:4])}[/]\n", highlight=False, soft_wrap=True)


def _policies(console: Console, found: Estimate) -> None:
    table = _table(
        f"Policies, {said_volume(found)}; below each figure what it lies between nine times out of ten",
        ("policy", "USD/1,000", "quality", "median", "p95", "risk, USD/1,000", "saved a month", "a year", "of all best", "quality, points"),
    )
    for policy in found.policies:
        table.add_row(*_policy(policy), style="bold green" if policy.name == "spec" else "")
    console.print(table)


def _policy(policy: PolicyEstimate) -> tuple[str, ...]:
    saving = policy.saving
    saved = (two(saving.month, money), two(saving.year, money), two(saving.share, _whole), two(saving.quality, points))
    return (
        policy.name,
        two(policy.cost, per_thousand),
        two(policy.quality, percent),
        two(policy.latency_p50, seconds),
        two(policy.latency_p95, seconds),
        two(policy.risk, per_thousand),
        *(("–",) * 4 if policy.name == "all best" else saved),
    )


def two(found: Range, form: Callable[[float], str]) -> str:
    """A figure, and below it its range."""
    value, low, high = form(found.value), form(found.low), form(found.high)
    if low == high:
        return value
    unit = next((unit for unit in UNITS if low.endswith(unit) and high.endswith(unit)), "")
    return f"{value}\n[dim]{low.removesuffix(unit)}–{high.removeprefix('$')}[/]"


def _whole(share: float) -> str:
    return percent(share, 0)


def _tasks(console: Console, found: Estimate) -> None:
    columns = (
        "task under the spec",
        "USD/1,000",
        "quality",
        "meets its bar",
        "median",
        "p95",
        "risk, USD/1,000",
        "retried",
        "climbs",
        "flagged",
    )
    table = _table("Tasks", columns)
    for task in found.chosen.tasks:
        ranges = two(task.cost, per_thousand), two(task.quality, percent), _whole(task.meets_bar), two(task.latency_p50, seconds)
        shares = (percent(share) for share in (task.retried, task.escalated, task.flagged))
        table.add_row(task.task, *ranges, two(task.latency_p95, seconds), two(task.risk, per_thousand), *shares)
    console.print(table)


def _swings(console: Console, found: Estimate) -> None:
    table = _table(
        "What moves the answer most (10th to 90th percentile of each)", ("input", "from", "to", "USD/1,000 with risk", "quality")
    )
    for swing in found.sensitivity[:MOST_SWINGS]:
        low, high = inputs_named(swing)
        table.add_row(swing.name, low, high, " … ".join(map(per_thousand, swing.whole)), " … ".join(map(percent, swing.quality)))
    console.print(table)
