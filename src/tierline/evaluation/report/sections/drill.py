"""What happens to each task when its primary is down."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tierline.evaluation.document import Document
from tierline.evaluation.drill import Drill, TaskDrill
from tierline.evaluation.report.figures import NONE, count, percent, points, usd
from tierline.evaluation.report.html import Child, Html, tag
from tierline.evaluation.report.section import Section, absent, note, present, table

HEAD = ("task", "queries", "primary", "who answers instead", "quality before", "after", "change, points", "95 % interval", "USD / 1,000")


def drill(document: Document) -> Section:
    """A row a task, the greatest loss first."""
    if document.drill is None:
        return absent("drill", "Fallback drill", document.why.get("drill", "not asked for: `tierline evaluate --spec S --drill` makes it"))
    tasks = msgspec.convert(document.drill, Drill).tasks
    if not tasks:
        return absent("drill", "Fallback drill", "no task has a query that any model serves")
    below = [task.task for task in tasks if task.below_bar]
    return present(
        "drill",
        "Fallback drill",
        "Each task with its primary model down: the spec decides again, and the table says what its answers are worth.",
        _summary(tasks),
        table("Each task without its primary", HEAD, [_row(task) for task in tasks], 4),
        note(f"Below their quality bar without the primary: {', '.join(below)}.") if below else None,
    )


def _summary(tasks: Sequence[TaskDrill]) -> Html:
    worst = tasks[0]
    nobody = sum(task.unanswered for task in tasks)
    lost = worst.quality_lost or 0.0
    most = f"{worst.task or '(no task)'} loses most: {points(lost).lstrip('+')} points when {worst.primary} is down."
    said = most if lost > 0 else "No task loses quality without its primary."
    if nobody:
        said += f" {count(nobody)} queries have nobody left to answer them."
    return tag("p", said, class_="finding")


def _row(task: TaskDrill) -> list[Child]:
    change = None if task.cost_before is None or task.cost_after is None else task.cost_after - task.cost_before
    span = NONE if task.quality_low is None else f"{points(-(task.quality_high or 0.0))} … {points(-task.quality_low)}"
    flag = tag("span", f"below {percent(task.bar, 0)} bar", class_="flag") if task.below_bar else None
    return [
        task.task or "(no task)",
        count(task.queries),
        f"{task.primary} ({percent(task.primary_share, 0)})",
        ", ".join(f"{name} {percent(share, 0)}" for name, share in task.instead.items()),
        percent(task.quality_before),
        [percent(task.quality_after), " ", flag],
        NONE if task.quality_lost is None else points(-task.quality_lost),
        span,
        usd(change, signed=True),
    ]
