"""The plans of a task: requests of one task may be decided in several ways, and each way is reckoned once, with its share of the task."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec
import numpy as np

from tierline.evaluation.estimate.evidence import Sample
from tierline.evaluation.estimate.paths import Path, paths_of
from tierline.evaluation.estimate.worksheet import Row, Worksheet
from tierline.types.decision import Decision, Step

_Key = tuple[object, ...]


class Plan(msgspec.Struct, frozen=True):
    """One way in which requests of a task are decided: its share of the task, its paths, the tokens of its requests over the task's
    mean, and how far its requests are easier for a model than the task's (in logits, from what a scorer believes)."""

    decision: Decision
    share: float
    paths: tuple[Path, ...]
    longer: float = 1.0
    easier: Mapping[str, float] = {}

    @property
    def models(self) -> tuple[str, ...]:
        """Every model that is called on some path."""
        return tuple(dict.fromkeys(call.model for path in self.paths for call in path.calls if call.model))


class Planner:
    """Makes plans, and remembers the paths of decisions that go the same way."""

    def __init__(self, worksheet: Worksheet) -> None:
        self._fails = {name: model.fails.value for name, model in worksheet.models.items()}
        self._known: dict[_Key, tuple[Path, ...]] = {}

    def plans(self, row: Row, samples: Sequence[Sample], decide: Callable[[Sample], Decision]) -> tuple[Plan, ...]:
        """The plans for these requests; their shares add up to 1."""
        whole = sum(sample.weight for sample in samples)
        tokens = sum(sample.weight * sample.features.input_tokens for sample in samples) / whole
        groups: dict[_Key, list[tuple[Sample, Decision]]] = {}
        for sample in samples:
            decision = decide(sample)
            groups.setdefault(_key(decision), []).append((sample, decision))
        overall = _belief(list(samples))
        found = []
        for key, members in groups.items():
            weight = sum(sample.weight for sample, _ in members)
            mine = sum(sample.weight * sample.features.input_tokens for sample, _ in members) / weight
            own = _belief([sample for sample, _ in members])
            easier = {model: own[model] - overall[model] for model in own if model in overall}
            decision = members[0][1]
            found.append(Plan(decision, weight / whole, self._paths(key, row, decision), mine / tokens if tokens else 1.0, easier))
        return tuple(found)

    def _paths(self, key: _Key, row: Row, decision: Decision) -> tuple[Path, ...]:
        seconds = {model: believed.latency_p50.value for model, believed in row.models.items()}
        known = (row.task, *key)
        if known not in self._known:
            self._known[known] = paths_of(decision, seconds, self._fails)
        return self._known[known]


def _key(decision: Decision) -> _Key:
    """What two decisions that go the same way have in common."""
    return (tuple(map(_step, decision.steps)), decision.combine, decision.refusals, decision.retries, decision.lenient, decision.max_cost)


def _step(step: Step) -> _Key:
    return step.targets, step.validators, step.retries, step.lower


def _belief(samples: Sequence[Sample]) -> dict[str, float]:
    """The mean logit of what a scorer believes of each model, over these requests."""
    models = {model for sample in samples for model in sample.scores.good}
    found = {}
    for model in models:
        known = [(sample.scores.good[model], sample.weight) for sample in samples if model in sample.scores.good]
        good = np.clip([value for value, _ in known], 0.005, 0.995)
        found[model] = float(np.average(np.log(good / (1.0 - good)), weights=[weight for _, weight in known]))
    return found
