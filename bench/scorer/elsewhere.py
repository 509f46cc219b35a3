"""Away from home: a task that was never seen in training (ulab_llmrouter, each of its tasks left out), and another data set altogether
(trained on RouteLLM's MMLU, asked GSM8K, and the other way round; questions in common are not there)."""

from __future__ import annotations

import numpy as np
from rich.console import Console

from bench.scorer.lines import Line
from bench.scorer.pairs import gap_figures
from bench.scorer.tables import best_of, read_table, saved
from tierline.evaluation.routers.learned import ArtifactRouter
from tierline.evaluation.routers.routing import Routing, silent
from tierline.evaluation.training.learn import Learning, fingerprints, learn
from tierline.scoring.learned.design import design


def lines(console: Console) -> list[Line]:
    """Reported, without a goal."""
    return [*_tasks(console), *_sets()]


def _tasks(console: Console) -> list[Line]:
    table = read_table("ulab_llmrouter")
    data, task = design(table.text or (), silent), np.array(table.task)
    good, expected = np.zeros_like(table.score), np.zeros_like(table.score)
    for name in sorted(set(table.task)):
        inside, others = np.flatnonzero(task == name), np.flatnonzero(task != name)
        artifact = learn(table.take(others), data.take(others), Learning()).artifact
        told = ArtifactRouter(artifact, "unguarded", guard=False).of(table.take(inside), data.take(inside))
        assert told.good is not None and told.expected is not None
        good[inside], expected[inside] = told.good, told.expected
        console.print(name, style="dim")
    kept = saved(table, Routing(good=good, expected=expected))
    return [Line("ulab, leave one task out: saved at 100 / 99 / 95 %", " / ".join(f"{kept[level]:.0%}" for level in ("100", "99", "95")))]


def _sets() -> list[Line]:
    found = []
    for home, away in (("routellm_mmlu", "routellm_gsm8k"), ("routellm_gsm8k", "routellm_mmlu")):
        train, test = read_table(home), read_table(away)
        fresh = ~np.isin(fingerprints(test.text or ()), fingerprints(train.text or ()))
        test = test.take(fresh)
        artifact = learn(train, design(train.text or (), silent), Learning()).artifact
        told = ArtifactRouter(artifact, "unguarded", guard=False).of(test, design(test.text or (), silent))
        assert told.good is not None
        strong = best_of(test)
        share, half = gap_figures(test, told.good[:, strong] - told.good[:, 1 - strong])
        found.append(Line(f"trained on {home}, asked {away}: APGR, CPT50", f"{share:.3f}, {half:.0f} %", "a coin: 0.500, 50 %"))
    return found
