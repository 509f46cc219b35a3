"""The parameters of a query, written `:name`. What stands in a literal, a quoted name or a comment is none; neither is a cast (`::`)."""

from __future__ import annotations

import re
from collections.abc import Callable

_PIECE = re.compile(
    r"""
    '(?:[^']|'')*'                      # a literal
    | "(?:[^"]|"")*"                    # a quoted name
    | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$   # a dollar-quoted literal of PostgreSQL
    | --[^\n]*                          # a comment to the end of the line
    | /\*.*?\*/                         # a comment
    | ::                                # a cast
    | (?<![\w:]):(?P<name>[A-Za-z_]\w*)
    """,
    re.VERBOSE | re.DOTALL,
)
_READS = re.compile(r"^(?:\s|--[^\n]*\n|/\*.*?\*/|\()*(select|with|values)\b", re.IGNORECASE | re.DOTALL)


def parameters(query: str) -> tuple[str, ...]:
    """The names of its parameters, each once, in their order."""
    return tuple(dict.fromkeys([match["name"] for match in _PIECE.finditer(query) if match["name"]]))


def numbered(query: str) -> str:
    """The query with `$1`, `$2`, … in their place, in the order of `parameters`."""
    names = parameters(query)
    return _replaced(query, lambda name: f"${names.index(name) + 1}")


def reads(query: str) -> bool:
    """Whether it is written as one query that reads; the database's own word is the last one."""
    bare = _PIECE.sub(lambda match: match[0] if match["name"] or match[0] == "::" else " ", query)
    return bool(_READS.match(query)) and ";" not in bare.strip().rstrip(";")


def _replaced(query: str, written: Callable[[str], str]) -> str:
    return _PIECE.sub(lambda match: written(match["name"]) if match["name"] else match[0], query)
