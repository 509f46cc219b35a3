"""zeroeval, the scorer together with the agreement cascade, against Claude-3.5-Sonnet alone.

Two cheap models are asked; when their answers agree, the answer is taken. The scorer, trained on the other folds, decides before that
whether the second opinion is worth it at all (the cheap model is believed alone above a threshold), and where the two disagree, which
of the dear models is asked. The thresholds are chosen on the other half of the folds' queries, so quality and cost are out of
sample."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from bench.scorer.lines import Line, between, over_seeds
from bench.scorer.tables import RESAMPLES, crossed, read_table
from bench.zeroeval import FLEET, questions, table_path
from tierline.evaluation.metrics.bootstrap import Floats
from tierline.evaluation.table import Table
from tierline.validators.normalise import normalised_all

CHEAP, SECOND, DEAR = "mini", "deepseek", "sonnet"
SEEDS = 3
CAUTION = 1.0
ALONE = (*np.arange(0.8, 1.0, 0.01), 1.01)
STRAIGHT = (-1.0, *np.arange(0.05, 0.6, 0.05))


def lines(console: Console) -> list[Line]:
    """Share of the dear model's cost saved, and the quality against it."""
    source = table_path()
    if source is None:
        raise SystemExit("zeroeval.parquet is not there: set TIERLINE_DATA to the folder that holds it")
    table = read_table("zeroeval", models=tuple(upstream for upstream, *_ in FLEET.values()))
    agreed = _agreed(table, {one.id: one.answers for one in questions(source)})
    places = [table.models.index(FLEET[name][0]) for name in (CHEAP, SECOND, DEAR)]
    quality, cost, gains, shares = [], [], [], []
    for seed in range(SEEDS):
        good = crossed(table, seed).unguarded.good
        assert good is not None
        q, c = _crossed(table, places, good, agreed, seed)
        quality.append(q), cost.append(c)
        gains.append(float((q - table.score[:, places[2]]).mean()))
        shares.append(1.0 - float(c.sum() / table.cost[:, places[2]].sum()))
        console.print(f"seed {seed}: {gains[-1]:+.4f} quality, {shares[-1]:.1%} saved", style="dim")
    q, c, alone, paid = np.mean(quality, axis=0), np.mean(cost, axis=0), table.score[:, places[2]], table.cost[:, places[2]]
    chance, n = np.random.default_rng(1), len(alone)
    drawn = [chance.integers(0, n, n) for _ in range(RESAMPLES)]
    gain, share = float(np.mean(gains)), float(np.mean(shares))
    plain = np.where(agreed, table.score[:, places[0]], alone)
    plain_cost = table.cost[:, places[0]] + table.cost[:, places[1]] + np.where(agreed, 0.0, paid)
    return [
        Line(
            "zeroeval, scorer + agreement: saved against Sonnet alone",
            f"{share:.1%}",
            f"{between([1 - float(c[r].sum() / paid[r].sum()) for r in drawn])}; {over_seeds(shares)}",
            "≥ 55 %",
            share >= 0.55,
        ),
        Line(
            "  its quality, in points over Sonnet alone",
            f"{100 * gain:+.2f}",
            f"{between([100 * float((q - alone)[r].mean()) for r in drawn], 2)}; {over_seeds([100 * one for one in gains], 2)}",
            "≥ 0",
            gain >= 0,
        ),
        Line(
            "  agreement alone: saved, points",
            f"{1 - float(plain_cost.sum() / paid.sum()):.1%}, {100 * float((plain - alone).mean()):+.2f}",
        ),
    ]


def _agreed(table: Table, answers: dict[str, object]) -> NDArray[np.bool_]:
    """Where the two cheap models say the same, by their words alone."""
    found = []
    for query in table.query:
        mine = answers[query]
        one, other = normalised_all((mine[CHEAP], mine[SECOND]), "auto")  # type: ignore[index]
        found.append(one is not None and one == other)
    return np.array(found)


def _crossed(table: Table, places: list[int], good: Floats, agreed: NDArray[np.bool_], seed: int) -> tuple[Floats, Floats]:
    """Quality and cost of each query, its thresholds chosen on the other half: the cheapest that keep the dear model's quality there
    by some standard errors; where none do, the best."""
    half = np.array([hashlib.sha256(f"{seed}/{query}".encode()).digest()[0] % 2 for query in table.query])
    tried = [_routed(table, places, good, agreed, alone, straight) for alone in ALONE for straight in STRAIGHT]
    quality, cost = np.zeros(len(half)), np.zeros(len(half))
    for side in (0, 1):
        inside, others = half == side, half != side
        keeps = []
        for number, (q, c) in enumerate(tried):
            over = q[others] - table.score[others, places[2]]
            sure = float(over.mean()) >= CAUTION * float(over.std(ddof=1)) / np.sqrt(len(over))
            keeps.append((not sure, float(c[others].mean()) if sure else -float(over.mean()), number))
        q, c = tried[min(keeps)[2]]
        quality[inside], cost[inside] = q[inside], c[inside]
    return quality, cost


def _routed(
    table: Table, places: list[int], good: Floats, agreed: NDArray[np.bool_], alone: float, straight: float
) -> tuple[Floats, Floats]:
    """Believed alone above `alone`; below `straight` the dear model is asked at once; between them the second opinion decides."""
    cheap, second, dear = places
    believed, given_up = good[:, cheap] >= alone, good[:, cheap] < straight
    two = ~believed & ~given_up
    up = given_up | (two & ~agreed)
    quality = np.where(up, table.score[:, dear], table.score[:, cheap])
    cost = (
        np.where(given_up, 0.0, table.cost[:, cheap]) + np.where(two, table.cost[:, second], 0.0) + np.where(up, table.cost[:, dear], 0.0)
    )
    return quality, cost
