"""An estimate's worksheet, its tasks under the spec, what moves the answer, where it turns, and where every number came from."""

from __future__ import annotations

from tierline.evaluation.estimate.document import Estimate, TaskEstimate, Way
from tierline.evaluation.estimate.number import Number
from tierline.evaluation.estimate.source import written
from tierline.evaluation.estimate.words import (
    COLUMNS,
    MARKS,
    cells_of,
    inputs_named,
    numbers_of,
    per_thousand,
    signed_money,
)
from tierline.evaluation.estimate.worksheet import Row
from tierline.evaluation.report.charts.bullets import Bullet, bullets
from tierline.evaluation.report.charts.frame import responsive
from tierline.evaluation.report.charts.swings import Moved, swings
from tierline.evaluation.report.figures import NONE, percent, plain, seconds
from tierline.evaluation.report.html import Child, Html, tag
from tierline.evaluation.report.section import Section, absent, note, numbers, present, table
from tierline.evaluation.report.sections.estimated_policies import spanned

SWINGS = 12
"""Inputs that the tornado shows."""


def sheet(found: Estimate) -> Section:
    """The worksheet; a number says where it came from when one rests on it."""
    rows = [[_cell(said, number) for said, number in zip(cells_of(row), numbers_of(row), strict=True)] for row in found.worksheet.rows]
    marks = [tag("li", tag("span", mark, class_="mark-of", aria_hidden="true"), f" {kind}") for kind, mark in MARKS.items()]
    return present(
        "worksheet",
        "Worksheet",
        "What a team fills in before a route is shipped. Pass rate, seconds and cost are those of one call of the primary model, "
        "its cost per 1,000.",
        table("The worksheet", COLUMNS, rows, class_="dense"),
        tag("ul", marks, class_="legend"),
        tag("ul", [tag("li", tag("strong", row.task), f": {row.why}") for row in found.worksheet.rows if row.why], class_="plain"),
    )


def _cell(said: str, number: Number | None) -> Child:
    if number is None:
        return tag("span", said, class_="words")
    span = "" if number.low == number.high else f", {number.low:.4g} to {number.high:.4g} nine times out of ten"
    return tag("abbr", said, title=f"{written(number.source)}{span}")


def tasks(found: Estimate) -> Section:
    """Each task's quality against its threshold, and every figure."""
    bars = {row.task: row.quality_threshold.value for row in found.worksheet.rows}
    rows = [Bullet(task.task, task.quality.value, task.quality.low, task.quality.high, bars[task.task]) for task in found.chosen.tasks]
    title = "Quality of each task against its threshold: " + "; ".join(
        f"{row.name} {percent(row.value)}, wanted {percent(row.wanted)}" for row in rows
    )
    head = ["task", "USD / 1,000", "quality", "meets its bar", "median", "p95", "risk, USD / 1,000", "retried", "climbs", "flagged"]
    timed = [task for task in found.chosen.tasks if task.in_time is not None]
    return present(
        "tasks",
        "Tasks under the spec",
        "Quality of what is given in the end, after retries, fallbacks and escalations. The upright mark is the threshold: green clears "
        "it over the whole range, red never does.",
        responsive(lambda width: bullets(width, rows, title, "quality")),
        table("Every task, over its whole course", head, [_figures(task) for task in found.chosen.tasks], class_="dense"),
        table("Within the latency budget", ["task", "budget", "in time"], [_timed(task, _row(found, task)) for task in timed])
        if timed
        else None,
        numbers(table("Who is asked", ["task", "share", "asked in turn, then climbing (→)", "checks"], _ways(found), 1)),
    )


def _figures(task: TaskEstimate) -> list[Child]:
    return [
        task.task,
        spanned(task.cost, per_thousand),
        spanned(task.quality, percent),
        percent(task.meets_bar, 0),
        spanned(task.latency_p50, seconds),
        spanned(task.latency_p95, seconds),
        spanned(task.risk, per_thousand),
        percent(task.retried),
        percent(task.escalated),
        percent(task.flagged),
    ]


def _row(found: Estimate, task: TaskEstimate) -> Row:
    return next(row for row in found.worksheet.rows if row.task == task.task)


def _timed(task: TaskEstimate, row: Row) -> list[str]:
    return [task.task, seconds(row.latency_budget), percent(task.in_time)]


