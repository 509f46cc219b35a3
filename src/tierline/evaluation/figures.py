"""From what a router says to its row of the document: every metric, in order, and why one is missing."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tierline.evaluation.document import Interval, Row
from tierline.evaluation.field import Field
from tierline.evaluation.metrics.advantage import advantage
from tierline.evaluation.metrics.aiq import aiq
from tierline.evaluation.metrics.arena import arena_score
from tierline.evaluation.metrics.bootstrap import Floats
from tierline.evaluation.metrics.calibration import reliability
from tierline.evaluation.metrics.curve import Curve, by_price, by_threshold
from tierline.evaluation.metrics.gap import apgr, cpt
from tierline.evaluation.metrics.optimality import optimality
from tierline.evaluation.metrics.regret import oracle, regret
from tierline.evaluation.metrics.savings import LEVELS, save_at
from tierline.evaluation.metrics.slices import shares, slices, worst
from tierline.evaluation.routers.routing import Routing

HALF = 0.5
"""The share of queries that a score sends up at the point where its router is shown, unless it says otherwise."""

NO_COSTS = "the data have no costs"
NO_PAIR = "there is one model only"
NO_GAP = "the strong model is not better than the weak one here: there is no gap to recover"
NO_PREDICTION = "the router predicts no pass rates"
NOT_ASKED = "robustness was not asked for (--robust)"


class Figures:
    """Gathers the figures of one row, and the reasons for those that are missing."""

    def __init__(self, field: Field, name: str) -> None:
        self.field = field
        self.name = name
        self.found: dict[str, Any] = {"save_at": dict.fromkeys(LEVELS)}
        self.why: dict[str, str] = {}

    def row(self) -> Row:
        """The row with what was found."""
        return Row(**self.found, why=self.why)

    def missing(self, why: str, *names: str) -> None:
        """These figures are not there, for this reason; the first reason given stands."""
        for name in names:
            self.why.setdefault(name, why)

    def point(self, chosen: NDArray[np.intp]) -> tuple[Floats, Floats | None]:
        """Everything that follows from one choice a query; returns the quality and cost of each."""
        table, rows = self.field.table, np.arange(len(chosen))
        quality = table.score[rows, chosen]
        paid = None if self.field.costs is None else table.cost[rows, chosen]
        self.means(quality, paid)
        self.found["models"] = shares(chosen, table.models)
        if table.latency is not None:
            latency = table.latency[rows, chosen]
            self.found["latency"] = None if np.isnan(latency).any() else float(latency.mean())
        self.found["optimality"] = optimality(quality, paid, table.score, self.field.costs)
        return quality, paid

    def means(self, quality: Floats, paid: Floats | None) -> None:
        """Quality, cost and what follows from them, from those of each query."""
        bootstrap, field = self.field.bootstrap, self.field
        of_quality = bootstrap.estimate(quality[:, None], f"quality/{self.name}", lambda means: means[:, 0], (0.0, 1.0))
        self.found |= {"quality": of_quality.value, "quality_interval": Interval(of_quality.low, of_quality.high)}
        if paid is None or field.single is None:
            self.missing(NO_COSTS, "cost", "cost_interval", "advantage", "arena", "aiq", "save_at")
            return
        of_cost = _cost(paid, self)
        self.found |= {"cost": of_cost[0], "cost_interval": of_cost[1], "arena": arena_score(of_quality.value, of_cost[0])}
        self.found["advantage"] = advantage(
            quality, paid, field.table.score, field.table.cost, field.single, field.table.models, bootstrap, self.name
        )

    def curve(self, curve: Curve) -> None:
        """What follows from every point at which the router can be set."""
        self.found["curve"] = curve.shown()
        if curve.cost is None:
            self.missing(NO_COSTS, "aiq", "save_at")
            return
        self.points(curve.cost, curve.quality)

    def points(self, cost: Floats, quality: Floats) -> None:
        """AIQ and savings, from any points."""
        field = self.field
        if field.cost is None:
            return
        self.found["aiq"] = aiq(cost, quality, float(field.cost.min()), float(field.cost.max()))
        if self.found["aiq"] is None:
            self.missing("all models cost the same", "aiq")
        self.found["save_at"] = save_at(cost, quality, float(field.cost[field.best]), float(field.quality[field.best]))
        if None in self.found["save_at"].values():
            self.missing("null where it never reaches that quality", "save_at")

    def between(self, curve: Curve) -> None:
        """RouteLLM's figures, from a curve between the weak and the strong model."""
        field = self.field
        if field.weak == field.strong:
            self.missing(NO_PAIR if len(field.table.models) == 1 else NO_GAP, "apgr", "cpt50", "cpt80")
            return
        self.found["pair"] = (field.table.models[field.weak], field.table.models[field.strong])
        self.found |= {"apgr": apgr(curve), "cpt50": cpt(curve, 0.5), "cpt80": cpt(curve, 0.8)}
        if self.found["apgr"] is None:
            self.missing(NO_GAP, "apgr", "cpt50", "cpt80")


