"""The five rows without which no figure of a router means anything.

random        every query to any model, with equal chance: mean quality and cost are exact, its curve is a straight line.
              Its APGR and CPT are means over `DRAWS` random scores between the weak and the strong model
best_single   everything to the model of the highest mean score
zero_router   the convex hull of single models (`metrics/hull`): coins that look at nothing
task_mean     each task to the model that did best on it, from the other folds (`routers/task_mean`)
oracle        each query to the cheapest of its best models; its curve sends up those queries first that gain most
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np

from tierline.evaluation.document import Advantage, Point, Row
from tierline.evaluation.field import Field
from tierline.evaluation.figures import NO_COSTS, NO_PAIR, Figures, pair_curve, row_of
from tierline.evaluation.metrics.arena import arena_score
from tierline.evaluation.metrics.curve import by_price
from tierline.evaluation.metrics.gap import apgr, cpt
from tierline.evaluation.metrics.regret import oracle, regret
from tierline.evaluation.routers.routing import Progress
from tierline.evaluation.routers.task_mean import TaskMeanRouter

DRAWS = 200
_SCORES = 2_000_000
ONE_MODEL = "it uses one model: there is no curve to follow"
A_COIN = "a coin has no choice of its own on any query"


def references(field: Field, progress: Progress) -> dict[str, Row]:
    """All five, in their order."""
    made: dict[str, Callable[[], Row]] = {
        "random": lambda: _random(field),
        "best_single": lambda: _best_single(field),
        "zero_router": lambda: _zero_router(field),
        "task_mean": lambda: _task_mean(field, progress),
        "oracle": lambda: _oracle(field),
    }
    rows = {}
    for done, (name, make) in enumerate(made.items()):
        progress("reference rows", done, len(made))
        rows[name] = make()
    progress("reference rows", len(made), len(made))
    return rows


def _random(field: Field) -> Row:
    figures, table = Figures(field, "reference/random"), field.table
    quality = table.score.mean(axis=1)
    figures.means(quality, None if field.costs is None else field.costs.mean(axis=1))
    figures.found |= {"at": "any model, with equal chance", "models": dict.fromkeys(table.models, 1 / len(table.models))}
    if field.cost is not None:
        figures.points(field.cost[[field.weak, field.strong]], field.quality[[field.weak, field.strong]])
    if field.weak == field.strong:
        figures.missing(NO_PAIR, "apgr", "cpt50", "cpt80")
    else:
        chance = field.bootstrap.generator("reference/random")
        draws = max(1, min(DRAWS, _SCORES // len(table.query)))
        curves = [pair_curve(field, chance.random(len(table.query))) for _ in range(draws)]
        figures.between(curves[0])
        for figure, of in (("apgr", apgr), ("cpt50", lambda c: cpt(c, 0.5)), ("cpt80", lambda c: cpt(c, 0.8))):
            found = [value for value in map(of, curves) if value is not None]
            figures.found[figure] = float(np.mean(found)) if found else None
    figures.missing(A_COIN, "regret", "brier", "ece", "flip_rate", "optimality")
    return figures.row()


def _best_single(field: Field) -> Row:
    figures, chosen = Figures(field, "reference/best_single"), np.full(len(field.table.query), field.best, dtype=np.intp)
    figures.point(chosen)
    model = field.table.models[field.best]
    figures.found |= {"model": model, "at": f"everything to {model}", "regret": regret(chosen, field.table.score, field.costs)}
    if field.cost is not None:
        figures.points(field.cost[[field.best]], field.quality[[field.best]])
        figures.found["aiq"] = None
    figures.missing(ONE_MODEL, "apgr", "cpt50", "cpt80", "aiq", "brier", "ece", "flip_rate")
    return figures.row()


def _zero_router(field: Field) -> Row:
    """The hull; it stands at its best end, and every other point is on its curve."""
    figures = Figures(field, "reference/zero_router")
    figures.missing(A_COIN, "regret", "brier", "ece", "flip_rate", "optimality")
    if field.single is None or field.cost is None:
        figures.missing(NO_COSTS, "quality", "cost", "advantage", "apgr", "cpt50", "cpt80", "aiq", "save_at", "arena")
        return figures.row()
    single, table = field.single, field.table
    best = _best_single(field)
    figures.points(np.array(single.cost), np.array(single.quality))
    figures.found |= {
        "quality": single.quality[-1],
        "quality_interval": best.quality_interval,
        "cost": single.cost[-1],
        "cost_interval": best.cost_interval,
        "arena": arena_score(single.quality[-1], single.cost[-1]),
        "models": {table.models[single.models[-1]]: 1.0},
        "at": "its best end; the rest of it is the curve",
        "advantage": Advantage(0.0, 0.0, 0.0, {table.models[single.models[-1]]: 1.0}, single.quality[-1], single.cost[-1]),
        "curve": tuple(
            Point(0.0 if not place else 1.0, cost, quality)
            for place, (cost, quality) in enumerate(zip(single.cost, single.quality, strict=True))
        ),
    }
    figures.missing("it is a coin at every point: half the calls recover half the gap", "apgr", "cpt50", "cpt80")
    return figures.row()


def _task_mean(field: Field, progress: Progress) -> Row:
    name = "reference/task_mean"
    routing = TaskMeanRouter().route(field.table, field.fold, field.bootstrap.generator(name), progress)
    return row_of(name, routing, field)


def _oracle(field: Field) -> Row:
    figures, table = Figures(field, "reference/oracle"), field.table
    chosen = oracle(table.score, field.costs)
    figures.point(chosen)
    figures.found |= {"at": "the cheapest of each query's best models", "regret": regret(chosen, table.score, field.costs)}
    figures.between(pair_curve(field, table.score[:, field.strong] - table.score[:, field.weak]))
    if field.costs is not None:
        figures.curve(by_price(table.score, field.costs, table.score, field.costs))
    figures.missing("it knows the answers", "brier", "ece", "flip_rate")
    return figures.row()


def without(row: Row, why: str) -> Row:
    """A row with nothing but the reason, for data on which nothing can be compared."""
    names = [name for name in Row.__struct_fields__ if getattr(row, name) is None]
    return msgspec.structs.replace(row, why=dict.fromkeys(names, why))
