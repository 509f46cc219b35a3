"""The one table of keys whose modules are still to come. What stands here is refused, never silently ignored.

A row leaves the table when its module arrives; the table is empty when the last of them has come. `*` stands for any one name
or index.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tierline.config.document import Place
from tierline.config.problems import Problems

KEYS: Mapping[tuple[str, ...], str] = {}
"""Path of a key → what will act on it. Empty: every key of the spec is acted on."""


def sentence(what: str) -> str:
    """How every row of the table is said."""
    return f"not available yet: {what} will come in a later version"


def refuse(data: dict[str, Any], problems: Problems) -> dict[str, Any]:
    """Reports each key of the table that is written, whatever its value, and returns the data without them."""
    kept = data
    for pattern, what in KEYS.items():
        for place in list(_places(kept, pattern)):
            problems.error(place, sentence(what), "remove this key for now")
            kept = _without(kept, place)
    return kept


def covers(path: tuple[str, ...]) -> bool:
    """Whether a row of the table is about exactly this path, names included."""
    return any(len(path) == len(key) and all(k in ("*", part) for k, part in zip(key, path, strict=True)) for key in KEYS)


def _places(data: Any, pattern: tuple[str, ...], place: Place = ()) -> Iterator[Place]:
    if not pattern:
        yield place
    elif isinstance(data, dict):
        for name in data if pattern[0] == "*" else [pattern[0]]:
            if name in data:
                yield from _places(data[name], pattern[1:], (*place, name))


def _without(data: dict[str, Any], place: Place) -> dict[str, Any]:
    """A copy of the path to `place`, without what stands there."""
    name = str(place[0])
    copy = dict(data)
    if len(place) == 1:
        del copy[name]
    else:
        copy[name] = _without(copy[name], place[1:])
    return copy
