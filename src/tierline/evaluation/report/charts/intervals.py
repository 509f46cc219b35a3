"""Figures with their intervals, a row each, on one scale with its zero: a forest plot."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tierline.evaluation.report.charts.frame import axis_x, spread, svg
from tierline.evaluation.report.charts.labels import shortened
from tierline.evaluation.report.figures import points, round_points
from tierline.evaluation.report.html import Html, tag

ROW = 34.0


class Span(msgspec.Struct, frozen=True):
    """One row: its name, value and the ends of its interval."""

    name: str
    value: float
    low: float
    high: float
    note: str = ""


def tone(low: float, high: float) -> str:
    """`good` where the whole interval is above zero, `bad` where it is below, else `open`."""
    return "good" if low > 0 else "bad" if high < 0 else "open"


def intervals(width: float, spans: Sequence[Span], title: str, label: str) -> Html:
    """Values are shares, shown in percentage points."""
    wide = width > 600
    longest = max(len(span.name) for span in spans)
    left = min(longest * 7.2 + 16, width * 0.34) if wide else 12.0
    row = ROW if wide else ROW + 16
    top, bottom = 12.0, 12.0 + row * len(spans)
    x = spread([0.0, *(v for span in spans for v in (span.low, span.high))], left + 6, width - (124 if wide else 14), least=0.01)
    zero = tag("line", class_="zero", x1=x(0), x2=x(0), y1=top - 6, y2=bottom)
    most = int(left / 7.2)
    rows = []
    for number, span in enumerate(spans):
        y = top + row * (number + 0.5) + (0 if wide else 9)
        kind = tone(span.low, span.high)
        said = f"{points(span.value)} [{points(span.low)}, {points(span.high)}]"
        name = shortened(span.name, most if wide else 26)
        rows += [
            tag(
                "text", name, class_="row", x=left - 8 if wide else 12, y=y + 4 if wide else y - 12, text_anchor="end" if wide else "start"
            ),
            tag("line", class_=f"span {kind}", x1=x(span.low), x2=x(span.high), y1=y, y2=y),
            tag("circle", tag("title", f"{span.name}: {said} {span.note}".strip()), class_=f"dot {kind}", cx=x(span.value), cy=y, r=5),
            tag("text", said, class_="value", x=width - 4, y=y + 4 if wide else y - 12, text_anchor="end"),
        ]
    axis = axis_x(x, top - 6, bottom, round_points, label, 6 if wide else 4)
    return svg(width, bottom + 46, title, axis, zero, rows)
