"""How much do labels buy, and does the guard keep few of them from doing harm?

The curve: trained on 50, 200, 500 and 1,000 labelled queries of ulab_llmrouter, as it would serve and without the guard, measured on
all others by the advantage over the mix of the same cost. That mix is of the models which the same labels call best (the zero router
that one would have without a scorer): which model is best is no more known from few labels than anything else. The guard: fifty
random samples of 150 queries, each trained and measured in the same way; a one-sided paired test a sample, Holm-corrected over the
fifty."""

from __future__ import annotations

import math

import numpy as np
from rich.console import Console

from bench.scorer.lines import Line
from bench.scorer.tables import best_of, read_table
from tierline.evaluation.metrics.hull import Hull, hull
from tierline.evaluation.routers.learned import ArtifactRouter
from tierline.evaluation.routers.routing import silent
from tierline.evaluation.table import Table
from tierline.evaluation.training.guard import gains
from tierline.evaluation.training.learn import Learning, learn
from tierline.scoring.learned.design import Design, design

SIZES = (50, 200, 500, 1_000)
SEEDS, SAMPLES = 4, 50
SMALL = range(100, 600, 10)
"""Labelled queries of each of the samples."""
LEVEL = 0.05


def _trial(table: Table, data: Design, size: int, seed: int) -> dict[bool, tuple[float, float, float]]:
    """With and without the guard: the advantage, its standard error, and the share of queries that the guard refused."""
    order = np.random.default_rng([size, seed]).permutation(len(table.query))
    given = table.take(order[:size])
    artifact = learn(given, data.take(order[:size]), Learning(seed=seed)).artifact
    rest = table.take(order[size:])
    rows, found = np.arange(len(rest.query)), {}
    corners = sorted(hull(given.cost.mean(axis=0), given.score.mean(axis=0)).models, key=lambda m: float(rest.cost[:, m].mean()))
    single = Hull(
        tuple(corners), tuple(float(rest.cost[:, m].mean()) for m in corners), tuple(float(rest.score[:, m].mean()) for m in corners)
    )
    for guard in (True, False):
        router = ArtifactRouter(artifact, "learned", guard)
        told = router.of(rest, data.take(order[size:]))
        assert told.choice is not None
        over = gains(rest.score[rows, told.choice], rest.cost[rows, told.choice], rest.score, rest.cost, single, best_of(rest))
        found[guard] = float(over.mean()), float(over.std(ddof=1) / np.sqrt(len(over))), router.refused
    return found


def lines(console: Console) -> list[Line]:
    """The curve, then the fifty samples."""
    table = read_table("ulab_llmrouter")
    data = design(table.text or (), silent)
    found = []
    for size in SIZES:
        told = [_trial(table, data, size, seed) for seed in range(SEEDS)]
        served, bare = ([one[guard][0] for one in told] for guard in (True, False))
        console.print(f"{size}: {np.mean(served):.4f}, {np.mean(bare):.4f}", style="dim")
        found.append(
            Line(
                f"ulab, {size} labelled queries: advantage without the guard / as served",
                f"{100 * np.mean(bare):+.2f} / {100 * np.mean(served):+.2f} points",
                f"seeds {100 * min(bare):+.2f} – {100 * max(bare):+.2f}; refused {np.mean([one[True][2] for one in told]):.0%}",
            )
        )
    small = [_trial(table, data, size, 1_000 + seed) for seed, size in enumerate(SMALL)]
    for guard in (True, False):
        scores = sorted(one[guard][0] / max(one[guard][1], 1e-12) for one in small)
        harmed = _holm([_below(score) for score in scores])
        means = [one[guard][0] for one in small]
        found.append(
            Line(
                f"ulab, {SAMPLES} samples of 100 – 590, {'as served' if guard else 'no guard'}: significantly below the zero router",
                f"{harmed} of {SAMPLES}",
                f"advantage {100 * min(means):+.2f} – {100 * max(means):+.2f} points",
                "0" if guard else "",
                harmed == 0 if guard else None,
            )
        )
    return found


def _below(score: float) -> float:
    """The chance of so low a score where nothing is lost."""
    return 0.5 * math.erfc(-score / math.sqrt(2.0))


def _holm(chances: list[float]) -> int:
    """How many are rejected (Holm 1979)."""
    rejected = 0
    for place, chance in enumerate(sorted(chances)):
        if chance > LEVEL / (len(chances) - place):
            break
        rejected += 1
    return rejected
