"""zeroeval (29 models that answered everything) and mmlu_pro (29), five folds: saved at 99 % of the best single model's quality."""

from __future__ import annotations

import numpy as np
from rich.console import Console

from bench.scorer.lines import Line, between, over_seeds
from bench.scorer.tables import crossed, read_table, saved, saved_resampled

GOALS = {"zeroeval": (0.35, 5, ("complete",)), "mmlu_pro": (0.38, 2, ())}
"""The goal, the seeds of the folds, and which models."""


def lines(console: Console) -> list[Line]:
    """Without the guard against the goal, and with it."""
    found = []
    for name, (wanted, seeds, models) in GOALS.items():
        table = read_table(name, models=models)
        told = []
        for seed in range(seeds):
            told.append(crossed(table, seed))
            console.print(f"{name}, seed {seed}: {saved(table, told[-1].unguarded)}", style="dim")
        for how, routings in (("", [one.unguarded for one in told]), (", with the guard", [one.guarded for one in told])):
            values = [saved(table, one)["99"] for one in routings]
            mean, drawn = float(np.mean(np.nan_to_num(values))), between(saved_resampled(table, routings[:2], "99"))
            goal, met = (f"≥ {wanted:.0%}", mean >= wanted) if not how else ("", None)
            found.append(Line(f"{name}, 5 folds{how}: saved at 99 %", f"{mean:.1%}", f"{drawn}; {over_seeds(values)}", goal, met))
    return found
