"""The figures of each part of the queries, with the worst named."""

from __future__ import annotations

from collections.abc import Mapping

from tierline.evaluation.document import Document, Slice
from tierline.evaluation.report.charts.frame import responsive
from tierline.evaluation.report.charts.intervals import Span, intervals
from tierline.evaluation.report.figures import NONE, count, percent, points, usd
from tierline.evaluation.report.html import Html, join, tag
from tierline.evaluation.report.section import Section, Shown, absent, note, present, routers, table, title_case, why_not

MOST = 16
"""Slices of one dimension that are drawn: the lowest ones. The table holds all."""


def slices(document: Document) -> Section:
    """Every dimension of every candidate; of other routers only the worst slice."""
    shown = routers(document)
    told = [row for row in shown if row.row.slices]
    if not told:
        return absent("slices", "Slices", why_not(shown, ("slices", "advantage"), "no router was evaluated, so there is nothing to slice"))
    worst = [_worst(row) for row in told if row.row.worst_slice is not None]
    first = told[0]
    return present(
        "slices",
        "Slices",
        "A mean hides where a router fails. Each row is a part of the queries with its own advantage over the random mix.",
        tag("ul", worst, class_="worst") if worst else None,
        [_dimension(first, name, parts) for name, parts in first.row.slices.items()],
        note(f"Shown for {first.name}; the document has the slices of {len(told) - 1} more.") if len(told) > 1 else None,
    )


def _worst(shown: Shown) -> Html:
    worst = shown.row.worst_slice
    assert worst is not None
    by = f"{points(worst.advantage)} points against the random mix" if worst.advantage is not None else f"{percent(worst.quality)} quality"
    return tag(
        "li", tag("b", shown.name), " is worst on ", tag("b", f"{worst.dimension} {worst.name}"), f": {by}, {count(worst.queries)} queries."
    )


def _dimension(shown: Shown, name: str, parts: Mapping[str, Slice]) -> Html:
    ordered = sorted(
        parts.items(), key=lambda item: (item[1].advantage is None, item[1].advantage.value if item[1].advantage else item[1].quality.value)
    )
    spans = [
        Span(part, one.advantage.value, one.advantage.low, one.advantage.high, f"{count(one.queries)} queries")
        for part, one in ordered
        if one.advantage
    ][:MOST]
    title = f"Advantage of {shown.name} by {name}: " + "; ".join(f"{span.name} {points(span.value)}" for span in spans)
    chart = responsive(lambda width: intervals(width, spans, title, "points over the random mix")) if spans else None
    rows = [
        [
            part,
            count(one.queries),
            percent(one.quality.value),
            f"{percent(one.quality.low)} … {percent(one.quality.high)}",
            usd(one.cost),
            f"{points(one.advantage.value)} [{points(one.advantage.low)}, {points(one.advantage.high)}]" if one.advantage else NONE,
            ", ".join(f"{model} {percent(share, 0)}" for model, share in sorted(one.models.items(), key=lambda item: -item[1])[:3]),
        ]
        for part, one in ordered
    ]
    head = [name, "queries", "quality", "95 % interval", "USD / 1,000", "advantage", "sent to"]
    left = len(ordered) - len(spans)
    remark = note(f"{left} more in the numbers, too small or higher up.") if spans and left else None
    whole = table(f"{shown.name} by {name}", head, rows)
    return join(
        (tag("h3", f"By {title_case(name).lower()}"), chart, remark, tag("details", tag("summary", "The numbers"), whole, open=not spans))
    )
