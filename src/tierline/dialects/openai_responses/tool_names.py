"""Tools in namespaces, and what the names that a model calls mean to the client.

A namespace holds tools under a common name. Models of other dialects see them as plain functions, named `<namespace>__<name>`.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from tierline.dialects import lenient
from tierline.dialects.openai_responses.wire import Raw

LONGEST = 64
"""Characters of a tool's name that every dialect takes; a tool whose full name is longer keeps its short one."""


class Named(msgspec.Struct, frozen=True):
    """A tool as the client knows it."""

    name: str
    namespace: str = ""
    custom: bool = False


class _Entry(msgspec.Struct):
    """An entry of `tools`."""

    type: str = ""
    name: str | None = None
    tools: list[_Entry] | None = None


_entries = msgspec.json.Decoder(list[_Entry] | None)


def full(namespace: str | None, name: str) -> str:
    """The name under which models of other dialects know a tool."""
    if not namespace or namespace == name:
        return name
    joined = f"{namespace}__{name}"
    return joined if len(joined) <= LONGEST else name


def short(namespace: str, name: str) -> str:
    """The name of a tool within its namespace."""
    return name.removeprefix(f"{namespace}__")


def table(tools: Raw | None) -> Mapping[str, Named]:
    """Custom tools and those in namespaces, by the names that models know."""
    if tools is None or not (b'"custom"' in bytes(tools) or b'"namespace"' in bytes(tools)):
        return {}
    try:
        entries = lenient.decode(_entries, tools) or []
    except (msgspec.DecodeError, RecursionError):
        return {}
    found: dict[str, Named] = {}
    for entry in entries:
        for tool in (entry.tools or ()) if entry.type == "namespace" else (entry,):
            space = (entry.name or "") if entry.type == "namespace" else ""
            if tool.name and (space or tool.type == "custom"):
                found[full(space, tool.name)] = Named(tool.name, space, tool.type == "custom")
    return found
