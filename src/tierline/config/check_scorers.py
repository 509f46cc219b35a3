"""Can the scorers of the routes be had: is their file there, whole, and about models of this spec? Can whoever is asked, answer?"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from tierline import plugins
from tierline.config.case import Case
from tierline.config.document import Place
from tierline.config.environment import has_placeholder
from tierline.config.plugin_names import registered
from tierline.config.scorer_file import ScorerUnusable, read_scorer
from tierline.config.scorers import options_of
from tierline.config.spec import AskSpec, RouteSpec, ScorerSpec
from tierline.config.structure import fit_section
from tierline.config.task_question import LEAST_SHOWN, task_question
from tierline.types.catalog import Model

UNTRAINED = ("hints", "llm")
TRAINED = ("linear",)
BUILT_IN = (*UNTRAINED, *TRAINED)


def examine_scorers(case: Case, models: Mapping[str, Model]) -> None:
    """Reports a trained scorer without a file, one whose file cannot be used, a file and options that nobody reads, and a question that
    could never be put."""
    for name, route in case.spec.routes.items():
        place, scorer = ("routes", name, "scorer"), route.scorer
        if scorer.kind in TRAINED:
            _trained(case, place, scorer, models)
        elif scorer.artifact and scorer.kind in UNTRAINED:
            case.problems.error((*place, "artifact"), f"the scorer {scorer.kind!r} reads no file", "write kind: linear, or remove this key")
        if scorer.kind not in BUILT_IN:
            _plug_in(case, place, scorer)
        elif scorer.options:
            case.problems.error((*place, "options"), f"the scorer {scorer.kind!r} has no options", "remove them")
        if scorer.ask is not None:
            _ask(case, (*place, "ask"), route, scorer.ask, models)
        elif scorer.kind == "llm" and "ask" not in _written(case, place):
            case.problems.error(place, "the scorer 'llm' asks a model, and none is named", "add ask: {model: NAME}")


def _plug_in(case: Case, place: Place, scorer: ScorerSpec) -> None:
    """A kind of another package: its class is looked up, and its `Options`, where it has such a struct, are held against the spec."""
    if scorer.kind not in registered("tierline.scorers"):
        return  # has been reported with the nearest name
    if scorer.artifact and not has_placeholder(scorer.artifact) and not (Path(case.problems.file).parent / scorer.artifact).is_file():
        case.problems.error((*place, "artifact"), f"{scorer.artifact} is no file", "paths are relative to the spec")
    try:
        shape = options_of(plugins.find("scorers", scorer.kind))
    except plugins.PluginMissing as error:
        case.problems.error((*place, "kind"), error.message, "install or mend that package")
        return
    if shape is not None:
        fit_section(shape, scorer.options, (*place, "options"), case.problems, case.written)
    elif scorer.options:
        case.problems.error((*place, "options"), f"the scorer {scorer.kind!r} has no options", "remove them, or give its class `Options`")


def _ask(case: Case, place: Place, route: RouteSpec, ask: AskSpec, models: Mapping[str, Model]) -> None:
    if ask.model not in case.models:
        case.problems.unknown((*place, "model"), "model", ask.model, case.models)
    elif ask.model in models:
        _asked(case, place, ask, models[ask.model])
    if not case.tasks:
        case.problems.error(place, "there is no task that it could name", "add tasks, or remove this key")
    if not ask.timeout:
        case.problems.error((*place, "timeout"), "nothing is answered in no time", "give more than 0s, e.g. 50ms")
    elif ask.timeout >= route.deadline:
        reason = f"it may take the whole deadline of {float(route.deadline):g} s, and nothing is left to answer in"
        case.problems.error((*place, "timeout"), reason, "give a small part of `deadline`, e.g. 50ms")


def _asked(case: Case, place: Place, ask: AskSpec, model: Model) -> None:
    """Whether the model can say it, at that price and in that time."""
    if "chat" not in model.capabilities:
        case.problems.error((*place, "model"), f"the model {ask.model!r} does not chat", "name a small model that does")
        return
    question = task_question(case.spec.tasks, model.price, ask)
    if question.room < LEAST_SHOWN and case.whole:
        reason = f"asking {ask.model} costs ${question.least_cost:.6f} before a word of the request is shown, so nobody is ever asked"
        case.problems.error(
            (*place, "max_cost"), reason, f"give at least {_enough(question.least_cost, model):.6f}, or name a cheaper model"
        )
    if "reasoning" in model.capabilities:
        reason = (
            f"{ask.model} thinks before it answers: it will seldom keep to {float(ask.timeout) * 1000:g} ms, and its thoughts are paid for"
        )
        case.problems.warn((*place, "model"), reason, "name a small model that does not think")


def _enough(least: float, model: Model) -> float:
    """USD for the question with some words of the request, rounded up to what six digits show."""
    return least + model.price.cost(LEAST_SHOWN // 2, 0) + 1e-6


def _written(case: Case, place: Place) -> Mapping[str, object]:
    at: object = case.written
    for part in place:
        at = at.get(part) if isinstance(at, Mapping) else None
    return at if isinstance(at, Mapping) else {}


def _trained(case: Case, place: Place, scorer: ScorerSpec, models: Mapping[str, Model]) -> None:
    if find_spec("numpy") is None:
        case.problems.error((*place, "kind"), "a trained scorer needs NumPy", "pip install 'tierline[scorer]'")
    if not scorer.artifact:
        case.problems.error(
            place, f"the scorer {scorer.kind!r} needs a file", "add artifact: FILE, as `tierline train --out FILE` writes it"
        )
    elif not has_placeholder(scorer.artifact):
        _file(case, (*place, "artifact"), scorer, models)


def _file(case: Case, place: Place, scorer: ScorerSpec, models: Mapping[str, Model]) -> None:
    try:
        known = read_scorer(Path(case.problems.file).parent / scorer.artifact).header.models
    except ScorerUnusable as error:
        reason, _, suggestion = error.message.partition(" → ")
        case.problems.error(place, reason, suggestion)
        return
    there = [name for name, model in models.items() if name in known or model.upstream in known]
    if not there and case.whole:
        case.problems.error(
            place,
            f"it knows no model of this spec: it knows {', '.join(known[:8])}",
            "train it on answers of these models, or name another file",
        )
    elif case.whole and (strangers := [name for name in models if name not in there]):
        case.problems.warn(
            place,
            f"it does not know {', '.join(strangers)}: their pass rates stay assumed",
            "train it on answers of them too (`tierline train --help`)",
        )