def _ways(found: Estimate) -> list[list[str]]:
    return [
        [task.task, percent(way.share, 0), _asked(way), ", ".join(way.checks) or NONE] for task in found.chosen.tasks for way in task.ways
    ]


def _asked(way: Way) -> str:
    return " → ".join(" or ".join(step) for step in way.steps) or "nobody"


def moves(found: Estimate) -> Section:
    """The tornado."""
    shown = found.sensitivity[:SWINGS]
    if not shown:
        return absent("moves", "What moves the answer", "no number of the worksheet is uncertain")
    rows = [Moved(swing.name, *inputs_named(swing), *(whole * 1000 for whole in swing.whole)) for swing in shown]
    title = "Inputs by how far they move cost and risk of 1,000 requests: " + "; ".join(
        f"{row.name} {signed_money(row.low)} to {signed_money(row.high)}" for row in rows
    )
    body = [
        [
            s.name,
            *inputs_named(s),
            *map(per_thousand, s.cost),
            *map(per_thousand, s.whole),
            *map(percent, s.quality),
            *map(per_thousand, s.saving),
        ]
        for s in found.sensitivity
    ]
    head = ["input", "from", "to", "cost", "cost", "with risk", "with risk", "quality", "quality", "saved", "saved"]
    return present(
        "moves",
        "What moves the answer most",
        "Cost and risk of 1,000 requests when one input goes from its 10th to its 90th percentile and all others stay. "
        "Measure what stands at the top first.",
        responsive(
            lambda width: swings(
                width, found.chosen.whole.value * 1000, rows, signed_money, _dollars, title, "cost and risk, USD per 1,000 requests"
            )
        ),
        numbers(table("At the low end and at the high end of each input, USD per 1,000", head, body)),
    )


def _dollars(usd: float) -> str:
    return f"${usd:,.6g}"


def turns(found: Estimate) -> Section:
    """The break-even points."""
    rows: list[list[Child]] = [
        [point.task or "all traffic", point.kind, point.subject, NONE if point.at is None else _at(point.kind, point.at),
         NONE if point.kind in ("volume", "price") else percent(point.now), point.says]
        for point in found.break_even
    ]  # fmt: skip
    return present(
        "break-even",
        "Where it turns",
        "The points at which the other choice becomes the better one.",
        table("Break-even points", ["task", "what", "of", "at", "now", "so"], rows, 3),
    )


def _at(kind: str, at: float) -> str:
    if kind == "price":
        return f"× {plain(at)}"
    return f"{at:,.0f}" if kind == "volume" else percent(at)


def origins(found: Estimate) -> Section:
    """Every number with its range and its source, and what was taken for granted."""
    rows: list[list[Child]] = []
    for row in found.worksheet.rows:
        for name, number in zip(COLUMNS, numbers_of(row), strict=True):
            if number is not None:
                rows.append([row.task, name, *_origin(number, 1000.0 if name.startswith("USD") else 1.0)])
        for model, believed in row.models.items():
            rows.append([row.task, f"pass rate of {model}", *_origin(believed.pass_rate, 1.0)])
    for name, offered in found.worksheet.models.items():
        rows.append([NONE, f"{name}: price in, USD per million", *_origin(offered.price_in, 1.0)])
        rows.append([NONE, f"{name}: price out, USD per million", *_origin(offered.price_out, 1.0)])
        rows.append([NONE, f"{name}: calls that fail", *_origin(offered.fails, 1.0)])
    kinds = [str(row[4]).split()[0].rstrip(":") for row in rows]
    counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in MARKS if kind in kinds)
    return present(
        "sources",
        "Where the numbers came from",
        f"Of {len(rows)} numbers: {counts}.",
        tag("ul", [tag("li", said) for said in found.assumed], class_="plain"),
        numbers(table("Every number", ["task", "number", "value", "nine times out of ten", "source"], rows, 2)),
        note("Formulas stand in the how-to “Fill in the worksheet” and in the docstrings of tierline.evaluation.estimate."),
    )


def _origin(number: Number, scale: float) -> tuple[str, str, Html | str]:
    span = NONE if number.low == number.high else f"{number.low * scale:.4g} … {number.high * scale:.4g}"
    return f"{number.value * scale:.4g}", span, written(number.source)
