"""`${NAME}` in the texts of a spec: `${NAME:-default}` where the variable may be missing, `$${` for a plain `${`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tierline.config.document import Place

_PLACEHOLDER = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


def has_placeholder(text: str) -> bool:
    """Whether the text reads a variable."""
    return any(match[1] for match in _PLACEHOLDER.finditer(text))


def variables(text: str) -> tuple[str, ...]:
    """The variables that the text reads and gives no default for."""
    return tuple(match[1] for match in _PLACEHOLDER.finditer(text) if match[1] and match[2] is None)


def malformed(text: str) -> bool:
    """Whether a `${` opens something that is no variable, such as `${MY KEY}` or `${KEY`."""
    return "${" in _PLACEHOLDER.sub("", text)


def filled(text: str, environ: Mapping[str, str]) -> str:
    """The text with its variables read; one that is not set stays as it is written."""

    def value(match: re.Match[str]) -> str:
        if not match[1]:
            return "${"
        default = match[2] if match[2] is not None else match[0]
        return environ.get(match[1], default)

    return _PLACEHOLDER.sub(value, text)


def fill(data: Any, environ: Mapping[str, str]) -> Any:
    """The same for every text in the data; keys stay as they are."""
    if isinstance(data, str):
        return filled(data, environ) if "${" in data else data
    if isinstance(data, dict):
        return {key: fill(value, environ) for key, value in data.items()}
    if isinstance(data, list):
        return [fill(value, environ) for value in data]
    return data


def texts(data: Any, place: Place = ()) -> Iterator[tuple[Place, str]]:
    """Every text of the data and where it stands."""
    if isinstance(data, str):
        yield place, data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from texts(value, (*place, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from texts(value, (*place, index))
