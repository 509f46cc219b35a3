"""Shares with their ranges, a row each, and a mark at what each has to reach."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tierline.evaluation.report.charts.frame import Scale, axis_x, spread, svg
from tierline.evaluation.report.charts.labels import shortened
from tierline.evaluation.report.figures import percent, round_percent
from tierline.evaluation.report.html import Html, tag

ROW = 36.0


class Bullet(msgspec.Struct, frozen=True):
    """One row: a share, its range, and the least that is wanted."""

    name: str
    value: float
    low: float
    high: float
    wanted: float

    @property
    def kind(self) -> str:
        """`good` where all of the range is enough, `bad` where none of it is."""
        return "good" if self.low >= self.wanted else "bad" if self.high < self.wanted else "open"


def bullets(width: float, rows: Sequence[Bullet], title: str, label: str) -> Html:
    """All rows on one scale, which ends at 1."""
    wide = width > 600
    left = min(max(len(row.name) for row in rows) * 7.2 + 16, width * 0.34) if wide else 12.0
    height = ROW if wide else ROW + 16
    top, bottom = 12.0, 12.0 + height * len(rows)
    near = spread([value for row in rows for value in (row.low, row.wanted, row.high)], 0, 1, least=0.05)
    x = Scale(near.low, min(near.high, 1.0) if near.low < 1.0 else near.high, left + 8, width - (172 if wide else 14))
    drawn = []
    for number, row in enumerate(rows):
        y = top + height * (number + 0.5) + (0 if wide else 9)
        said = f"{percent(row.value)} [{percent(row.low)}, {percent(row.high)}]"
        at, below, anchor = (left - 8, 4.0, "end") if wide else (12.0, -12.0, "start")
        drawn += [
            tag("text", shortened(row.name, int(left / 7.2) if wide else 24), class_="row", x=at, y=y + below, text_anchor=anchor),
            tag("line", class_=f"span {row.kind}", x1=x(row.low), x2=x(row.high), y1=y, y2=y),
            tag(
                "line",
                tag("title", f"{row.name} has to reach {percent(row.wanted)}"),
                class_="wanted",
                x1=x(row.wanted),
                x2=x(row.wanted),
                y1=y - 11,
                y2=y + 11,
            ),
            tag("circle", tag("title", f"{row.name}: {said}"), class_=f"dot {row.kind}", cx=x(row.value), cy=y, r=5),
            tag("text", said, class_="value", x=width - 4, y=y + below, text_anchor="end"),
        ]
    return svg(width, bottom + 46, title, axis_x(x, top - 6, bottom, round_percent, label, 6 if wide else 4), drawn)
