"""Hours, days, weeks and months, as the clocks of a time zone count them.

Days, weeks and months begin at the zone's midnight, so the day on which its clocks change has 23 or 25 hours; weeks begin on Monday.
Hours are those of UTC everywhere. The periods of one kind follow each other without gap or overlap.
"""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

import msgspec

from tierline.config.budgets import Per

_DAY = datetime.timedelta(days=1)
_HOUR = 3600.0


class Period(msgspec.Struct, frozen=True):
    """One span of time: its name, unique among those of its kind and zone, and its begin and end in Unix seconds."""

    name: str
    begins: float
    ends: float


def period_at(at: float, per: Per, zone: str) -> Period:
    """The period that a time (Unix seconds) lies in."""
    if per == "hour":
        begins = at // _HOUR * _HOUR
        told = datetime.datetime.fromtimestamp(begins, datetime.UTC)
        return Period(f"hour {told:%Y-%m-%dT%H}", begins, begins + _HOUR)
    clock = ZoneInfo(zone)
    first = _first(datetime.datetime.fromtimestamp(at, clock).date(), per)
    if at >= _midnight(_next(first, per), clock):  # its clocks went back over midnight: this day has begun already
        first = _next(first, per)
    return Period(f"{per} {first.isoformat()}", _midnight(first, clock), _midnight(_next(first, per), clock))


def hour_of_week(at: float, zone: ZoneInfo) -> int:
    """Hours since Monday's midnight by the clocks of a zone, from 0 to 167."""
    told = datetime.datetime.fromtimestamp(at, zone)
    return told.weekday() * 24 + told.hour


def _first(day: datetime.date, per: Per) -> datetime.date:
    match per:
        case "week":
            return day - day.weekday() * _DAY
        case "month":
            return day.replace(day=1)
        case _:
            return day


def _next(first: datetime.date, per: Per) -> datetime.date:
    match per:
        case "week":
            return first + 7 * _DAY
        case "month":
            return (first.replace(day=28) + 4 * _DAY).replace(day=1)
        case _:
            return first + _DAY


def _midnight(day: datetime.date, zone: ZoneInfo) -> float:
    return datetime.datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()
