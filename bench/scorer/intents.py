"""CLINC150: 150 intents, fifteen examples of each, 4,500 sentences to be told. The scorer's own task classifier does it, as it stands."""

from __future__ import annotations

import importlib.util

import duckdb
import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from bench.scorer.lines import Line, over_seeds
from bench.scorer.tables import folder
from tierline.scoring.learned.design import Design, design
from tierline.scoring.learned.embed import Embedder
from tierline.scoring.learned.fit import silent, tell_tasks

EXAMPLES = 15
SEEDS = 5
GOALS = {False: 0.85, True: 0.92}
_QUERY = "select text, label from read_parquet(?) where dataset = 'clinc150' and split = ? and label <> 'oos'"


def sentences(split: str) -> tuple[list[str], NDArray[np.str_]]:
    """The sentences and intents of one split, without those that are out of scope."""
    rows = duckdb.execute(_QUERY, [str(folder() / "intents.parquet"), split]).fetchall()
    return [text for text, _ in rows], np.array([label for _, label in rows])


def lines(console: Console) -> list[Line]:
    """Accuracy without embeddings, and with them where they are installed."""
    train, train_labels = sentences("train")
    test, test_labels = sentences("test")
    names, train_places = np.unique(train_labels, return_inverse=True)
    test_places = np.searchsorted(names, test_labels)
    picks = [_few(train_places, seed) for seed in range(SEEDS)]
    found = []
    for embed in (False, True) if importlib.util.find_spec("onnxruntime") else (False,):
        model = Embedder() if embed else None
        asked = design(test, silent, model)
        right = []
        for rows in picks:
            given: Design = design([train[row] for row in rows], silent, model)
            told = tell_tasks(given, train_places[rows], len(names), asked)
            right.append(float((told.argmax(axis=1) == test_places).mean()))
            console.print(f"embeddings: {embed}, {right[-1]:.3f}", style="dim")
        mean, goal = float(np.mean(right)), GOALS[embed]
        error = 1.96 * float(np.sqrt(mean * (1 - mean) / len(test)))
        how = "with" if embed else "without"
        found.append(
            Line(
                f"CLINC150, {EXAMPLES} a class, {how} embeddings: accuracy",
                f"{mean:.3f}",
                f"[{mean - error:.3f}, {mean + error:.3f}]; {over_seeds(right)}",
                f"≥ {goal}",
                mean >= goal,
            )
        )
    return found


def _few(places: NDArray[np.intp], seed: int) -> NDArray[np.intp]:
    chance = np.random.default_rng([2026, seed])
    rows: NDArray[np.intp] = np.concatenate(
        [chance.permutation(np.flatnonzero(places == place))[:EXAMPLES] for place in range(int(places.max()) + 1)]
    )
    return rows
