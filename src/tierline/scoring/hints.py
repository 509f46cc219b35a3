"""The scorer that needs no training: a task's `match` hints, and the complexity score as difficulty."""

from __future__ import annotations

from collections.abc import Sequence

from tierline.config.loaded import Loaded
from tierline.types.features import Features
from tierline.types.request import Request
from tierline.types.scores import Scores

NO_TASK = 0.25
"""The weight of `none of them`: one keyword alone makes a task 0.8 likely, a system prompt's glob 0.996."""


class HintScorer:
    """Names the task whose hints were hit, and takes the complexity score for its difficulty. Pure.

    `Features.matches` holds the weighed hits of each task: a keyword counts 1 (no more than 4 in all), a pattern 3 (no more than 6), the
    operation 1 and the system prompt's glob 8. The probability of a task is its hits squared over the sum of all squares and `NO_TASK`.
    It abstains where tasks were hit but none reaches `abstain_below`; where none was hit there is nothing to be unsure about, and
    difficulty decides alone."""

    name = "hints"

    def __init__(self, loaded: Loaded, abstain_below: float) -> None:
        self._tasks = frozenset(name for name, task in loaded.spec.tasks.items() if task.match is not None)
        self._abstain_below = abstain_below

    def score(self, request: Request, features: Features) -> Scores:
        """Beliefs about one request; only its features are read."""
        del request
        hits = {task: count * count for task, count in features.matches.items() if count > 0 and task in self._tasks}
        difficulty = features.complexity.score
        if not hits:
            return Scores(difficulty=difficulty, by=self.name)
        whole = sum(hits.values()) + NO_TASK
        tasks = {task: squared / whole for task, squared in hits.items()}
        return Scores(task=tasks, difficulty=difficulty, abstained=max(tasks.values()) < self._abstain_below, by=self.name)

    def score_many(self, pairs: Sequence[tuple[Request, Features]]) -> Sequence[Scores]:
        """Beliefs about many requests, in the same order."""
        return [self.score(request, features) for request, features in pairs]
