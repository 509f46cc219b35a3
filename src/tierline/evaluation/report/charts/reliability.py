"""A reliability diagram: what was predicted against what came, and how many predictions there were of each kind."""

from __future__ import annotations

import math

from tierline.evaluation.document import Bin
from tierline.evaluation.report.charts.frame import Scale, path, svg
from tierline.evaluation.report.figures import percent, plural
from tierline.evaluation.report.html import Html, tag

SIZE = 250.0


def diagram(name: str, bins: tuple[Bin, ...], ece: float) -> Html:
    """One small square: on the diagonal, a prediction holds; below it, it promised too much. The dots are as large as their bins."""
    left, right, top, bottom = 40.0, SIZE - 10, 10.0, SIZE - 40
    x, y = Scale(0, 1, left, right), Scale(0, 1, bottom, top)
    grid = []
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        grid.append(tag("line", class_="grid", x1=x(tick), x2=x(tick), y1=top, y2=bottom))
        grid.append(tag("line", class_="grid", x1=left, x2=right, y1=y(tick), y2=y(tick)))
        if tick in (0.0, 0.5, 1.0):
            grid.append(tag("text", percent(tick, 0), class_="tick", x=x(tick), y=bottom + 16, text_anchor="middle"))
            grid.append(tag("text", percent(tick, 0), class_="tick", x=left - 6, y=y(tick) + 4, text_anchor="end"))
    told = [one for one in bins if one.count]
    most = max((one.count for one in told), default=1)
    even = tag("line", class_="even", x1=x(0), y1=y(0), x2=x(1), y2=y(1))
    line = tag("path", d=path([(x(one.predicted), y(one.actual)) for one in told]), class_="line candidate s1") if len(told) > 1 else None
    dots = [
        tag(
            "circle",
            tag("title", f"predicted {percent(one.predicted)}, came {percent(one.actual)}: {plural(one.count, 'query', 'queries')}"),
            class_="mark candidate s1",
            cx=x(one.predicted),
            cy=y(one.actual),
            r=2.5 + 5 * math.sqrt(one.count / most),
        )
        for one in told
    ]
    axis = tag("text", "predicted → came", class_="axis", x=(left + right) / 2, y=SIZE - 8, text_anchor="middle")
    return svg(
        SIZE,
        SIZE,
        f"Reliability of the pass rates predicted for {name}: off by {percent(ece)} on average",
        tag("g", grid, axis, aria_hidden="true"),
        even,
        line,
        dots,
    )
