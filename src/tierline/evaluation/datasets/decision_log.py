"""The decision log as data: what was answered, at which cost, and how good it was where anybody said so.

A request is a query; every answer that somebody judged is a cell, a shadow's too. No other model's score is ever inferred.

To be looked at, the score of an answer is the word of the source that counts first (`labels.combine.RANK`): golden sets, reviews,
feedback, a validated judge, then whether its checks passed it. To be learned from, it is what follows from all labels together,
weighted by trust; and answers that were asked for because another was not good enough are left aside: they stand for hard requests
only, and would make the model that is climbed to look worse than it is."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from tierline.evaluation.document import Cascade
from tierline.evaluation.labels.combine import Combined, combine
from tierline.evaluation.labels.heard import Answer, Row, heard
from tierline.evaluation.labels.trust import Trusts
from tierline.evaluation.labels.view import Labels, standing
from tierline.evaluation.table import Cells

MAGIC = b"SQLite format 3\x00"
GOOD = 0.5
"""A judged answer counts as good from this score on."""
BY_CHECKS = frozenset({"", "validator", "judge"})
"""Sources that are no word on what the checks themselves have let pass."""


class Heard(msgspec.Struct, frozen=True):
    """The labels behind the cells: how many of each source, the answers on which trusted sources disagree, those that no trusted source
    spoke of (`unheard`), and how the cells came: from `shadows`, from `explored` choices (propensity below one, `explored_weight` being
    what they stand for: the sum of 1 / propensity), and `left_aside`, because another answer was not good enough."""

    sources: Mapping[str, int]
    conflicts: int
    unheard: int
    shadows: int
    explored: int
    explored_weight: float
    left_aside: int


class Logged(msgspec.Struct, frozen=True):
    """What a log shows of the requests that models answered: `quality` (NaN where nobody judged the answer), USD and seconds of each, the
    number of answers by model, what escalation did, and whose labels these are."""

    quality: Cells
    cost: Cells
    latency: Cells
    models: Mapping[str, int]
    cascade: Cascade
    heard: Heard


class LoggedRequests:
    """Reads a log: `rows` yields its cells, and `told` has the rest when they are through. `learning`: scores to learn from; `trust` is a
    team's own word on how far sources are trusted."""

    def __init__(self, path: Path, *, learning: bool = False, trust: Mapping[str, float] | None = None) -> None:
        self._path = path
        self._learning = learning
        self._trust = trust or {}
        self._quality, self._cost, self._latency = array("d"), array("d"), array("d")
        self._models: Counter[str] = Counter()
        self._escalated = self._fell_back = self._flagged = 0
        self._wasted = self._added = 0.0
        self._judged = self._good = 0
        self._sources: Counter[str] = Counter()
        self._kinds: Counter[str] = Counter()
        self._explored_weight = 0.0

    def rows(self) -> Iterator[dict[str, Any]]:
        """One mapping with canonical columns for each answer; raises LogFailure when the file cannot be read."""
        labels = Labels(self._path, self._trust) if self._learning else None
        trusts = Trusts({}, standing(self._path), self._trust) if labels is None else labels.trusts
        for row in heard(self._path):
            given: tuple[float | None, str] = (None, "")
            for answer in row.answers:
                combined = combine(answer.labels, answer.task, trusts) if labels is None else labels.of(answer)
                if answer.given:
                    given = combined.said, combined.source
                score = self._score(answer, combined)
                if not self._learning or (score is not None and not answer.after_failure):
                    yield _cell(answer, score, self._path.stem)
            self._count(row, *given)

    def told(self) -> Logged | None:
        """None while no model answered any request."""
        many = len(self._quality)
        if not many:
            return None
        cascade = Cascade(
            requests=many,
            escalation_rate=self._escalated / many,
            fallback_rate=self._fell_back / many,
            flagged_rate=self._flagged / many,
            accept_precision=self._good / self._judged if self._judged else None,
            judged=self._judged,
            wasted_cost=self._wasted / many,
            added_latency=self._added / many,
        )
        whose = Heard(
            dict(self._sources),
            self._kinds["conflict"],
            self._kinds["unheard"],
            self._kinds["shadow"],
            self._kinds["explored"],
            self._explored_weight,
            self._kinds["left_aside"],
        )
        return Logged(np.array(self._quality), np.array(self._cost), np.array(self._latency), dict(self._models), cascade, whose)

    def _score(self, answer: Answer, combined: Combined) -> float | None:
        """The answer's score; what lies behind it is counted."""
        score = combined.score if self._learning else combined.said
        if not answer.labels:
            return None
        kinds = self._kinds
        if score is None:
            kinds["unheard"] += 1
            return None
        if answer.after_failure:
            kinds["left_aside"] += 1
        else:
            self._sources.update({voice.partition(":")[0] for voice, _, trust in combined.voices if trust.value > 0.0})
            kinds["conflict"] += combined.conflict
            kinds["shadow"] += answer.way == "shadow"
            if answer.propensity < 1.0 and answer.way == "first":
                kinds["explored"] += 1
                self._explored_weight += 1.0 / max(answer.propensity, 1e-6)
        return score

    def _count(self, row: Row, said: float | None, source: str) -> None:
        winner, tried = row.winner, row.tried
        if winner is None:
            return
        self._models[tried[winner].target] += 1
        self._quality.append(math.nan if said is None else said)
        self._cost.append(row.cost)
        self._latency.append(row.latency)
        self._escalated += row.escalations > 0
        self._fell_back += row.fallbacks > 0
        self._flagged += row.flagged
        for index, attempt in enumerate(tried):
            if index != winner:
                self._wasted += attempt.cost
                in_line = attempt.cause not in ("hedge", "branch") and index < winner
                self._added += attempt.elapsed + attempt.wait if in_line else 0.0
        if said is not None and source not in BY_CHECKS and tried[winner].verdicts and not row.flagged:
            self._judged += 1
            self._good += said >= GOOD


def _cell(answer: Answer, score: float | None, dataset: str) -> dict[str, Any]:
    return {
        "dataset": dataset,
        "query_id": answer.request_id,
        "task": answer.task or None,
        "language": answer.language or None,
        "model": answer.model,
        "score": score,
        "cost": answer.cost,
        "latency": answer.elapsed,
        "input_tokens": answer.usage.input,
        "output_tokens": answer.usage.output,
        "chosen": answer.given,
    }
