"""The document that `tierline sweep` writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from tierline.evaluation.sweep.axes import Axis, Setting
from tierline.evaluation.sweep.operating_point import OperatingPoint
from tierline.evaluation.sweep.pareto import front
from tierline.evaluation.sweep.sweep import Outcomes, Swept

VERSION = 1
"""Of the layout."""


class Point(msgspec.Struct, frozen=True):
    """One setting: its values, mean score, USD a query, and the share of queries that each model is asked first for."""

    values: Mapping[str, float]
    quality: float
    cost: float
    models: Mapping[str, float]


class Single(msgspec.Struct, frozen=True):
    """Everything to one model."""

    quality: float
    cost: float


class SweepDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The whole sweep. `now` is the spec as it stands; `front` the settings that nobody beats, cheapest first; `points` all of them.
    `front`, `now` and `points` are over all queries, so they flatter what is picked from them; `honest` does not."""

    version: int = VERSION
    spec: str
    fingerprint: str
    data: str
    queries: int
    axes: tuple[Axis, ...]
    now: Point
    singles: Mapping[str, Single]
    front: tuple[Point, ...]
    honest: tuple[OperatingPoint, ...]
    points: tuple[Point, ...]


def points_of(settings: Sequence[Setting], swept: Swept, names: Sequence[str]) -> list[Point]:
    """Every setting with its figures."""
    count = max(int(swept.rows.sum()), 1)
    return [
        Point(setting.values, float(quality), float(cost), dict(zip(names, (chosen / count).tolist(), strict=True)))
        for setting, quality, cost, chosen in zip(settings, swept.mean_quality, swept.mean_cost, swept.chosen, strict=True)
    ]


def front_of(points: Sequence[Point]) -> tuple[Point, ...]:
    """The points that nobody beats, cheapest first."""
    places = front(np.array([point.quality for point in points]), np.array([point.cost for point in points]))
    return tuple(points[place] for place in places)


def singles_of(outcomes: Outcomes, names: Sequence[str]) -> dict[str, Single]:
    """Each model alone."""
    return {
        name: Single(float(quality), float(cost))
        for name, quality, cost in zip(names, outcomes.score.mean(axis=1), outcomes.cost.mean(axis=1), strict=True)
    }
