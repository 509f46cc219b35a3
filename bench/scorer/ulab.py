"""ulab_llmrouter: trained on its own training split, measured on its test split; and by five folds, with the guard and without."""

from __future__ import annotations

import numpy as np
from rich.console import Console

from bench.scorer.lines import Line, between
from bench.scorer.tables import best_of, crossed, read_table, saved, saved_resampled
from tierline.evaluation.metrics.aiq import aiq
from tierline.evaluation.metrics.arena import arena_score
from tierline.evaluation.metrics.curve import by_price
from tierline.evaluation.metrics.hull import concave
from tierline.evaluation.routers.learned import ArtifactRouter
from tierline.evaluation.routers.routing import Routing, silent
from tierline.evaluation.table import Table
from tierline.evaluation.training.learn import Learning, learn
from tierline.scoring.learned.design import design


def lines(console: Console) -> list[Line]:
    """Savings, the arena's score and AIQ on the split; savings by folds."""
    train, test = read_table("ulab_llmrouter", "train"), read_table("ulab_llmrouter", "test")
    artifact = learn(train, design(train.text or (), silent), Learning()).artifact
    nobody, chance = np.zeros(len(test.query), dtype=np.intp), np.random.default_rng(0)
    told = ArtifactRouter(artifact, "unguarded", guard=False).route(test, nobody, chance, silent)
    kept = saved(test, told)["100"]
    console.print(f"own split: {kept:.3f}", style="dim")
    drawn = between(saved_resampled(test, [told], "100"))
    found = [
        Line("ulab, own split: saved at 100 % of best single", f"{kept:.1%}", drawn, "≥ 72 %", bool(kept >= 0.72)),
        *_scores(test, told),
    ]
    whole = read_table("ulab_llmrouter")
    folded = crossed(whole, 0)
    for name, routing in (("without the guard", folded.unguarded), ("with the guard", folded.guarded)):
        value = saved(whole, routing)["100"]
        found.append(Line(f"ulab, 5 folds, {name}: saved at 100 %", f"{value:.1%}", between(saved_resampled(whole, [routing], "100"))))
    return found


def _scores(table: Table, routing: Routing) -> list[Line]:
    """Against the zero router: the area under the curve, and the best score of RouterArena over all settings."""
    assert routing.good is not None and routing.expected is not None
    cost, quality = table.cost.mean(axis=0), table.score.mean(axis=0)
    curve = by_price(routing.good, routing.expected, table.score, table.cost)
    assert curve.cost is not None
    ends = float(cost.min()), float(cost.max())
    mine, zero = aiq(curve.cost, curve.quality, *ends) or 0.0, aiq(cost, quality, *ends) or 0.0
    corners, heights = concave(cost, quality)
    grid = np.linspace(corners[0], corners[-1], 200)
    coin = max(arena_score(float(q), float(c)) for q, c in zip(np.interp(grid, corners, heights), grid, strict=True))
    best = max(arena_score(float(q), float(c)) for q, c in zip(curve.quality, curve.cost, strict=True))
    return [
        Line("ulab, own split: AIQ", f"{mine:.3f}", "", f"> {zero:.3f}, the zero router", mine > zero),
        Line("ulab, own split: RouterArena's score, best setting", f"{best:.3f}", "", f"> {coin:.3f}, the zero router", best > coin),
        Line("ulab, own split: best single model", table.models[best_of(table)]),
    ]
