"""RouteLLM's two tables, five folds: how much of the gap between a weak and a strong model is recovered, with and without embeddings."""

from __future__ import annotations

import importlib.util

import numpy as np
from rich.console import Console

from bench.scorer.lines import Line, between, over_seeds
from bench.scorer.tables import RESAMPLES, best_of, crossed, read_table
from tierline.evaluation.metrics.bootstrap import Floats
from tierline.evaluation.metrics.curve import by_threshold
from tierline.evaluation.metrics.gap import apgr, cpt
from tierline.evaluation.table import Table

GOALS = {"routellm_mmlu": (0.69, 26.0, 3), "routellm_gsm8k": (0.65, 32.0, 10)}
"""APGR, CPT50 and the seeds of the folds."""


def gap_figures(table: Table, score: Floats, rows: Floats | None = None) -> tuple[float, float]:
    """APGR, and CPT50 in percent, over some of the rows."""
    strong = best_of(table)
    weak, strong_cells = table.score[:, 1 - strong], table.score[:, strong]
    places = np.arange(len(score)) if rows is None else rows
    curve = by_threshold(score[places], weak[places], strong_cells[places], None, None)
    return float(apgr(curve) or 0.0), 100.0 * float(cpt(curve, 0.5) or 0.0)


def lines(console: Console) -> list[Line]:
    """Two lines a table, again with the embedding extra where it is installed."""
    found = []
    extras = (False, True) if importlib.util.find_spec("onnxruntime") else (False,)
    for name, (wanted, share, seeds) in GOALS.items():
        table = read_table(name)
        strong = best_of(table)
        for embed in extras:
            scores = []
            for seed in range(seeds):
                told = crossed(table, seed, embed).unguarded
                assert told.good is not None
                scores.append(told.good[:, strong] - told.good[:, 1 - strong])
            points = np.array([gap_figures(table, score) for score in scores])
            chance = np.random.default_rng(1)
            drawn = [chance.integers(0, len(table.query), len(table.query)) for _ in range(RESAMPLES // 4)]
            again = np.array([np.mean([gap_figures(table, score, rows) for score in scores[:3]], axis=0) for rows in drawn])
            mean, how = points.mean(axis=0), f"{name}, 5 folds, {'with' if embed else 'without'} embeddings"
            found.append(
                Line(
                    f"{how}: APGR",
                    f"{mean[0]:.3f}",
                    f"{between(again[:, 0])}; {over_seeds(points[:, 0])}",
                    f"≥ {wanted}",
                    mean[0] >= wanted,
                )
            )
            found.append(
                Line(
                    f"{how}: CPT50",
                    f"{mean[1]:.1f} %",
                    f"{between(again[:, 1], 1)}; {over_seeds(points[:, 1], 1)}",
                    f"≤ {share:.0f} %",
                    mean[1] <= share,
                )
            )
            console.print(f"{how}: APGR {mean[0]:.3f}, CPT50 {mean[1]:.1f}", style="dim")
    return found
