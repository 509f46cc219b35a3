"""A made world with a known truth: three kinds of question, told apart by their words, and models that are good at some of them."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from tierline.config.loaded import Loaded
from tierline.config.scorer_file import ScorerFile, unpack
from tierline.evaluation.table import Table
from tierline.evaluation.training.learn import Learned, Learning, learn
from tierline.scoring.learned.artifact import encode
from tierline.scoring.learned.design import design
from tierline.scoring.learned.fit import silent
from tierline.scoring.linear import LinearScorer
from tierline.testing import builders
from tierline.types.request import Message, Request, Text

MODELS = ("mini", "sonnet", "opus")
COST = (0.0002, 0.003, 0.02)
PASSES = {"orders": (0.97, 0.98, 0.98), "law": (0.25, 0.35, 0.96), "code": (0.3, 0.94, 0.95)}
WORDS = {
    "orders": ["where", "order", "parcel", "delivery", "tracking", "shipped", "arrive", "address", "status", "package"],
    "law": ["statute", "liability", "clause", "warranty", "contract", "court", "tenant", "breach", "damages", "consent"],
    "code": ["function", "pointer", "compile", "recursion", "loop", "python", "async", "thread", "exception", "unittest"],
}
COMMON = ["please", "tell", "me", "about", "the", "a", "my", "this", "what", "does", "is", "it", "with", "for", "and", "can", "you"]


def text(chance: np.random.Generator, task: str) -> str:
    own = chance.choice(WORDS[task], 4)
    words = [*own, *chance.choice(COMMON, 8), str(chance.integers(1000, 9999))]
    chance.shuffle(words)
    return " ".join(map(str, words))


def table(queries: int = 600, seed: int = 3, models: tuple[str, ...] = MODELS) -> Table:
    """Every model measured on every query."""
    chance = np.random.default_rng(seed)
    task = [tuple(PASSES)[number % 3] for number in range(queries)]
    rates = np.array([PASSES[name] for name in task])[:, [MODELS.index(model) for model in models]]
    return Table(
        models=models,
        query=[f"q{number}" for number in range(queries)],
        task=task,
        dataset=["made"] * queries,
        score=(chance.random((queries, len(models))) < rates).astype(float),
        cost=np.tile([COST[MODELS.index(model)] for model in models], (queries, 1)),
        output_tokens=np.tile(np.array([50.0, 100.0, 200.0])[: len(models)], (queries, 1)),
        text=[text(chance, name) for name in task],
    )


def trained(made: Table, how: Learning | None = None) -> Learned:
    return learn(made, design(made.text or (), silent), how or Learning())


@lru_cache(1)
def usual() -> Learned:
    """Trained once on the usual table."""
    return trained(table())


def written(folder: Path, learned: Learned | None = None) -> Path:
    path = folder / "scorer.tl"
    path.write_bytes(encode((learned or usual()).artifact))
    return path


FLEET = {
    "mini": {"tier": "fast", "price": (0.2, 0.8)},
    "sonnet": {"tier": "balanced", "price": (3.0, 15.0)},
    "opus": {"tier": "best", "price": (15.0, 75.0)},
}


def loaded(*tasks: str) -> Loaded:
    return builders.loaded({"tasks": {name: {"why": "w"} for name in tasks}}, FLEET)


def scorer(path: Path, *tasks: str, abstain_below: float = 0.6) -> LinearScorer:
    return LinearScorer(loaded(*tasks), abstain_below, str(path))


def request(words: str) -> Request:
    return Request("r-1", "openai_chat", "auto", (Message("user", (Text(words),)),))


def unpacked(content: bytes) -> ScorerFile:
    return unpack(content, "scorer.tl")
