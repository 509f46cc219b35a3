"""Bars: parts of a whole stacked side by side, and single shares with their intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from tierline.evaluation.report.charts.frame import Scale, axis_x, spread, svg
from tierline.evaluation.report.charts.labels import shortened
from tierline.evaluation.report.html import Html, tag

ROW, THICK = 40.0, 20.0


class Part(msgspec.Struct, frozen=True):
    """A piece of a bar: what it is, how long, and the style's name for it."""

    name: str
    value: float
    class_: str


class Bar(msgspec.Struct, frozen=True):
    """One bar of parts from the left on (negative ones to the left of zero); `low` and `high` draw an interval over it."""

    name: str
    parts: tuple[Part, ...]
    said: str
    low: float | None = None
    high: float | None = None


def bars(width: float, rows: Sequence[Bar], form: Callable[[float], str], title: str, label: str) -> Html:
    """Every bar under its name, the figure at its right."""
    ends = [end for bar in rows for end in _ends(bar)]
    right = max(ends)
    x = spread([min(0.0, *ends), right], 12, width - 16, margin=0.0, least=1e-9)
    x = Scale(x.low, x.high + (x.high - x.low) * 0.02, x.start, x.end)
    top = 4.0
    bottom = top + (ROW + 6) * len(rows)
    drawn = []
    for number, bar in enumerate(rows):
        y = top + (ROW + 6) * number
        drawn += [
            tag("text", shortened(bar.name, 30), class_="row", x=12, y=y + 13),
            tag("text", bar.said, class_="value", x=width - 4, y=y + 13, text_anchor="end"),
        ]
        drawn += _stacked(bar, x, y + 19)
    return svg(width, bottom + 46, title, axis_x(x, top + 19, bottom, form, label, 6 if width > 600 else 4), drawn)


def _ends(bar: Bar) -> tuple[float, ...]:
    up = sum(part.value for part in bar.parts if part.value > 0)
    down = sum(part.value for part in bar.parts if part.value < 0)
    return (up, down, *(end for end in (bar.low, bar.high) if end is not None))


def _stacked(bar: Bar, x: Scale, y: float) -> list[Html]:
    drawn, up, down = [], 0.0, 0.0
    for part in bar.parts:
        begin = up if part.value >= 0 else down + part.value
        wide = max(x(begin + abs(part.value)) - x(begin), 0.0)
        if part.value >= 0:
            up += part.value
        else:
            down += part.value
        if wide > 0:
            drawn.append(tag("rect", tag("title", part.name), class_=f"part {part.class_}", x=x(begin), y=y, width=wide, height=THICK))
    if bar.low is not None and bar.high is not None:
        middle = y + THICK / 2
        drawn.append(tag("line", class_="whisker", x1=x(bar.low), x2=x(bar.high), y1=middle, y2=middle))
    return drawn
