"""Shadows: can those who are to answer beside do so, is anything learnt of it, and does the cap hold?"""

from __future__ import annotations

from collections.abc import Mapping

from tierline.config.case import Case
from tierline.config.check_names import all_exist
from tierline.config.document import Place
from tierline.config.spec import ShadowSpec
from tierline.types.catalog import Model


def examine_shadow(case: Case, models: Mapping[str, Model]) -> None:
    """Reports shadows that nobody answers, that nobody may pay for, or that teach nothing."""
    wanted = any(experiment.shadow for experiment in case.spec.experiments.values())
    for name, route in case.spec.routes.items():
        if route.shadow is not None:
            _shadow(case, ("routes", name, "shadow"), route.shadow, models, wanted)
    for name, experiment in case.spec.experiments.items():
        for index, model in enumerate(experiment.shadow):
            if model in case.models:
                _chats(case, ("experiments", name, "shadow", index), model, models)


def _shadow(case: Case, place: Place, said: ShadowSpec, models: Mapping[str, Model], wanted: bool) -> None:
    problems = case.problems
    _who(case, (*place, "models"), said.models, models)
    all_exist(case, (*place, "tasks"), "task", said.tasks, case.tasks)
    if not said.models and not wanted:
        problems.error(place, "nobody answers beside", "give models: and whose answers are to be looked at")
    if said.judge:
        _chats(case, (*place, "judge"), said.judge, models)
    if said.judge and said.judge in said.models:
        reason = f"{said.judge!r} judges answers of its own, and judges favour those"
        problems.warn((*place, "judge"), reason, "name a model that is none of those compared")
    if not said.share:
        problems.error((*place, "share"), "no request is ever drawn", "give more than 0, or remove shadow")
    if not said.judge and not said.validate:
        problems.warn(place, "nothing is learnt of its answers but their cost and time", "name a judge, or leave validate as it is")
    if not said.timeout:
        problems.error((*place, "timeout"), "nothing is answered in no time", "give more than 0s")


def _who(case: Case, place: Place, named: list[str], models: Mapping[str, Model]) -> None:
    for index, name in enumerate(named):
        if name in named[:index]:
            case.problems.error((*place, index), f"the model {name!r} stands twice", "keep one of them")
        else:
            _chats(case, (*place, index), name, models)


def _chats(case: Case, place: Place, name: str, models: Mapping[str, Model]) -> None:
    """A model whose price nobody knows would answer for nothing, as far as the cap can tell."""
    if name not in case.models:
        case.problems.unknown(place, "model", name, case.models)
    elif name in models and "chat" not in models[name].capabilities:
        case.problems.error(place, f"the model {name!r} does not chat", "name one that does")
    elif name in models and not models[name].price.known:
        case.problems.error(place, f"the price of {name!r} is not known, so no cap can hold", f"give models.{name} a price")
