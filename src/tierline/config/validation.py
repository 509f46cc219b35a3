"""The `validate` lists of tasks and routes, by name.

A validator's name is `<task>/<kind>`, `route:<route>/<kind>` for a route's own, or `<task>@<experiment>/<arm>/<kind>` in an arm of an
experiment; the second of a kind in one list ends in `.2`. Decisions and the log call it so, and `gateway/assemble` builds it under that
name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from tierline.config import experiments
from tierline.config.answer_checks import KINDS, CheckSpec, settings_of
from tierline.config.plugin_names import registered
from tierline.config.spec import Spec

MODIFIERS = frozenset({"retry"})
"""Keys of an entry that say what follows from it, and not what is checked."""

C = TypeVar("C", bound=CheckSpec)


class Check(msgspec.Struct, frozen=True):
    """One entry: its name, its kind, the kind's own settings as they are written (its value, and the entry's other keys), and how often
    a target may try again when it fails."""

    name: str
    kind: str
    value: Any
    settings: Mapping[str, Any] = {}
    retry: int = 0

    def read(self, kind: type[C]) -> C:
        """The settings as the struct of a kind; raises msgspec.ValidationError for an entry that `tierline check` refuses."""
        return msgspec.convert({self.kind: self.value, **self.settings, "retry": self.retry}, kind)


def known_kinds() -> frozenset[str]:
    """Every kind that is built in or that an installed package registers."""
    return frozenset(KINDS) | frozenset(registered("tierline.validators"))


def kinds_of(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """The kinds that an entry names; a key that is a setting of another kind in it is none. A good entry has exactly one."""
    named = [key for key in entry if key in known_kinds()]
    settings = {key for kind in named if kind in KINDS for key in settings_of(KINDS[kind]) - {kind}}
    return tuple(kind for kind in named if kind not in settings)


def checks_of(owner: str, entries: Sequence[Mapping[str, Any]]) -> tuple[Check, ...]:
    """The checks of one list, in its order; `owner` is the task's name, or `route:<name>`."""
    found: list[Check] = []
    for entry in entries:
        kind = kinds_of(entry)[0]
        before = sum(check.kind == kind for check in found)
        name = f"{owner}/{kind}" + (f".{before + 1}" if before else "")
        settings = {key: value for key, value in entry.items() if key != kind and key not in MODIFIERS}
        found.append(Check(name, kind, entry[kind], settings, int(entry.get("retry", 0))))
    return tuple(found)


def all_checks(spec: Spec) -> tuple[Check, ...]:
    """Those of every task and route, and of the tasks as the arms of experiments change them."""
    tasks = [checks_of(name, task.validate) for name, task in spec.tasks.items()]
    routes = [checks_of(f"route:{name}", route.validate) for name, route in spec.routes.items()]
    arms = [checks_of(experiments.owner_of(name, arm), task.validate) for arm, name, task in experiments.settings_of(spec)]
    return tuple(check for checks in (*tasks, *routes, *arms) for check in checks)


def schema_files(spec: Spec, folder: Path) -> dict[str, bytes]:
    """The files of JSON Schemas that the checks name, relative to `folder`, and what stands in them."""
    named = {check.value for check in all_checks(spec) if check.kind == "schema" and isinstance(check.value, str)} - {"request"}
    return {name: (folder / name).read_bytes() for name in sorted(named) if (folder / name).is_file()}
