"""Set for 98 % of the best single model's quality on one half, measured on the other, over many splits: is the target met?

Predictions are out of fold. The price is the cheapest one whose quality on the first half keeps the target by a margin of `CAUTION`
standard errors."""

from __future__ import annotations

import numpy as np
from rich.console import Console

from bench.scorer.lines import Line
from bench.scorer.tables import best_of, crossed, read_table
from tierline.evaluation.training.learn import cautious_price

TARGET, SLACK, SPLITS = 0.98, 0.005, 200
CAUTION = 1.645
"""Standard errors: a one-sided interval of 95 %; `tierline train --sure 1.645` chooses in the same way."""
TABLES = {"ulab_llmrouter": (), "zeroeval": ("complete",), "routellm_mmlu": ()}


def lines(console: Console) -> list[Line]:
    """A line a table."""
    found = []
    for name, models in TABLES.items():
        table = read_table(name, models=models)
        told = crossed(table, 0).unguarded
        assert told.good is not None and told.expected is not None
        chance, kept, spared = np.random.default_rng(7), [], []
        for _ in range(SPLITS):
            first = chance.permutation(len(table.query))
            here, there = first[: len(first) // 2], first[len(first) // 2 :]
            part = table.take(here)
            best = best_of(part)
            price = cautious_price(told.good[here], told.expected[here], part.score, part.cost, best, TARGET, CAUTION)
            worth = told.good[there] - price * told.expected[there]
            chosen = worth.argmax(axis=1)
            quality, cost = table.score[there, chosen].mean(), table.cost[there, chosen].mean()
            kept.append(float(quality / table.score[there, best].mean()))
            spared.append(1.0 - float(cost / table.cost[there, best].mean()))
        met = float(np.mean(np.array(kept) >= TARGET - SLACK))
        console.print(f"{name}: met {met:.3f}, saved {np.mean(spared):.3f}", style="dim")
        found.append(
            Line(
                f"{name}: set for {TARGET:.0%} of best single, met on the other half",
                f"{met:.1%} of splits",
                f"kept {np.quantile(kept, 0.05):.3f} – {np.quantile(kept, 0.95):.3f}; saved {np.mean(spared):.1%}",
                "≥ 90 %",
                met >= 0.9,
            )
        )
    return found
