"""ulab_llmrouter in other words (typos, case, white space, a person's words, boilerplate): how often does the scorer flip, and what
does it cost?"""

from __future__ import annotations

import numpy as np
from rich.console import Console

from bench.scorer.lines import Line
from bench.scorer.tables import read_table
from tierline.evaluation.datasets import Dataset
from tierline.evaluation.evaluate import Settings, evaluate
from tierline.evaluation.perturb.of_router import with_robustness
from tierline.evaluation.routers.learned import CrossFit, LearnedRouter
from tierline.evaluation.training.learn import Learning


def lines(console: Console) -> list[Line]:
    """Flips and quality lost, over all kinds and for each, with the guard as it serves and without."""
    table = read_table("ulab_llmrouter")
    fits = CrossFit(Learning())
    routers = [LearnedRouter(fits), LearnedRouter(fits, guard=False, name="unguarded")]
    document = evaluate(Dataset(table, (), (), int(np.isfinite(table.score).sum())), routers, Settings(resamples=100))
    document = with_robustness(document, table, routers)
    found = []
    for router in routers:
        told = document.routers[router.name].robustness
        assert told is not None
        flips, lost = float(told["flip_rate"]), 100.0 * float(told["quality_lost"] or 0.0)
        kinds = ", ".join(f"{kind} {one['flip_rate']:.0%}" for kind, one in told["kinds"].items())
        console.print(f"{router.name}: {flips:.3f} {kinds}", style="dim")
        goals = ("≤ 10 %", flips <= 0.1, "≤ 0.5 points", lost <= 0.5) if router.name == "learned" else ("", None, "", None)
        found.append(Line(f"ulab, other words, {router.name}: flips", f"{flips:.1%}", kinds, goals[0], goals[1]))
        found.append(Line(f"ulab, other words, {router.name}: quality lost", f"{lost:+.2f} points", "", goals[2], goals[3]))
    return found
