"""Entry points → implementations, by name. The built-ins register in the same way as everybody's plug-ins."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import entry_points
from typing import Any, Literal

from tierline.types.errors import TierlineError

Group = Literal["scorers", "dialects", "providers", "decision_logs", "validators", "answerers", "detectors", "shared"]


class PluginMissing(TierlineError):
    """A name that no installed package registers, or one whose package does not import."""


def names(group: Group) -> tuple[str, ...]:
    """Every registered name of a group, sorted."""
    return tuple(sorted(entry_points(group=f"tierline.{group}").names))


def find(group: Group, name: str) -> Any:
    """The class that is registered as `name`; raises PluginMissing with the names there are."""
    found = entry_points(group=f"tierline.{group}", name=name)
    for entry in found:
        try:
            return entry.load()
        except Exception as error:
            raise PluginMissing(f"the {group} plug-in {name!r} ({entry.value}) cannot be imported: {error}") from error
    known = ", ".join(names(group)) or "none"
    raise PluginMissing(f"no package registers {name!r} in the group tierline.{group} → known here: {known}")


def find_all(group: Group, wanted: Iterable[str]) -> dict[str, Any]:
    """Name → class for every name in `wanted`, each looked up once."""
    return {name: find(group, name) for name in sorted(set(wanted))}
