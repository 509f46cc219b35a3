"""Prepare: does every step do one thing, with a model that can?"""

from __future__ import annotations

from collections.abc import Mapping

from tierline.config.case import Case
from tierline.config.document import Place
from tierline.config.spec import PrepareSpec
from tierline.types.catalog import Model

STEPS = ("rewrite_query", "summarise_history", "moderate")
_BELONGS = {"keep": "summarise_history", "on_failure": "moderate"}


def examine_prepare(case: Case, models: Mapping[str, Model]) -> None:
    """Reports steps that do nothing or several things, and models that are not there or do not chat."""
    for name, route in case.spec.routes.items():
        for index, step in enumerate(route.prepare):
            _step(case, ("routes", name, "prepare", index), step, models)


def _step(case: Case, place: Place, step: PrepareSpec, models: Mapping[str, Model]) -> None:
    given = [kind for kind in STEPS if getattr(step, kind)]
    if len(given) != 1:
        said = "it does nothing" if not given else f"it is several steps in one: {', '.join(given)}"
        case.problems.error(place, said, f"give one of {', '.join(STEPS)}, with the name of a model")
        return
    (kind,) = given
    named = getattr(step, kind)
    if named not in case.models:
        case.problems.unknown((*place, kind), "model", named, case.models)
    elif named in models and "chat" not in models[named].capabilities:
        case.problems.error((*place, kind), f"the model {named!r} does not chat", "name a small model that does")
    for field, owner in _BELONGS.items():
        if kind != owner and getattr(step, field) != getattr(PrepareSpec(), field):
            case.problems.error((*place, field), f"{kind} has no {field}", f"it belongs to {owner}")
    if not step.timeout:
        case.problems.error((*place, "timeout"), "nothing is answered in no time", "give more than 0s")
