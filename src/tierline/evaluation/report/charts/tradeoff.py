"""Quality × cost: models, reference rows, the hull of the models, and the routers with their curves and intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import msgspec

from tierline.evaluation.report.charts.frame import axis_x, axis_y, log_spread, marker, path, spread, svg
from tierline.evaluation.report.charts.labels import Label, placed, shortened
from tierline.evaluation.report.figures import PER, percent, round_percent, round_usd, usd
from tierline.evaluation.report.html import Html, tag

SPAN_FOR_LOG = 25.0
"""Where the dearest costs so many times the cheapest, costs are drawn on a logarithmic scale."""

_BETWEEN = 16


class Mark(msgspec.Struct, frozen=True):
    """One row at its point: USD a query and mean score, with the ends of the interval of the score where they are known."""

    name: str
    cost: float
    quality: float
    kind: str
    shape: str = "circle"
    low: float | None = None
    high: float | None = None
    named: bool = True


class Line(msgspec.Struct, frozen=True):
    """A curve: its points as (USD a query, mean score)."""

    name: str
    points: tuple[tuple[float, float], ...]
    kind: str


def tradeoff(width: float, marks: Sequence[Mark], lines: Sequence[Line], title: str) -> Html:
    """The chart. Up is better, left is cheaper."""
    height = 460.0 if width > 600 else 400.0
    left, right, top, bottom = 58.0, width - 18, 34.0, height - 52
    costs = [mark.cost * PER for mark in marks] + [cost * PER for line in lines for cost, _ in line.points]
    heights = [v for mark in marks for v in (mark.quality, mark.low, mark.high) if v is not None]
    heights += [quality for line in lines for _, quality in line.points]
    positive = [cost for cost in costs if cost > 0]
    log = len(positive) == len(costs) and max(positive, default=1.0) / min(positive, default=1.0) > SPAN_FOR_LOG
    x = log_spread(costs, left, right) if log else spread(costs, left, right)
    y = spread(heights, bottom, top, least=0.02)
    across = f"cost: USD per {PER:,} queries{', logarithmic' if log else ''}"
    axes = (
        axis_y(y, left, right, round_percent, "quality: mean score", 6),
        axis_x(x, top, bottom, round_usd, across, 7 if width > 600 else 4),
    )
    drawn_lines = [
        tag("path", tag("title", line.name), d=path([(x(c * PER), y(q)) for c, q in _dense(line.points, log)]), class_=f"line {line.kind}")
        for line in lines
        if len(line.points) > 1
    ]
    bars = [
        tag("line", class_=f"bar {mark.kind}", x1=x(mark.cost * PER), x2=x(mark.cost * PER), y1=y(mark.low), y2=y(mark.high))
        for mark in marks
        if mark.low is not None and mark.high is not None
    ]
    dots = [
        marker(
            mark.shape,
            x(mark.cost * PER),
            y(mark.quality),
            _size(mark),
            f"mark {mark.kind}",
            f"{mark.name}: {percent(mark.quality)} at {usd(mark.cost)}",
        )
        for mark in marks
    ]
    most = 48 if width > 600 else 21
    names = [
        Label(shortened(mark.name, most), x(mark.cost * PER), y(mark.quality), f"label {mark.kind}", mark.kind != "model")
        for mark in sorted(marks, key=lambda mark: mark.kind == "model")
        if mark.named
    ]
    stand = [(x(mark.cost * PER), y(mark.quality)) for mark in marks]
    return svg(width, height, title, axes, drawn_lines, bars, dots, placed(names, stand, left, right, top - 6, bottom))


def _dense(points: Sequence[tuple[float, float]], log: bool) -> Sequence[tuple[float, float]]:
    """What is straight between two points is bent on a logarithmic scale: points in between show it as it is."""
    if not log:
        return points
    made = [between(a, p, b, q, place / _BETWEEN) for (a, p), (b, q) in pairwise(points) for place in range(_BETWEEN)]
    return [*made, points[-1]]


def between(a: float, p: float, b: float, q: float, share: float) -> tuple[float, float]:
    """The point on the straight line from (a, p) to (b, q) that lies so far along on a logarithmic scale; `a` and `b` are above 0."""
    cost = a * (b / a) ** share
    return cost, p if a == b else p + (q - p) * (cost - a) / (b - a)


def _size(mark: Mark) -> float:
    return {"candidate": 7.0, "model": 4.0}.get(mark.kind.split()[0], 5.5)


def known(cost: float | None, quality: float | None) -> bool:
    """Whether a row has a place on the chart."""
    return cost is not None and quality is not None and math.isfinite(cost) and math.isfinite(quality)
