"""What a sweep moves: thresholds by their path in the spec, each over a range, and the grid of them all."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from tierline.config.spec import RouteSpec
from tierline.evaluation.sweep.choose import Thresholds, thresholds_of
from tierline.routing.compile import ceilings
from tierline.routing.router import Router

STEPS = 21
_AXIS = re.compile(r"^(?P<path>[\w.-]+)=(?P<low>[\d.]+):(?P<high>[\d.]+)(?::(?P<steps>\d+))?$")


class Axis(msgspec.Struct, frozen=True):
    """One threshold: `routes.<route>.difficulty.<tier>`, `routes.<route>.quality_bar` or `tasks.<task>.quality_bar`, and its values."""

    path: str
    values: tuple[float, ...]

    @property
    def parts(self) -> tuple[str, ...]:
        """The path's words."""
        return tuple(self.path.split("."))


class Setting(msgspec.Struct, frozen=True):
    """One point of the grid: path → value, and the thresholds they make."""

    values: Mapping[str, float]
    thresholds: Thresholds


def axis(text: str, router: Router) -> Axis:
    """An axis as it is written on the command line, `PATH=LOW:HIGH[:STEPS]`; raises ValueError for what the spec does not have."""
    match = _AXIS.match(text)
    if match is None:
        raise ValueError(f"{text!r} is no axis: write PATH=LOW:HIGH[:STEPS], e.g. routes.auto.difficulty.fast=0:1:21")
    low, high, steps = float(match["low"]), float(match["high"]), int(match["steps"] or STEPS)
    if not (0.0 <= low <= high <= 1.0 and 1 <= steps <= 1001):
        raise ValueError(f"{text!r}: thresholds lie between 0 and 1, with 1 to 1,001 steps")
    found = Axis(match["path"], tuple(round(float(value), 9) for value in np.linspace(low, high, steps)))
    _check(found, router)
    return found


def default_axes(router: Router, difficulty: NDArray[np.float64]) -> tuple[Axis, ...]:
    """The ceilings of the default route's tiers but the last, as many as make a grid: the first two. They run over the quantiles of the
    requests' own difficulty, so that steps lie where requests do."""
    quantiles = np.quantile(difficulty, np.linspace(0.0, 1.0, STEPS)) if len(difficulty) else np.linspace(0.0, 1.0, STEPS)
    values = tuple(sorted({0.0, *(round(float(value), 4) for value in quantiles)}))
    return tuple(Axis(f"routes.auto.difficulty.{tier}", values) for tier in router.policy.fleet.tiers[:-1][:2])


def grid(router: Router, axes: Sequence[Axis]) -> list[Setting]:
    """Every combination that a spec may hold: those with a tier's ceiling not above the one below it are left out."""
    found = []
    for values in itertools.product(*(axis.values for axis in axes)):
        at = _with(router, {axis.path: value for axis, value in zip(axes, values, strict=True)})
        if at is not None:
            found.append(Setting({axis.path: value for axis, value in zip(axes, values, strict=True)}, at))
    return found


def _check(axis: Axis, router: Router) -> None:
    policy = router.policy
    match axis.parts:
        case ("routes", route, "quality_bar") if route in policy.routes:
            return
        case ("routes", route, "difficulty", tier) if route in policy.routes and tier in policy.fleet.tiers[:-1]:
            return
        case ("tasks", task, "quality_bar") if task in policy.tasks:
            return
    known = [f"routes.{r}.quality_bar" for r in policy.routes]
    known += [f"routes.{r}.difficulty.{tier}" for r in policy.routes for tier in policy.fleet.tiers[:-1]]
    known += [f"tasks.{task}.quality_bar" for task in policy.tasks]
    raise ValueError(f"the spec has no threshold {axis.path!r}; it has {', '.join(known[:12])}")


def _with(router: Router, values: Mapping[str, float]) -> Thresholds | None:
    """The spec's thresholds with these in their place; None where the ceilings of a route do not rise."""
    now, tiers = thresholds_of(router), router.policy.fleet.tiers
    routes = {"auto": RouteSpec(), **router.loaded.spec.routes}
    moved: dict[str, dict[str, float]] = {}
    bars, task_bars = dict(now.bars), dict(now.task_bars)
    for path, value in values.items():
        match path.split("."):
            case ["routes", route, "quality_bar"]:
                bars[route] = value
            case ["routes", route, "difficulty", tier]:
                moved.setdefault(route, dict(routes[route].difficulty))[tier] = value
            case ["tasks", task, "quality_bar"]:
                task_bars[task] = value
    made = dict(now.ceilings)
    for route, difficulty in moved.items():
        made[route] = ceilings(tiers, difficulty)
        given = [difficulty[tier] for tier in tiers if tier in difficulty]
        if any(high <= low for low, high in itertools.pairwise(given)):
            return None
    return Thresholds(made, bars, task_bars)
