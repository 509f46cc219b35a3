"""The trained scorer at work: reads its file once, then believes things about requests with NumPy alone.

On a task that its training could not show to be worth routing (`route: false` in its card) it abstains: it believes of each model its pass
rate over all tasks and nothing else, and what it abstains on goes up.

Its tasks are those of the training data. One that the spec has too is named as the request's task where it is the likeliest, and not below
`abstain_below`; one that the spec has not only shapes the pass rates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tierline.config.loaded import Loaded
from tierline.config.scorer_file import ScorerUnusable, read_scorer
from tierline.scoring.learned.artifact import Artifact, decode
from tierline.scoring.learned.asked import asked
from tierline.scoring.learned.beliefs import CAUTION, Beliefs, believe
from tierline.scoring.learned.embed import embedder
from tierline.types.features import Features
from tierline.types.request import Request
from tierline.types.scores import Scores

LEAST_TASK = 0.02
"""Tasks of less probability are not told: a row of the log has to stay small."""


class LinearScorer:
    """Names task, difficulty and P(good enough), cost and latency of every model of the spec that the file knows. Pure once it is made.

    A model of the spec is one of the file when its name or its upstream name (`model:`) is. Raises ScorerUnusable when the file cannot be
    used or knows no model of the spec."""

    name = "linear"

    def __init__(self, loaded: Loaded, abstain_below: float, artifact: str) -> None:
        path = loaded.path.parent / artifact
        self._artifact = decode(read_scorer(path), path.name)
        self._embed = embedder(self._artifact.fitted.embedder) if self._artifact.fitted.embedder else None
        self._abstain_below = abstain_below
        known = {name: place for place, name in enumerate(self._artifact.fitted.models)}
        self._models = {
            name: known[name if name in known else model.upstream]
            for name, model in loaded.models.items()
            if name in known or model.upstream in known
        }
        if not self._models:
            raise ScorerUnusable(
                f"the scorer {path.name} knows no model of the spec: it knows {', '.join(list(known)[:8])} "
                f"→ train it on answers of {', '.join(list(loaded.models)[:8])}"
            )
        self._named = [(place, task) for place, task in enumerate(self._artifact.fitted.tasks) if task in loaded.spec.tasks]
        self._prices = {name: loaded.models[name].price for name in self._models}
        self._overall = _overall(self._artifact, self._models)

    def score(self, request: Request, features: Features) -> Scores:
        """Beliefs about one request; its last turn and its count of input tokens are read."""
        fitted = self._artifact.fitted
        text = asked(request)
        told = believe(fitted, text, None if self._embed is None else self._embed.one(text))
        place = int(told.task[0].argmax())
        chances = told.task[0].tolist()
        task = {name: round(chances[k], 4) for k, name in self._named if chances[k] >= LEAST_TASK}
        if fitted.tasks[place] not in task:
            task = {}
        if not self._artifact.route[place]:
            return Scores(task=task, good=self._overall, abstained=True, by=self.name)
        bound = told.bound[0].tolist()
        return Scores(
            task=task,
            difficulty=round(float(told.difficulty[0]), 4),
            good={name: round(bound[m], 6) for name, m in self._models.items()},
            cost=self._costs(told, features),
            latency=self._amounts(told, "latency"),
            abstained=bool(task) and chances[place] < self._abstain_below,
            by=self.name,
        )

    def score_many(self, pairs: Sequence[tuple[Request, Features]]) -> Sequence[Scores]:
        """Beliefs about many requests, in the same order."""
        return [self.score(request, features) for request, features in pairs]

    def _costs(self, told: Beliefs, features: Features) -> Mapping[str, float]:
        """USD of a call: the spec's prices on the tokens that are expected of each model; where it has no price, what was measured."""
        tokens, measured = told.amounts.get("output_tokens"), told.amounts.get("cost")
        costs = {}
        for name, m in self._models.items():
            price = self._prices[name]
            if price.known and tokens is not None and np.isfinite(tokens[0, m]):
                costs[name] = round(price.cost(features.input_tokens, round(float(tokens[0, m]))), 9)
            elif not price.known and measured is not None and np.isfinite(measured[0, m]):
                costs[name] = round(float(measured[0, m]), 9)
        return costs

    def _amounts(self, told: Beliefs, kind: str) -> Mapping[str, float]:
        cells = told.amounts.get(kind)
        if cells is None:
            return {}
        return {name: round(float(cells[0, m]), 4) for name, m in self._models.items() if np.isfinite(cells[0, m])}


def _overall(artifact: Artifact, models: Mapping[str, int]) -> dict[str, float]:
    """A model's pass rate over all tasks, less its standard errors."""
    rate, many = artifact.fitted.overall, np.maximum(artifact.fitted.labels.sum(axis=0), 1.0)
    bound = np.maximum(rate - CAUTION * np.sqrt(rate * (1.0 - rate) / many), 0.0)
    return {name: round(float(bound[m]), 6) for name, m in models.items()}
