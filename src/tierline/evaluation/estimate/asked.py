"""What is asked: the requests that stand for each task's traffic, known ones where there are any, else a typical one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from tierline.config.loaded import Loaded
from tierline.config.spec import RouteSpec, TaskSpec
from tierline.evaluation.estimate.evidence import Evidence, Sample
from tierline.evaluation.estimate.worksheet import OPEN
from tierline.types.features import Complexity, Features, Operation
from tierline.types.hints import Hints
from tierline.types.scores import NO_SCORES

TYPICAL_IN, TYPICAL_OUT = 800, 250
"""Tokens of a request and of its answer where neither the spec nor anybody else says."""
DIFFICULTIES = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Requests of unknown difficulty are taken to be as often of each of these."""


def route_of(loaded: Loaded, task: str) -> str:
    """The route that serves a task: the one that is for it alone, else the default."""
    return next((name for name, route in loaded.spec.routes.items() if route.task and route.task == task), "auto")


def asked_in(loaded: Loaded, evidence: Evidence, row: str) -> tuple[Sample, ...]:
    """The requests of a row of the worksheet."""
    name = "" if row == OPEN else row
    seen = evidence.tasks.get(name)
    if seen is not None and seen.samples:
        return seen.samples
    return tuple(Sample(features, NO_SCORES) for features in _typical(loaded, name))


def _typical(loaded: Loaded, task: str) -> Sequence[Features]:
    """One request, or where difficulty chooses the model, one of each difficulty."""
    route = route_of(loaded, task)
    settings = loaded.spec.routes.get(route, RouteSpec())
    spec = loaded.spec.tasks.get(task)
    tokens = (spec.tokens.input, spec.tokens.output) if spec else (0, 0)
    difficulties = DIFFICULTIES if not task or settings.select == "by_difficulty" else (0.5,)
    return [
        Features(
            f"estimate/{task or 'open'}/{number}",
            route=route,
            hints=Hints(task=task),
            operation=_operation(spec),
            input_tokens=tokens[0] or TYPICAL_IN,
            output_tokens=tokens[1] or TYPICAL_OUT,
            complexity=Complexity(difficulty),
            draw=(number + 0.5) / len(difficulties),
        )
        for number, difficulty in enumerate(difficulties)
    ]


def _operation(spec: TaskSpec | None) -> Operation:
    named = spec.match.operation if spec and spec.match else ""
    return next((known for known in get_args(Operation) if known == named), "generation")
