"""Can an experiment be run as written: arms that exist and differ, shares that add up, guards that can stop somebody?"""

from __future__ import annotations

import itertools
import math
import re
from importlib.util import find_spec

from tierline.config.case import Case
from tierline.config.check_names import all_exist, exists
from tierline.config.check_validators import examine_list
from tierline.config.document import Place
from tierline.config.experiments import ALONE, Arm, arms_of
from tierline.config.spec import ExperimentSpec, TaskSettings

_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._:@+/-]{0,99}$")

ONE_WAY = {"cost", "latency", "latency_p95"}
"""Metrics that are no rates."""


def examine_experiments(case: Case) -> None:
    """Reports names of nobody, arms that do two things or the same thing, shares that do not add up, and experiments that overlap."""
    for name, experiment in case.spec.experiments.items():
        place = ("experiments", name)
        all_exist(case, (*place, "tasks"), "task", experiment.tasks, case.tasks)
        all_exist(case, (*place, "routes"), "route", experiment.routes, case.routes)
        all_exist(case, (*place, "shadow"), "model", experiment.shadow, case.models)
        arms = arms_of(name, experiment, case.models)
        _shares(case, place, experiment, arms)
        _arms(case, place, experiment, arms)
        _guards(case, place, experiment, arms)
        _adaptive(case, place, experiment, arms)
        if (experiment.guards or experiment.stop or experiment.adaptive) and find_spec("numpy") is None:
            case.problems.error(place, "guards, an end and adaptive shares need NumPy", "pip install 'tierline[analysis]'")
    _overlaps(case)


def _shares(case: Case, place: Place, experiment: ExperimentSpec, arms: tuple[Arm, ...]) -> None:
    if not arms and not experiment.shadow and case.whole:
        case.problems.error(place, "it has neither arms nor shadows, so it compares nothing", "add arms: {mini: 0.9, local: 0.1}")
    total = math.fsum(arm.share for arm in arms)
    if total > 1 + ALONE:
        case.problems.error(
            (*place, "arms"), f"the shares of its arms add up to {total:g}", "they are parts of the requests that take part: 1 at most"
        )
    elif arms and not total:
        case.problems.error((*place, "arms"), "every share is zero", "give each arm a share, e.g. 0.5")
    elif len(arms) == 1 and total > 1 - ALONE and case.whole:
        case.problems.error((*place, "arms"), "one arm that takes everything is compared with nothing", "add another arm")


def _arms(case: Case, place: Place, experiment: ExperimentSpec, arms: tuple[Arm, ...]) -> None:
    for arm in arms:
        name = arm.name.partition("/")[2]
        at = (*place, "arms", name)
        if not _NAME.match(name):
            case.problems.error(at, f"{name[:40]!r} cannot be a name", "use letters, digits and . _ : @ + - /")
        given = [what for what, there in (("use", arm.models), ("task", arm.settings), ("spec", arm.spec)) if there]
        if len(given) > 1:
            case.problems.error(at, f"it does two things: {' and '.join(given)}", "give model, use, task or spec, and one of them only")
        entry = experiment.arms[name]
        if not isinstance(entry, float | int):
            if entry.model and entry.use:
                case.problems.error((*at, "model"), "the models stand under `use` already", "remove one of them")
            if entry.model:
                exists(case, (*at, "model"), "model", entry.model, case.models)
            all_exist(case, (*at, "use"), "model", entry.use, case.models)
        if arm.settings is not None:
            _settings(case, (*at, "task"), experiment, arm.settings)
    for one, other in itertools.combinations(arms, 2):
        if (one.models, one.settings, one.spec) == (other.models, other.settings, other.spec) and case.whole:
            name = other.name.partition("/")[2]
            case.problems.error(
                (*place, "arms", name), f"it does what the arm {one.name.partition('/')[2]!r} does", "give it a model, use, task or spec"
            )


def _settings(case: Case, place: Place, experiment: ExperimentSpec, settings: TaskSettings) -> None:
    if not experiment.tasks:
        case.problems.error(place, "it changes a task's settings, and the experiment names no task", "add tasks: to the experiment")
    for field in ("models", "fallback"):
        all_exist(case, (*place, field), "model", getattr(settings, field) or [], case.models)
    for field in ("weights", "quality"):
        for model in getattr(settings, field) or {}:
            exists(case, (*place, field, model), "model", model, case.models)
    if settings.latency_budget is not None and not settings.latency_budget:
        case.problems.error((*place, "latency_budget"), "nothing is answered in no time", "give more than 0s")
    if settings.validate is not None:
        examine_list(case, (*place, "validate"), settings.validate, settings.models or ())


def _guards(case: Case, place: Place, experiment: ExperimentSpec, arms: tuple[Arm, ...]) -> None:
    names = [arm.name.partition("/")[2] for arm in arms]
    if experiment.baseline:
        exists(case, (*place, "baseline"), "arm", experiment.baseline, names)
    for index, guard in enumerate(experiment.guards):
        if len(arms) < 2:
            reason = "a guard compares an arm with the baseline, and there is one arm only"
            case.problems.error((*place, "guards", index), reason, "add an arm that is as it was, e.g. control: 0.9")
        if guard.metric not in ONE_WAY and guard.worse_by >= 1:
            reason = f"{guard.metric} is a rate: no arm can be worse by {guard.worse_by:g}"
            case.problems.error((*place, "guards", index, "worse_by"), reason, "give points, e.g. 0.02")


def _adaptive(case: Case, place: Place, experiment: ExperimentSpec, arms: tuple[Arm, ...]) -> None:
    adaptive = experiment.adaptive
    if adaptive is None:
        return
    at = (*place, "adaptive")
    if len(arms) < 2:
        case.problems.error(at, "there is nothing to choose between", "add another arm")
    elif adaptive.floor * len(arms) > 1 + ALONE:
        reason = f"{len(arms)} arms cannot have {adaptive.floor:g} each at least"
        case.problems.error((*at, "floor"), reason, f"give {1 / len(arms):.2f} at most")
    if experiment.metric not in ("pass_rate", "score"):
        case.problems.error(
            at, f"it learns from answers that pass or fail, not from {experiment.metric}", "write metric: pass_rate or score"
        )
    if not adaptive.every:
        case.problems.error((*at, "every"), "a time of no length", "give more than 0s, e.g. 60s")


def _overlaps(case: Case) -> None:
    """A request is in one experiment: the first by name that is about it, so a second one would see only what that leaves."""
    running = [(name, found) for name, found in sorted(case.spec.experiments.items()) if found.arms]
    for (first, one), (second, other) in itertools.combinations(running, 2):
        if _meet(one.tasks, other.tasks) and _meet(one.routes, other.routes):
            reason = f"it is about requests of the experiment {first!r} as well, and a request is in one at most"
            case.problems.error(("experiments", second), reason, "give them different tasks or routes, or run them one after the other")


def _meet(one: list[str], other: list[str]) -> bool:
    return not one or not other or bool(set(one) & set(other))
