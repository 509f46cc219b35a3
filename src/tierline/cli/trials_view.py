"""How robustness and the fallback drill look in a terminal."""

from __future__ import annotations

import msgspec
from rich.console import Console
from rich.table import Table

from tierline.evaluation.document import Document
from tierline.evaluation.drill import Drill, TaskDrill
from tierline.evaluation.perturb.robustness import Robustness
from tierline.evaluation.report.figures import NONE, count, percent, points, usd


def show(console: Console, document: Document) -> None:
    """What was tried; nothing where nothing was."""
    for name, row in document.routers.items():
        if row.robustness is not None:
            console.print(_robustness(name, msgspec.convert(row.robustness, Robustness)))
    if document.drill is not None:
        console.print(_drill(msgspec.convert(document.drill, Drill)))


def _robustness(name: str, told: Robustness) -> Table:
    table = Table(title=f"{name} in other words: {percent(told.flip_rate)} of prompts go to another model", title_justify="left")
    for head in ("change", "prompts", "flipped", "95 % interval", "quality lost, points"):
        table.add_column(head, justify="left" if head == "change" else "right")
    for kind, flips in told.kinds.items():
        interval = f"{percent(flips.low)} to {percent(flips.high)}"
        table.add_row(kind, count(flips.pairs), percent(flips.flip_rate), interval, points(flips.quality_lost, 2))
    return table


def _drill(told: Drill) -> Table:
    table = Table(title="each task with its primary down", title_justify="left")
    for head in ("task", "queries", "primary", "who answers instead", "quality", "change, points", "USD / 1,000"):
        table.add_column(head, justify="left" if head in ("task", "primary", "who answers instead") else "right")
    for task in told.tasks:
        table.add_row(*_row(task))
    return table


def _row(task: TaskDrill) -> tuple[str, ...]:
    instead = ", ".join(f"{name} {percent(share, 0)}" for name, share in task.instead.items())
    change = None if task.cost_before is None or task.cost_after is None else task.cost_after - task.cost_before
    quality = f"{percent(task.quality_before)} → {percent(task.quality_after)}{' (below its bar)' if task.below_bar else ''}"
    lost = NONE if task.quality_lost is None else points(-task.quality_lost)
    return task.task or "(no task)", count(task.queries), task.primary, instead, quality, lost, usd(change, signed=True)
