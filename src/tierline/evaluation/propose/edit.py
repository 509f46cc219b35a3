"""Changing a YAML text where it must change and nowhere else: comments, order and style stay."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Sequence
from typing import Any

import yaml

_BARE = re.compile(r"^[A-Za-z_][A-Za-z0-9_./-]*$")
_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})


def edited(text: str, place: Sequence[str], value: Any) -> str:
    """The text with the value at a place, which is added where it is not there. Raises ValueError where something on the way is no
    mapping."""
    node = yaml.compose(text, Loader=yaml.CSafeLoader)
    for depth, key in enumerate(place):
        if not isinstance(node, yaml.MappingNode):
            raise ValueError(f"{'.'.join(place[:depth])} is no mapping")
        found = next((child for name, child in node.value if name.value == key), None)
        if found is None:
            return _added(text, node, key, _nested(place[depth + 1 :], value))
        if depth == len(place) - 1:
            return _replaced(text, found, written(value))
        if isinstance(found, yaml.ScalarNode) and not found.value:
            return _replaced(text, found, written(_nested(place[depth + 1 :], value)))
        node = found
    raise ValueError("no place was named")


def written(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{written(key)}: {written(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(written(item) for item in value) + "]"
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, str):
        return value if _BARE.match(value) and value.lower() not in _WORDS else json.dumps(value)
    return json.dumps(value)


def _nested(place: Sequence[str], value: Any) -> Any:
    for key in reversed(place):
        value = {key: value}
    return value


def _replaced(text: str, node: yaml.Node, new: str) -> str:
    start, end = node.start_mark.index, _end(text, node)
    space = " " if start and text[start - 1] == ":" else ""
    return text[:start] + space + new + text[end:]


def _added(text: str, node: yaml.MappingNode, key: str, value: Any) -> str:
    entry = f"{written(key)}: {written(value)}"
    if node.flow_style:
        at = node.end_mark.index - 1
        before = text[:at].rstrip()
        return f"{before}{'' if before.endswith(('{', ',')) else ', '}{entry}{text[at:]}"
    indent = " " * node.value[0][0].start_mark.column
    at = text.find("\n", _end(text, node.value[-1][1]))
    at = len(text) if at < 0 else at
    return f"{text[:at]}\n{indent}{entry}{text[at:]}"


def _end(text: str, node: yaml.Node) -> int:
    """Where a node's own text ends: a block's mark stands only where the next thing begins, behind comments that are not its own."""
    if not isinstance(node, yaml.CollectionNode) or node.flow_style:
        return node.start_mark.index + len(text[node.start_mark.index : node.end_mark.index].rstrip())
    last = node.value[-1] if node.value else None
    if last is None:
        return int(node.end_mark.index)
    return _end(text, last[1] if isinstance(last, tuple) else last)
