"""What every chart shares: scales, ticks, axes, and the frame that names the chart for those who cannot see it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from tierline.evaluation.report.html import Child, Html, join, tag

WIDE, NARROW = 880, 400
"""The two widths, in CSS pixels, for which a chart is drawn; the page shows the one that fits."""


_CORNERS: Mapping[str, Sequence[tuple[float, float]]] = {
    "square": ((-1, -1), (1, -1), (1, 1), (-1, 1)),
    "diamond": ((0, -1.35), (1.35, 0), (0, 1.35), (-1.35, 0)),
    "triangle": ((0, -1.25), (1.2, 0.95), (-1.2, 0.95)),
}


class Scale(msgspec.Struct, frozen=True):
    """Values `low` … `high` → pixels `start` … `end`; `log` needs values above 0."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """The pixel of a value; what is outside is drawn at the edge."""
        value = min(max(value, self.low), self.high)
        shape = math.log if self.log else float
        share = (shape(value) - shape(self.low)) / (shape(self.high) - shape(self.low))
        return self.start + share * (self.end - self.start)


def spread(values: Iterable[float], start: float, end: float, margin: float = 0.06, least: float = 1e-9) -> Scale:
    """A scale with some air around the values; at least `least` wide."""
    known = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    low, high = min(known), max(known)
    wide = max(high - low, least)
    middle = (low + high) / 2
    half = wide / 2 + wide * margin
    return Scale(middle - half, middle + half, start, end)


def log_spread(values: Iterable[float], start: float, end: float) -> Scale:
    """A logarithmic scale with some air around the values, which are above 0."""
    known = [value for value in values if value > 0 and math.isfinite(value)] or [0.1, 1.0]
    low, high = min(known), max(known)
    air = max((high / low) ** 0.08, 1.15)
    return Scale(low / air, high * air, start, end, log=True)


def ticks(scale: Scale, most: int = 6) -> list[float]:
    """Round values within the scale, at most about so many."""
    if scale.log:
        return _log_ticks(scale, most)
    rough = (scale.high - scale.low) / max(most, 1)
    power = 10 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * (1 - 1e-9))
    first = math.ceil(scale.low / step - 1e-9)
    return [index * step for index in range(first, math.floor(scale.high / step + 1e-9) + 1)]


def _log_ticks(scale: Scale, most: int) -> list[float]:
    low, high = math.floor(math.log10(scale.low)), math.ceil(math.log10(scale.high))
    within: list[float] = []
    for factors in ((1, 2, 5), (1, 3), (1,)):
        found = [factor * 10.0**power for power in range(low, high + 1) for factor in factors]
        within = [value for value in found if scale.low <= value <= scale.high]
        if len(within) <= most:
            break
    return within[:: max(math.ceil(len(within) / most), 1)]


def axis_x(scale: Scale, top: float, bottom: float, form: Callable[[float], str], label: str, most: int = 6) -> Html:
    """Vertical lines with their values below, and what they mean."""
    lines = []
    for value in ticks(scale, most):
        x = scale(value)
        lines.append(tag("line", class_="grid", x1=x, x2=x, y1=top, y2=bottom))
        lines.append(tag("text", form(value), class_="tick", x=x, y=bottom + 18, text_anchor="middle"))
    middle = (scale.start + scale.end) / 2
    return tag("g", lines, tag("text", label, class_="axis", x=middle, y=bottom + 38, text_anchor="middle"), aria_hidden="true")


def axis_y(scale: Scale, left: float, right: float, form: Callable[[float], str], label: str, most: int = 6) -> Html:
    """Horizontal lines with their values at the left, and what they mean above them."""
    lines = []
    for value in ticks(scale, most):
        y = scale(value)
        lines.append(tag("line", class_="grid", x1=left, x2=right, y1=y, y2=y))
        lines.append(tag("text", form(value), class_="tick", x=left - 8, y=y + 4, text_anchor="end"))
    top = min(scale.start, scale.end)
    return tag("g", lines, tag("text", label, class_="axis", x=left - 8, y=top - 12, text_anchor="start"), aria_hidden="true")


def svg(width: float, height: float, title: str, *children: Child) -> Html:
    """A drawing with its name; `title` is what a screen reader says of it."""
    return tag("svg", tag("title", title), *children, viewbox=f"0 0 {width:g} {height:g}", role="img", width=width, height=height)


def responsive(draw: Callable[[float], Html]) -> Html:
    """The drawing for wide pages and for narrow ones; the style shows one of them."""
    return join((tag("div", draw(WIDE), class_="chart wide"), tag("div", draw(NARROW), class_="chart narrow")))


def path(places: Sequence[tuple[float, float]]) -> str:
    """A line through the places."""
    return "".join(f"{'L' if number else 'M'}{x:.1f},{y:.1f}" for number, (x, y) in enumerate(places))


def marker(shape: str, x: float, y: float, size: float, class_: str, name: str) -> Html:
    """A mark at a place: circle, square, diamond or triangle; its name shows under the pointer."""
    around = _CORNERS.get(shape)
    title = tag("title", name)
    if around is None:
        return tag("circle", title, cx=x, cy=y, r=size, class_=class_)
    corners = " ".join(f"{x + dx * size:.1f},{y + dy * size:.1f}" for dx, dy in around)
    return tag("polygon", title, points=corners, class_=class_)
