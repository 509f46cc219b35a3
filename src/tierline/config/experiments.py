"""What an experiment's arms are, as the rest of Tierline reads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from tierline.config.fingerprint import digest
from tierline.config.loaded import Loaded
from tierline.config.spec import ArmSpec, ExperimentSpec, Spec, TaskSettings, TaskSpec

ALONE = 1e-9
"""By so much shares may be off through rounding."""


class Arm(msgspec.Struct, frozen=True):
    """One arm: `models` answer in its stead, `settings` change its tasks, `spec` is the file that answers; with none of them it is what
    the spec does anyway. `name` is `<experiment>/<arm>`, as decisions call it."""

    name: str
    share: float
    models: tuple[str, ...] = ()
    settings: TaskSettings | None = None
    spec: str = ""


def arms_of(name: str, experiment: ExperimentSpec, models: Mapping[str, object] | frozenset[str]) -> tuple[Arm, ...]:
    """The arms of an experiment, by name; `models` are the names of the spec's."""
    return tuple(_arm(f"{name}/{arm}", arm, entry, models) for arm, entry in sorted(experiment.arms.items()))


def _arm(full: str, name: str, entry: float | ArmSpec, models: Mapping[str, object] | frozenset[str]) -> Arm:
    given = entry if isinstance(entry, ArmSpec) else ArmSpec(share=float(entry))
    named = tuple(given.use) or ((given.model,) if given.model else ())
    if not named and given.task is None and not given.spec and name in models:
        named = (name,)
    return Arm(full, given.share, named, given.task, given.spec)


def baseline_of(experiment: ExperimentSpec) -> str:
    """The arm that the others are compared with: the one that is named, else the largest; of equals the first by name."""
    if experiment.baseline:
        return experiment.baseline
    shares = {arm: entry.share if isinstance(entry, ArmSpec) else entry for arm, entry in experiment.arms.items()}
    return min(shares, key=lambda arm: (-shares[arm], arm), default="")


def definition_of(name: str, experiment: ExperimentSpec, loaded: Loaded) -> str:
    """The digest of what an experiment compares: tasks, routes, metric, and what each arm does. Shares, guards and the rule for stopping
    may change while it runs."""
    arms = [
        (arm.name, arm.models, arm.settings, loaded.arms[arm.name].fingerprint if arm.name in loaded.arms else "")
        for arm in arms_of(name, experiment, loaded.spec.models)
    ]
    said = (sorted(experiment.tasks), sorted(experiment.routes), experiment.metric, arms)
    return digest(msgspec.json.encode(msgspec.to_builtins(said, enc_hook=float), order="sorted"))


def changed(task: TaskSpec, settings: TaskSettings) -> TaskSpec:
    """A task with what an arm changes of it."""
    given = {field: value for field in settings.__struct_fields__ if (value := getattr(settings, field)) is not None}
    return msgspec.structs.replace(task, **given)


def owner_of(task: str, arm: str) -> str:
    """Whose checks they are that an arm gives a task: the first part of their names."""
    return f"{task}@{arm}"


def settings_of(spec: Spec) -> Iterator[tuple[str, str, TaskSpec]]:
    """Arm, task and the task as the arm changes it, for every arm that changes tasks."""
    for name, experiment in spec.experiments.items():
        for arm in arms_of(name, experiment, spec.models):
            for task in experiment.tasks if arm.settings is not None else ():
                if task in spec.tasks and arm.settings is not None:
                    yield arm.name, task, changed(spec.tasks[task], arm.settings)
