"""What a client says about its own request: `x-tierline-*` headers, or the same names in the body's `metadata`.

In metadata a name stands as the header's (`x-tierline-task`) or as `tierline_task`; a bare `task` is the client's own. A header wins.
Coding agents name their session in a header of their own: it is taken where nothing else names one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from tierline.config.units import Duration
from tierline.types.errors import BadRequest
from tierline.types.hints import NO_HINTS, Hints

PREFIX = "x-tierline-"
_OWN = (PREFIX, "tierline_")
HARNESS = frozenset({"x-claude-code-session-id", "session-id", "session_id"})
"""The headers in which Claude Code and Codex name their session."""

_MAX = 200
_MAX_TAGS = 20

_metadata = msgspec.json.Decoder(dict[str, msgspec.Raw])


def _word(value: Any) -> str:
    if not isinstance(value, str) or len(value) > _MAX:
        raise ValueError(f"write a text of at most {_MAX} characters")
    return value.strip()


def _duration(value: Any) -> float:
    seconds = Duration.parse(value)
    if not 0 < seconds < float("inf"):
        raise ValueError("write a duration above zero")
    return float(seconds)


def _money(value: Any) -> float:
    try:
        usd = float(value)
    except (TypeError, ValueError):
        usd = -1.0
    if not 0 <= usd < float("inf"):
        raise ValueError("write an amount in USD, such as 0.002")
    return usd


def _tags(value: Any) -> tuple[str, ...]:
    listed = value.split(",") if isinstance(value, str) else value
    if not isinstance(listed, list) or len(listed) > _MAX_TAGS:
        raise ValueError(f"write at most {_MAX_TAGS} tags, separated by commas")
    return tuple(word for item in listed if (word := _word(item)))


def _switch(value: Any) -> bool:
    word = str(value).strip().lower()
    if word not in {"1", "true", "yes", "0", "false", "no"}:
        raise ValueError("write 1 or 0")
    return word in {"1", "true", "yes"}


_READ: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "task": ("task", _word),
    "tier": ("tier", _word),
    "latency-budget": ("latency_budget", _duration),
    "max-cost": ("max_cost", _money),
    "risk": ("risk", _word),
    "sensitivity": ("sensitivity", _word),
    "session": ("session", _word),
    "tags": ("tags", _tags),
    "user-tier": ("user_tier", _word),
    "explain": ("explain", _switch),
}
"""Header (without its prefix) → the field of `Hints` and how it is read."""
_NAMES = HARNESS | {PREFIX + name for name in _READ}


def hints_of(headers: Any, raw: Mapping[str, Any]) -> Hints:
    """The hints of one request. `headers` have lower-case names; `raw` is the body's top-level fields. Raises BadRequest
    naming the header or field."""
    found: dict[str, Any] = {}
    harness = ""
    metadata = raw.get("metadata")
    if metadata is not None:
        _from_metadata(bytes(metadata), found)
    for name in headers:
        if name not in _NAMES:
            continue
        if name not in HARNESS:
            field, read = _READ[name.removeprefix(PREFIX)]
            found[field] = _read(read, headers.get(name), name)
        elif len(session := headers.get(name) or "") <= _MAX:  # what is not ASCII is None
            harness = session.strip()
    if harness:
        found.setdefault("session", harness)
    return Hints(**found) if found else NO_HINTS


def _from_metadata(metadata: bytes, found: dict[str, Any]) -> None:
    try:
        fields = _metadata.decode(metadata)
    except msgspec.DecodeError:
        return
    for name, value in fields.items():
        if (
            name.startswith(_OWN)
            and (known := _READ.get(name.removeprefix(PREFIX).removeprefix("tierline_").replace("_", "-"))) is not None
        ):
            found[known[0]] = _read(known[1], msgspec.json.decode(value), f"metadata.{name}")


def _read(read: Callable[[Any], Any], value: Any, where: str) -> Any:
    try:
        return read(value)
    except ValueError as error:
        raise BadRequest(f"{where}: {error}", param=where) from None
