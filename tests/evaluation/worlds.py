"""A small made world with a known truth: easy and hard questions, a cheap and a dear model (and one that nobody needs)."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tierline.evaluation.datasets import Dataset, Reading, read

MODELS = ("mini", "opus", "waste")
COST = {"mini": 0.001, "opus": 0.02, "waste": 0.03}
PASSES = {"mini": {"easy": 0.95, "hard": 0.35}, "opus": {"easy": 0.96, "hard": 0.85}, "waste": {"easy": 0.5, "hard": 0.5}}

Rows = list[dict[str, Any]]


def world(queries: int = 400, seed: int = 7, models: Sequence[str] = MODELS) -> Rows:
    """Tidy rows. A hard question's prompt says that it is hard, in more words."""
    chance = np.random.default_rng(seed)
    rows: Rows = []
    for number in range(queries):
        task = "hard" if number % 2 else "easy"
        text = f"Question {number}: " + ("prove, step by step and with every case, that it holds" if task == "hard" else "what is it?")
        for model in models:
            score = float(chance.random() < PASSES[model][task])
            cost = COST[model] * float(chance.uniform(0.9, 1.1))
            rows.append({"query_id": f"q{number:04d}", "query": text, "task": task, "model": model, "score": score, "cost_usd": cost})
    return rows


def write_jsonl(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def write_csv(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    with path.open("w", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def tidy(folder: Path, rows: Rows | None = None) -> Path:
    return write_jsonl(folder / "answers.jsonl", world() if rows is None else rows)


def dataset(folder: Path, rows: Rows | None = None, how: Reading | None = None) -> Dataset:
    return read([tidy(folder, rows)], how)


def kinds(found: Dataset) -> dict[str, str]:
    """What was found, by kind."""
    return {finding.kind: finding.message for finding in found.findings}


SPEC = """
version: 1
providers: {acme: {base_url: "http://127.0.0.1:9/v1"}}
tiers: [fast, best]
models:
  mini: {provider: acme, tier: fast, price: {input: 0.1, output: 0.4}}
  strong: {provider: acme, model: opus, tier: best, price: {input: 5, output: 20}}
tasks:
  proofs: {why: They need the strong model., match: {keywords: [prove]}, models: [strong]}
routes:
  auto: {}
"""
"""A spec that knows a hard question by its words: the planted good router."""


def spec(folder: Path, text: str = SPEC) -> Path:
    path = folder / "tierline.yaml"
    path.write_text(text)
    return path
