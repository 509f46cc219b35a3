"""The routers that can be evaluated, by name. A spec and a file of choices are made from what the caller gives; these need nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tierline.evaluation.routers.chance import RandomRouter
from tierline.evaluation.routers.learned import LearnedRouter
from tierline.evaluation.routers.prompt_length import PromptLengthRouter
from tierline.evaluation.routers.routing import Evaluated
from tierline.evaluation.routers.task_mean import TaskMeanRouter
from tierline.types.errors import EvaluationFailure

REGISTRY: Mapping[str, Callable[[], Evaluated]] = {
    RandomRouter.name: RandomRouter,
    PromptLengthRouter.name: PromptLengthRouter,
    TaskMeanRouter.name: TaskMeanRouter,
    "learned": LearnedRouter,
}


def routers(names: Sequence[str]) -> list[Evaluated]:
    """The named routers; raises EvaluationFailure for one that is not known."""
    if unknown := [name for name in names if name not in REGISTRY]:
        raise EvaluationFailure(f"no router is called {', '.join(unknown)}: choose from {', '.join(REGISTRY)}, or give --spec or --choices")
    return [REGISTRY[name]() for name in names]