def _cost(paid: Floats, figures: Figures) -> tuple[float, Interval]:
    """The mean cost and its interval: USD has no upper bound, so it is the widest that was paid."""
    top = float(paid.max())
    found = figures.field.bootstrap.estimate(paid[:, None], f"cost/{figures.name}", lambda means: means[:, 0], (0.0, max(top, 1e-300)))
    return found.value, Interval(found.low, found.high)


def row_of(name: str, routing: Routing, field: Field) -> Row:
    """The row of a router that was asked about all queries of the field."""
    figures = Figures(field, name)
    if routing.elsewhere:
        why = f"it chose models that the data have not: {', '.join(routing.elsewhere)}"
        figures.missing(why, "quality", "cost", "advantage", "apgr", "cpt50", "cpt80", "aiq", "save_at", "regret", "arena", "optimality")
        _predictions(figures, routing)
        return figures.row()
    chosen = _curves(figures, routing)
    if chosen is None:
        figures.missing(routing.why_no_curve, "quality", "cost", "advantage", "apgr", "cpt50", "cpt80", "aiq", "save_at", "regret", "arena")
        return figures.row()
    quality, paid = figures.point(chosen)
    if "curve" not in figures.found and paid is not None:
        figures.found["save_at"] = _saved_at_the_point(figures, quality, paid)
    figures.found["regret"] = _regret(chosen, routing, field)
    figures.found["slices"] = slices(field.table, quality, paid, chosen, field.bootstrap, name)
    figures.found["worst_slice"] = worst(figures.found["slices"])
    _predictions(figures, routing)
    return figures.row()


def _curves(figures: Figures, routing: Routing) -> NDArray[np.intp] | None:
    """Follows the curve where there is one; returns the choices at the point where the router stands, None where it says nothing."""
    field = figures.field
    if routing.score is not None:
        curve = pair_curve(field, routing.score)
        figures.curve(curve)
        figures.between(curve)
        figures.found["at"] = routing.at or f"the {HALF:.0%} of queries with the highest scores go to {field.table.models[field.strong]}"
        return routing.choice if routing.choice is not None else half_up(field, routing.score)
    figures.found["at"] = routing.at
    if routing.good is not None and routing.expected is not None and field.costs is not None:
        figures.curve(by_price(routing.good, routing.expected, field.table.score, field.costs, routing.same))
    if routing.good is not None and not np.isnan(routing.good).any():
        figures.between(pair_curve(field, routing.good[:, field.strong] - routing.good[:, field.weak]))
    else:
        figures.missing(routing.why_no_curve, "apgr", "cpt50", "cpt80")
    if "curve" not in figures.found:
        figures.missing(routing.why_no_curve, "aiq")
    return routing.choice


def pair_curve(field: Field, score: Floats) -> Curve:
    """The curve of a score between the weak and the strong model."""
    table, weak, strong = field.table, field.weak, field.strong
    cost = None if field.costs is None else (field.costs[:, weak], field.costs[:, strong])
    return by_threshold(score, table.score[:, weak], table.score[:, strong], *(cost or (None, None)))


def half_up(field: Field, score: Floats) -> NDArray[np.intp]:
    """The choices when the half with the highest scores goes up; of equal scores, those that come first."""
    chosen = np.full(len(score), field.weak, dtype=np.intp)
    chosen[np.argsort(-score, kind="stable")[: round(HALF * len(score))]] = field.strong
    return chosen


def _saved_at_the_point(figures: Figures, quality: Floats, paid: Floats) -> dict[str, float | None]:
    field = figures.field
    assert field.cost is not None  # it was paid
    best_cost, best_quality = float(field.cost[field.best]), float(field.quality[field.best])
    saved = save_at(np.array([paid.mean()]), np.array([quality.mean()]), best_cost, best_quality)
    if None in saved.values():
        figures.missing("null where its quality is below that level", "save_at")
    return saved


def _regret(chosen: NDArray[np.intp], routing: Routing, field: Field) -> Any:
    score, forced = field.table.score, routing.ruled
    if forced is not None and routing.removed is not None:
        forced = forced | routing.removed[np.arange(len(chosen)), oracle(score, field.costs)]
    return regret(chosen, score, field.costs, forced, routing.wrong_capability, _too_slow(chosen, routing, field))


def _too_slow(chosen: NDArray[np.intp], routing: Routing, field: Field) -> NDArray[np.bool_] | None:
    """Queries whose answer came after their budget; None where no latency or no budget is known. An unknown latency is not too slow."""
    if field.table.latency is None or routing.budget is None:
        return None
    return np.asarray(field.table.latency[np.arange(len(chosen)), chosen] > routing.budget)


def _predictions(figures: Figures, routing: Routing) -> None:
    """Brier, ECE and reliability, over all models and for each."""
    figures.missing(NOT_ASKED, "flip_rate")
    table = figures.field.table
    overall = None if routing.good is None else reliability(routing.good, table.score)
    if routing.good is None or overall is None:
        figures.missing(NO_PREDICTION, "brier", "ece")
        return
    figures.found |= {"brier": overall.brier, "ece": overall.ece}
    by_model = {model: reliability(routing.good[:, m], table.score[:, m]) for m, model in enumerate(table.models)}
    figures.found["reliability"] = {model: found for model, found in by_model.items() if found is not None}
