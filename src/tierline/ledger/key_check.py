"""Whether a key that is to be made fits the spec that the gateway runs with."""

from __future__ import annotations

from collections.abc import Collection

from tierline.config.loaded import Loaded
from tierline.ledger.keys import CannotKeep, Given


def check_given(name: str, given: Given, loaded: Loaded) -> None:
    """Raises CannotKeep where it names routes, models or a task that the spec does not have, or bears the name of one of its keys."""
    if name in loaded.spec.keys:
        raise CannotKeep(f"the spec has a key {name!r} already; take another name")
    _all_in("route", given.routes, {"auto", *loaded.spec.routes})
    _all_in("model", given.models, loaded.models)
    _all_in("task", [given.task] if given.task else [], loaded.spec.tasks)


def _all_in(kind: str, names: Collection[str], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            raise CannotKeep(f"no {kind} {name[:100]!r} in the spec; there are {', '.join(sorted(known)) or 'none'}")
