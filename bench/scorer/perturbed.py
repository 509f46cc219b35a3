"""ulab_llmrouter in other words (typos, case, white space, a person's words, boilerplate): how often does the scorer flip, and what
does it cost?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from rich.console import Console

from bench.scorer.lines import Line, over_seeds
from bench.scorer.tables import read_table
from tierline.evaluation.datasets import Dataset
from tierline.evaluation.evaluate import Settings, evaluate
from tierline.evaluation.perturb.of_router import with_robustness
from tierline.evaluation.routers.learned import CrossFit, LearnedRouter
from tierline.evaluation.table import Table
from tierline.evaluation.training.learn import Learning


SEEDS = 3
"""Of the folds and of the words."""


def lines(console: Console) -> list[Line]:
    """Flips and quality lost, over all kinds and for each, with the guard as it serves and without."""
    table = read_table("ulab_llmrouter")
    told = [_told(table, seed, console) for seed in range(SEEDS)]
    found = []
    for name in told[0]:
        flips = [float(one[name]["flip_rate"]) for one in told]
        lost = [100.0 * float(one[name]["quality_lost"] or 0.0) for one in told]
        kinds = ", ".join(
            f"{kind} {np.mean([one[name]['kinds'][kind]['flip_rate'] for one in told]):.0%}" for kind in told[0][name]["kinds"]
        )
        mean, points = float(np.mean(flips)), float(np.mean(lost))
        goals = ("≤ 10 %", mean <= 0.1, "≤ 0.5 points", points <= 0.5) if name == "learned" else ("", None, "", None)
        found.append(Line(f"ulab, other words, {name}: flips", f"{mean:.1%}", f"{over_seeds(flips)}; {kinds}", goals[0], goals[1]))
        found.append(Line(f"ulab, other words, {name}: quality lost", f"{points:+.2f} points", over_seeds(lost, 2), goals[2], goals[3]))
    return found


def _told(table: Table, seed: int, console: Console) -> dict[str, Mapping[str, Any]]:
    """The robustness of each router."""
    fits = CrossFit(Learning(seed=seed))
    routers = [LearnedRouter(fits), LearnedRouter(fits, guard=False, name="unguarded")]
    document = evaluate(Dataset(table, (), (), int(np.isfinite(table.score).sum())), routers, Settings(seed=seed, resamples=100))
    document = with_robustness(document, table, routers)
    found = {router.name: document.routers[router.name].robustness or {} for router in routers}
    console.print(f"seed {seed}: " + ", ".join(f"{name} {one['flip_rate']:.3f}" for name, one in found.items()), style="dim")
    return found
