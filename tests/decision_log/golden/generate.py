"""Writes the golden rows of the release at hand: `python tests/decision_log/golden/generate.py`, once, before each release.

A file that is there is never written again: rows of a release decode for ever."""

from __future__ import annotations

import base64
import itertools
import json
import sys
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from make_records import answered, typical  # noqa: E402  # the path is set above

from tierline import __version__  # noqa: E402
from tierline.decision_log.codec import encode  # noqa: E402
from tierline.decision_log.schema import COLUMNS  # noqa: E402
from tierline.types.decision import Decision, Drop, Dropped, Reason, Why  # noqa: E402
from tierline.types.features import Features  # noqa: E402
from tierline.types.record import Record  # noqa: E402


def filled(kind: Any, numbers: Iterator[int]) -> Any:
    """A value of a type in which every field of every struct differs from its default and from its neighbours."""
    if kind is str:
        return f"word-{next(numbers)}"
    if kind in (int, float):
        return next(numbers) + (0.125 if kind is float else 0)
    if kind is bool:
        return True
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        hints = typing.get_type_hints(kind)
        return kind(**{field.name: filled(hints[field.name], numbers) for field in msgspec.structs.fields(kind)})
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple:
        return (filled(arguments[0], numbers), filled(arguments[0], numbers))
    if origin is typing.Literal:
        return arguments[-1]
    if origin is not None and origin.__name__ == "Mapping":
        return {filled(arguments[0], numbers): filled(arguments[1], numbers)}
    return filled(arguments[0], numbers) if arguments else next(iter(kind))


def examples() -> Iterator[Record]:
    """A typical record, the least there may be, one with every field filled, and one with every reason."""
    yield typical()
    yield answered("a0", at=1_790_000_000.0)
    yield answered("a1", at=1_790_000_001.5, error="timeout", status=502, cause="escalation")
    full = filled(Record, itertools.count(1))
    yield msgspec.structs.replace(full, winner=1)
    reasons = tuple(Reason(why, why.value, 0.5, 1.0) for why in Why)
    dropped = tuple(Dropped(f"model-{drop}", drop, drop.value, 2.0, 1.0) for drop in Drop)
    yield Record(1_790_000_002.0, Features("a2"), Decision("a2", "auto", "3f9a1c0b77de", (), reasons=reasons, dropped=dropped), status=503)


def line(record: Record) -> str:
    """One golden row: what is stored, and what it means."""
    row = {
        name: {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value
        for name, value in zip(COLUMNS, encode(record), strict=True)
    }
    return json.dumps({"row": row, "record": msgspec.to_builtins(record)}, separators=(",", ":"))


if __name__ == "__main__":
    target = HERE / f"v{__version__}.jsonl"
    if target.exists():
        raise SystemExit(f"{target} is there already: golden rows are written once")
    target.write_text("\n".join(map(line, examples())) + "\n")
