"""An estimate as people read it in a terminal."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table

from tierline.evaluation.estimate.document import Estimate, PolicyEstimate
from tierline.evaluation.estimate.source import written
from tierline.evaluation.estimate.words import (
    COLUMNS,
    MARKS,
    cells_of,
    inputs_named,
    money,
    per_thousand,
    points_range,
    range_of,
    said_volume,
    share_range,
    task_cells,
)
from tierline.evaluation.report.figures import percent, seconds

MOST_SWINGS = 8


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
    for row in found.worksheet.rows:
        table.add_row(*cells_of(row))
    console.print(table)
    console.print("[dim]" + "   ".join(f"{mark} {kind}" for kind, mark in MARKS.items()) + "[/]", highlight=False)
    counted = dict.fromkeys(
        written(number.source) for row in found.worksheet.rows for number in (row.traffic_share, row.pass_rate, row.latency_p50)
    )
    console.print(f"[dim]{'; '.join(list(counted)[:6])}[/]\n", highlight=False)


def _policies(console: Console, found: Estimate) -> None:
    title = f"Policies, {said_volume(found)}; ranges hold nine times out of ten"
    table = _table(
        title,
        ("policy", "USD/1,000", "quality", "median", "p95", "risk, USD/1,000", "saved a month", "of the best's cost", "quality against it"),
    )
    for policy in found.policies:
        style = "bold green" if policy.name == "spec" else ""
        table.add_row(*_policy(policy), style=style)
    console.print(table)


def _policy(policy: PolicyEstimate) -> tuple[str, ...]:
    saved = ("–", "–", "–") if policy.name == "all best" else (
        range_of(policy.saving.month, money), share_range(policy.saving.share, 0), points_range(policy.saving.quality),
    )  # fmt: skip
    return (
        policy.name,
        range_of(policy.cost, per_thousand),
        share_range(policy.quality),
        seconds(policy.latency_p50.value),
        seconds(policy.latency_p95.value),
        range_of(policy.risk, per_thousand),
        *saved,
    )


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
        table.add_row(*task_cells(task))
    console.print(table)


def _swings(console: Console, found: Estimate) -> None:
    table = _table(
        "What moves the answer most (10th to 90th percentile of each)", ("input", "from", "to", "USD/1,000 with risk", "quality")
    )
    for swing in found.sensitivity[:MOST_SWINGS]:
        low, high = inputs_named(swing)
        table.add_row(swing.name, low, high, " … ".join(map(per_thousand, swing.whole)), " … ".join(map(percent, swing.quality)))
    console.print(table)
