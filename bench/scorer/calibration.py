"""Calibration of every model's predicted pass rate, out of fold.

A perfectly calibrated predictor has an ECE above zero by chance alone, the more so the fewer queries. So scores are drawn from the
predictions themselves many times: the mean ECE of those is taken off (debiased), and their 95 % quantile is the band's end. Scores
between 0 and 1 are drawn as coins too, which makes the band no narrower than it is for right and wrong."""

from __future__ import annotations

import numpy as np
from rich.console import Console

from bench.scorer.lines import Line
from bench.scorer.tables import crossed, read_table
from tierline.evaluation.metrics.bootstrap import Floats
from tierline.evaluation.metrics.calibration import reliability

DRAWS = 200
LIMIT = 0.02
TABLES = {"routellm_gsm8k": (), "routellm_mmlu": (), "ulab_llmrouter": (), "zeroeval": ("complete",), "mmlu_pro": ()}


def judged(predicted: Floats, actual: Floats, chance: np.random.Generator) -> tuple[float, float, bool]:
    """ECE, debiased ECE, and whether it is at most `LIMIT` or inside the band."""
    told = reliability(predicted, actual)
    assert told is not None
    by_chance = []
    for _ in range(DRAWS):
        drawn = reliability(predicted, (chance.random(len(predicted)) < predicted).astype(float))
        assert drawn is not None
        by_chance.append(drawn.ece)
    debiased = max(0.0, told.ece - float(np.mean(by_chance)))
    return told.ece, debiased, debiased <= LIMIT or told.ece <= float(np.quantile(by_chance, 0.95))


def lines(console: Console) -> list[Line]:
    """A line a table: how many models hold, and the worst."""
    found = []
    for name, models in TABLES.items():
        table = read_table(name, models=models)
        good = crossed(table, 0).unguarded.good
        assert good is not None
        chance = np.random.default_rng(3)
        told = [judged(good[:, m], table.score[:, m], chance) for m in range(len(table.models))]
        worst = max(range(len(told)), key=lambda m: told[m][1])
        held = sum(one[2] for one in told)
        console.print(f"{name}: {held} of {len(told)}", style="dim")
        found.append(
            Line(
                f"{name}: models calibrated (debiased ECE ≤ {LIMIT}, or inside the band)",
                f"{held} of {len(told)}",
                f"worst debiased {told[worst][1]:.3f} ({table.models[worst]}); mean ECE {np.mean([one[0] for one in told]):.3f}",
                "all",
                held == len(told),
            )
        )
    return found
