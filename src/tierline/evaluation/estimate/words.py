"""The figures of an estimate as people read them; the terminal, Markdown and the report share them."""

from __future__ import annotations

from collections.abc import Callable

from tierline.evaluation.estimate.document import Estimate, Range, Swing, TaskEstimate
from tierline.evaluation.estimate.number import Number
from tierline.evaluation.estimate.source import written
from tierline.evaluation.estimate.worksheet import Row
from tierline.evaluation.report.figures import NONE, percent, plain, points, seconds

COLUMNS = ("task category", "share", "bar", "primary", "fallback", "tokens in", "out", "validation", "pass rate", "median", "p95",
           "USD/1,000", "reviewed")  # fmt: skip
"""The worksheet's columns; cost is per thousand requests, one call of the primary each."""

MARKS = {"measured": "●", "assumed": "○", "catalogue": "▪", "config": "▫"}
"""How a source is marked beside its number."""

Form = Callable[[float], str]


def cells_of(row: Row) -> tuple[str, ...]:
    """One row of the worksheet, each number with the mark of its source."""
    return (
        row.task,
        marked(row.traffic_share, percent(row.traffic_share.value, 0)),
        percent(row.quality_threshold.value, 0),
        row.primary_model or NONE,
        row.fallback_model or NONE,
        marked(row.tokens_in, f"{row.tokens_in.value:,.0f}"),
        marked(row.tokens_out, f"{row.tokens_out.value:,.0f}"),
        row.validation,
        marked(row.pass_rate, percent(row.pass_rate.value)),
        marked(row.latency_p50, seconds(row.latency_p50.value)),
        marked(row.latency_p95, seconds(row.latency_p95.value)),
        marked(row.cost, per_thousand(row.cost.value)),
        row.reviewed or "never",
    )


def numbers_of(row: Row) -> tuple[Number | None, ...]:
    """What stands behind each of those cells; None where it is a word."""
    return (None, row.traffic_share, row.quality_threshold, None, None, row.tokens_in, row.tokens_out, None, row.pass_rate, row.latency_p50,
            row.latency_p95, row.cost, None)  # fmt: skip


def marked(number: Number, said: str) -> str:
    """A number with the mark of its source."""
    return f"{said} {MARKS[number.source.kind]}"


def task_cells(task: TaskEstimate) -> tuple[str, ...]:
    """One task under a policy."""
    return (
        task.task,
        range_of(task.cost, per_thousand),
        share_range(task.quality),
        percent(task.meets_bar, 0),
        seconds(task.latency_p50.value),
        seconds(task.latency_p95.value),
        range_of(task.risk, per_thousand),
        percent(task.retried),
        percent(task.escalated),
        percent(task.flagged),
    )


def per_thousand(usd: float) -> str:
    """USD of a thousand requests, of the cost of one: `$1.24`."""
    return signed_money(usd * 1000.0)


def money(usd: float) -> str:
    """USD: `$12,400`, `$1.24`."""
    return signed_money(usd)


def signed_money(usd: float) -> str:
    """USD with a minus where it is below nothing."""
    if abs(usd) < 5e-5:
        return "$0"
    return f"{'−' if usd < 0 else ''}${plain(abs(usd))}"


def range_of(found: Range, form: Form) -> str:
    """A figure and the range around it: `$1.24 [$1.10, $1.40]`; alone where there is none."""
    value, low, high = form(found.value), form(found.low), form(found.high)
    return value if low == high == value else f"{value} [{low}, {high}]"


def share_range(found: Range, digits: int = 1) -> str:
    """A share and its range."""
    return range_of(found, lambda value: percent(value, digits))


def points_range(found: Range) -> str:
    """A difference of shares, in percentage points, and its range."""
    return range_of(found, points)


def said_volume(found: Estimate) -> str:
    """`1,000,000 requests a month (assumed)`."""
    volume = found.volume
    return f"{volume.over('month'):,.0f} requests a month ({written(volume.source)})"


def inputs_named(swing: Swing) -> tuple[str, str]:
    """The two ends of an input in its own unit: shares in percent, tokens whole."""
    kind = swing.name.split("/")[0]
    if kind in ("tokens in", "tokens out", "thinking"):
        return f"{swing.low:,.0f}", f"{swing.high:,.0f}"
    return percent(swing.low), percent(swing.high)
