"""The names under which plug-ins are registered; nothing is imported for it."""

from __future__ import annotations

from functools import cache
from importlib import metadata


@cache
def registered(group: str) -> tuple[str, ...]:
    """Every name in an entry-point group, sorted."""
    return tuple(sorted({entry.name for entry in metadata.entry_points(group=group)}))
