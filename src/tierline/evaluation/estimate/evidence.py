"""What is known beside the spec: gathered from a log, from a table of measured answers, from a sheet that people filled in, from requests.

All of it is optional. Where nothing is known the spec's own numbers stand, and where it has none, assumptions that say so."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from tierline.evaluation.estimate.number import Number
from tierline.types.features import Features
from tierline.types.scores import Scores

LEAST = 20
"""Fewer observations than this count as none: the assumption stays."""


class Tally(msgspec.Struct, frozen=True):
    """`n` values with their mean and deviation; nothing was seen where `n` is 0."""

    n: int = 0
    mean: float = 0.0
    sd: float = 0.0

    @property
    def off(self) -> float:
        """How far the mean may be off: its standard error as a share of it."""
        return self.sd / self.n**0.5 / self.mean if self.n and self.mean > 0 else 0.0


NOTHING = Tally()


class Cell(msgspec.Struct, frozen=True):
    """One model in one task: what its judged answers scored (0 to 1), the share of its answers that checks accepted, the tokens it said and
    thought, and up to 200 of its seconds."""

    scores: Tally = NOTHING
    accepted: Tally = NOTHING
    tokens_out: Tally = NOTHING
    thinking: Tally = NOTHING
    seconds: tuple[float, ...] = ()
    answers: int = 0


class Sample(msgspec.Struct, frozen=True):
    """A request that stands for `weight` others of its task."""

    features: Features
    scores: Scores
    weight: float = 1.0


class Seen(msgspec.Struct, frozen=True):
    """One task: its requests, the tokens they hold, the share of those that came from a prompt cache, those answered by a tool, those for
    which a small model was asked, and some of them whole."""

    requests: int = 0
    tokens_in: Tally = NOTHING
    cached: Tally = NOTHING
    by_tool: int = 0
    asked: int = 0
    samples: tuple[Sample, ...] = ()


class Evidence(msgspec.Struct, frozen=True):
    """Everything that was gathered. `cells` by (task, model); `calls` by model: calls and failed calls; `sheet` by (task, column) is
    what a sheet says, `named` the primary and fallback that it names by task. `since` and `until` are days, empty where the data have
    no dates; `per_day` the requests of a day, None where that is unknown; `measured` says whether task shares were counted (a table's
    are its maker's choice)."""

    where: str = ""
    since: str = ""
    until: str = ""
    per_day: float | None = None
    requests: int = 0
    measured: bool = False
    tasks: Mapping[str, Seen] = {}
    cells: Mapping[tuple[str, str], Cell] = {}
    calls: Mapping[str, tuple[int, int]] = {}
    sheet: Mapping[tuple[str, str], Number] = {}
    named: Mapping[str, tuple[str, str]] = {}


NO_EVIDENCE = Evidence()
"""Nothing but the spec."""
