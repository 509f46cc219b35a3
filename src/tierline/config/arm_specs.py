"""The specs that answer for an arm: read and checked as any other, and held to what stands above an experiment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tierline.config.case import Case
from tierline.config.document import Place
from tierline.config.environment import has_placeholder
from tierline.config.experiments import arms_of
from tierline.config.loaded import Loaded
from tierline.config.spec import KeySpec, Spec
from tierline.types.errors import Problem

Read = Callable[[Path], tuple[Sequence[Problem], Loaded | None]]
"""The spec at a path, with everything wrong with it."""


def arm_specs(case: Case, read: Read) -> dict[str, Loaded]:
    """`<experiment>/<arm>` → its spec, for the arms that have one; whatever is wrong with it is reported at the arm."""
    found = {}
    folder = Path(case.problems.file).parent
    for name, experiment in case.spec.experiments.items():
        for arm in arms_of(name, experiment, case.models):
            place = ("experiments", name, "arms", arm.name.partition("/")[2], "spec")
            if not arm.spec or has_placeholder(arm.spec):
                continue
            path = folder / arm.spec
            if path.resolve() == Path(case.problems.file).resolve():
                case.problems.error(place, "it is this spec itself", "name another file, or leave spec out")
                continue
            problems, loaded = read(path)
            for problem in problems:
                if problem.severity == "error":
                    case.problems.error(place, f"that spec is refused: {problem}", "mend that file")
            if loaded is not None:
                _held_to(case, place, arm.spec, loaded.spec, experiment.routes)
                found[arm.name] = loaded
    return found


def _held_to(case: Case, place: Place, file: str, other: Spec, routes: Sequence[str]) -> None:
    """An experiment is never a way around governance or a key's limits, and leads to no further experiment."""
    if other.experiments:
        case.problems.error(place, f"{file} has experiments of its own, and a request is in one at most", "remove them from that file")
    if other.governance != case.spec.governance:
        reason = f"the governance of {file} is not that of this spec, and an experiment never crosses governance"
        case.problems.error(place, reason, "make the two sections the same")
    if _limits(other.keys) != _limits(case.spec.keys):
        reason = f"the keys of {file} may do other things than those of this spec"
        case.problems.error(place, reason, "make routes, models, task and team of every key the same")
    if other.budgets != case.spec.budgets:
        reason = f"the budgets of {file} are not those of this spec, and money is counted once"
        case.problems.error(place, reason, "make the two sections the same")
    missing = sorted(set(routes or case.routes) - {*other.routes, "auto"})
    if missing:
        case.problems.error(place, f"{file} has no route {missing[0]!r}, which takes part", "add it to that file, or list routes")


def _limits(keys: Mapping[str, KeySpec]) -> dict[str, tuple[object, ...]]:
    return {name: (key.routes, key.models, key.task, key.team) for name, key in keys.items()}
