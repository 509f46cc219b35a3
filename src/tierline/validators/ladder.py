"""Whose answers have nobody to climb to: some checks believe them, since refusing them would only cost."""

from __future__ import annotations

from tierline.config.loaded import Loaded
from tierline.config.validation import Check


def last_models(check: Check, loaded: Loaded) -> frozenset[str]:
    """The last of the task's models; for a route's check, and a task that names at most one, the models of the last tier. Empty where
    that would be every model."""
    owner = check.name.rpartition("/")[0]
    task = loaded.spec.tasks.get(owner)
    if task is not None and len(task.models) > 1:
        return frozenset(task.models[-1:])
    last = frozenset(name for name, model in loaded.models.items() if model.tier == loaded.spec.tiers[-1])
    return frozenset() if len(last) == len(loaded.models) else last
