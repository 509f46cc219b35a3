"""A tornado: how far each input moves the answer, the widest at the top, about the line where it stands now."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from tierline.evaluation.report.charts.frame import axis_x, spread, svg
from tierline.evaluation.report.charts.labels import shortened
from tierline.evaluation.report.html import Html, tag

ROW, THICK = 34.0, 16.0


class Moved(msgspec.Struct, frozen=True):
    """One input: its name, its two ends as they are said, and the answer at each."""

    name: str
    low_said: str
    high_said: str
    low: float
    high: float


def swings(
    width: float, now: float, rows: Sequence[Moved], form: Callable[[float], str], axis: Callable[[float], str], title: str, label: str
) -> Html:
    """`low` is drawn in one colour and `high` in another, whichever side of the line they fall."""
    wide = width > 600
    left = min(max(len(row.name) for row in rows) * 7.0 + 14, width * 0.36) if wide else 12.0
    height = ROW if wide else ROW + 16
    top, bottom = 10.0, 10.0 + height * len(rows)
    x = spread([now, *(value for row in rows for value in (row.low, row.high))], left + 62, width - 70, margin=0.03)
    drawn = []
    for number, row in enumerate(rows):
        y = top + height * (number + 0.5) + (0 if wide else 9)
        drawn.append(_row(row, left, y, wide, int(left / 7.0) if wide else 40))
        for value, said, kind in ((row.low, row.low_said, "c2"), (row.high, row.high_said, "c1")):
            drawn += _end(x(now), x(value), y, f"{row.name} at {said}: {form(value)}", said, kind)
    zero = tag("line", class_="zero", x1=x(now), x2=x(now), y1=top - 4, y2=bottom)
    return svg(width, bottom + 46, title, axis_x(x, top - 4, bottom, axis, label, 6 if wide else 4), drawn, zero)


def _row(row: Moved, left: float, y: float, wide: bool, most: int) -> Html:
    at, below, anchor = (left - 8, 4, "end") if wide else (12, -12, "start")
    return tag("text", shortened(row.name, most), class_="row", x=at, y=y + below, text_anchor=anchor)


def _end(now: float, place: float, y: float, name: str, said: str, kind: str) -> list[Html]:
    """A bar from the line to one end, with the input's value beyond it."""
    begin, long = min(now, place), abs(place - now)
    beyond, anchor = (place + 6, "start") if place >= now else (place - 6, "end")
    bar = tag("rect", tag("title", name), class_=f"part {kind}", x=begin, y=y - THICK / 2, width=max(long, 0.5), height=THICK)
    return [bar, tag("text", said, class_="value", x=beyond, y=y + 4, text_anchor=anchor)] if long > 1 else [bar]
