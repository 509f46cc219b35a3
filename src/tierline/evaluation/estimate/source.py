"""Where a number came from. Every number of a worksheet carries one, and every output shows it."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from tierline.types.errors import EvaluationFailure

Kind = Literal["measured", "assumed", "catalogue", "config"]

KINDS: tuple[Kind, ...] = ("measured", "assumed", "catalogue", "config")

_WRITTEN = re.compile(
    r"^(?P<kind>measured|assumed|catalogue|config)"
    r"(?: n=(?P<n>\d+))?(?: ±(?P<off>\d+(?:\.\d+)?)%)?(?: (?P<since>\d{4}-\d\d-\d\d)\.\.(?P<until>\d{4}-\d\d-\d\d))?(?:: (?P<note>.*))?$"
)


class Source(msgspec.Struct, frozen=True, omit_defaults=True):
    """`measured`: from `n` observations between two days (`since`, `until`: YYYY-MM-DD, empty where the data have no dates); `assumed`: a
    person's or this program's guess; `catalogue`: a price list; `config`: what the spec lays down. `note` says more, in a few words."""

    kind: Kind
    n: int = 0
    since: str = ""
    until: str = ""
    note: str = ""

    @property
    def measured(self) -> bool:
        """Whether anybody has looked."""
        return self.kind == "measured"


ASSUMED = Source("assumed")
CONFIG = Source("config")


def written(source: Source, off: float = 0.0) -> str:
    """As it stands in a sheet: `measured n=420 2026-10-01..2026-10-31`, `assumed: prior of its tier`. `off` is how far a measured
    amount may be off, as a share of it."""
    words: list[str] = [source.kind]
    if source.n:
        words.append(f"n={source.n}")
    if off:
        words.append(f"±{max(off * 100, 0.01):.2f}".rstrip("0").rstrip(".") + "%")
    if source.since:
        words.append(f"{source.since}..{source.until}")
    return " ".join(words) + (f": {source.note}" if source.note else "")


def read(text: str, where: str) -> tuple[Source, float]:
    """What `written` wrote, and how far it may be off; an empty text is an assumption. Raises EvaluationFailure naming `where`."""
    if not text.strip():
        return ASSUMED, 0.0
    match = _WRITTEN.match(text.strip())
    if match is None:
        raise EvaluationFailure(
            f"{where}: {text!r} is no source: write measured n=420 2026-10-01..2026-10-31, assumed, catalogue or config; "
            "a note may follow after a colon"
        )
    kind: Kind = next(known for known in KINDS if known == match["kind"])
    source = Source(kind, int(match["n"] or 0), match["since"] or "", match["until"] or "", match["note"] or "")
    return source, float(match["off"] or 0.0) / 100
