"""What the trained scorer costs: one request at a time, one thread. `python -m bench scorer speed`.

A scorer is trained on made questions in forty tasks with twelve models, so that its file has the size of a real one; then it scores texts
of about 50, 200 and 800 tokens, as the gateway has it do. Loading and the file's size are measured beside it."""

from __future__ import annotations

import gc
import os
import random
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.decide import spread
from bench.scorer.lines import Line
from tierline.evaluation.table import Table as Answers
from tierline.evaluation.training.learn import Learning, learn
from tierline.scoring.learned.artifact import encode
from tierline.scoring.learned.design import design
from tierline.scoring.linear import LinearScorer
from tierline.testing import builders
from tierline.types.request import Message, Request, Text

TASKS, MODELS, QUERIES = 40, 12, 3_000
SIZES = (50, 200, 800)
P50_AT_200 = 300.0
"""Microseconds allowed."""
MOST_MB, MOST_LOAD = 10, 0.2


def words(dice: random.Random) -> list[str]:
    return ["".join(dice.choice("etaoinshrdlucmfw") for _ in range(dice.randint(2, 9))) for _ in range(6_000)]


def text(dice: random.Random, vocabulary: list[str], task: int, tokens: int) -> str:
    own = vocabulary[task * 100 : task * 100 + 100]
    return " ".join(dice.choice(own if dice.random() < 0.3 else vocabulary) for _ in range(tokens))


def answers(dice: random.Random, vocabulary: list[str]) -> Answers:
    task = [dice.randrange(TASKS) for _ in range(QUERIES)]
    ability = np.linspace(0.4, 0.95, MODELS)
    hard = np.array([(number % 7) / 8 for number in task])
    chance = np.random.default_rng(1)
    score = (ability + chance.normal(0, 0.2, (QUERIES, MODELS)) > hard[:, None]).astype(float)
    return Answers(
        models=tuple(f"m{number:02}" for number in range(MODELS)),
        query=[str(number) for number in range(QUERIES)],
        task=[f"task {number}" for number in task],
        dataset=["made"] * QUERIES,
        score=score,
        cost=np.tile(np.geomspace(1e-5, 1e-2, MODELS), (QUERIES, 1)),
        output_tokens=chance.integers(20, 400, (QUERIES, MODELS)).astype(float),
        text=[text(dice, vocabulary, number, dice.randint(20, 120)) for number in task],
    )


def lines(console: Console) -> list[Line]:
    """Train, write, load, score."""
    dice = random.Random(5)
    vocabulary = words(dice)
    table = answers(dice, vocabulary)
    artifact = learn(table, design(table.text or (), lambda *_: None), Learning()).artifact
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "scorer.tl")
        path.write_bytes(encode(artifact))
        loaded = builders.loaded({}, {f"m{number:02}": {} for number in range(MODELS)})
        began = time.perf_counter()
        scorer = LinearScorer(loaded, 0.6, os.fspath(path))
        took = time.perf_counter() - began
        size_mb = path.stat().st_size / 1e6
    gc.freeze()
    shown = Table("text, about", "p50 µs", "p95 µs", "mean µs", title="one score, whole: text, features, tasks, models, costs")
    slow = 0.0
    for size in SIZES:
        pairs = []
        for number in range(1_000):
            asked = text(dice, vocabulary, number % TASKS, round(size * 0.6))
            pairs.append((Request(f"r{number}", "openai_chat", "auto", (Message("user", (Text(asked),)),)), builders.features()))
        found = spread([lambda p=pair: scorer.score(*p) for pair in pairs], warm=200)
        shown.add_row(
            f"{size} tokens", f"{statistics.median(found):.0f}", f"{found[int(0.95 * len(found))]:.0f}", f"{statistics.fmean(found):.0f}"
        )
        slow = statistics.median(found) if size == 200 else slow
    console.print(shown)
    what = f"{TASKS} tasks, {MODELS} models"
    return [
        Line(f"{what}: score, p50 at 200 tokens", f"{slow:.0f} µs", "", f"≤ {P50_AT_200:.0f} µs", slow <= P50_AT_200),
        Line(f"{what}: file", f"{size_mb:.1f} MB", "", f"≤ {MOST_MB} MB", size_mb <= MOST_MB),
        Line(f"{what}: load", f"{took * 1000:.0f} ms", "", f"≤ {MOST_LOAD * 1000:.0f} ms", took <= MOST_LOAD),
    ]
