"""How many requests there are: `1M/month`, `50k/day`, `2000000/year`."""

from __future__ import annotations

import re

import msgspec

from tierline.evaluation.estimate.source import ASSUMED, Source
from tierline.types.errors import EvaluationFailure

DAYS = {"hour": 1.0 / 24.0, "day": 1.0, "week": 7.0, "month": 365.25 / 12.0, "year": 365.25}
"""Days of each period; a month is a twelfth of a year."""
_SCALE = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9}
_WRITTEN = re.compile(
    r"^\s*(?P<count>\d+(?:[_,]\d{3})*(?:\.\d+)?)\s*(?P<scale>[kKmMbB]?)\s*(?:/|\s+per\s+|\s+a\s+)\s*(?P<per>hour|day|week|month|year)\s*$"
)


class Volume(msgspec.Struct, frozen=True):
    """Requests of a day, and where that number came from."""

    per_day: float
    source: Source

    def over(self, period: str) -> float:
        """Requests of a day, month or year."""
        return self.per_day * DAYS[period]


MILLION = Volume(1e6 / DAYS["month"], ASSUMED)
"""A million a month, where nobody says."""


def parse(text: str) -> Volume:
    """Raises EvaluationFailure with the form that is wanted."""
    match = _WRITTEN.match(text)
    if match is None:
        raise EvaluationFailure(f"{text!r} is no volume: write 1M/month, 50k/day or 2000000/year")
    count = float(match["count"].replace(",", "").replace("_", "")) * _SCALE[match["scale"].lower()]
    return Volume(count / DAYS[match["per"]], Source("config", note=text.strip()))
