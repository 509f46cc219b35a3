"""Figures as people read them."""

from __future__ import annotations

import math

NONE = "–"
"""What stands where there is no figure."""
PER = 1000
"""Queries for which costs are shown: the cost of one is a row of noughts."""


def percent(value: float | None, digits: int = 1) -> str:
    """A share: `84.2 %`."""
    return NONE if value is None or not math.isfinite(value) else f"{value * 100:.{digits}f}\N{NO-BREAK SPACE}%"


def points(value: float | None, digits: int = 1) -> str:
    """A difference of shares, in percentage points with its sign: `+3.4`."""
    if value is None or not math.isfinite(value):
        return NONE
    shown = f"{value * 100:+.{digits}f}"
    return shown.replace("-", "−") if float(shown) else f"{0:.{digits}f}"


def usd(value: float | None, signed: bool = False) -> str:
    """USD per thousand queries, of a cost of one: `$1.24`."""
    if value is None or not math.isfinite(value):
        return NONE
    total = value * PER
    sign = ("−" if total < 0 else "+" if total > 0 else "") if signed or total < 0 else ""
    return f"{sign}${plain(abs(total))}"


def plain(value: float) -> str:
    """A number with three figures that count, and no more than are needed: `1,240`, `12.4`, `0.00124`."""
    if not value:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    places = max(2 - math.floor(math.log10(abs(value))), 0)
    return f"{value:.{min(places, 9)}f}"


def round_percent(value: float) -> str:
    """A share that is a round number, for scales: `5 %`, `2.5 %`."""
    return f"{value * 100:.6g}\N{NO-BREAK SPACE}%".replace("-", "−")


def round_points(value: float) -> str:
    """A difference of shares that is a round number, for scales: `+5`, `0`."""
    return f"{value * 100:+.6g}".replace("-", "−") if abs(value) > 1e-12 else "0"


def round_usd(value: float) -> str:
    """USD per thousand queries, given per thousand and round, for scales: `$0.05`."""
    return f"{'−' if value < 0 else ''}${abs(value):,.6g}"


def decimal(value: float | None, digits: int = 3) -> str:
    """A figure without a unit: `0.684`."""
    return NONE if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


def count(value: int) -> str:
    """`10,180`."""
    return f"{value:,}"


def seconds(value: float | None) -> str:
    """`1.24 s`."""
    return NONE if value is None or not math.isfinite(value) else f"{plain(value)}\N{NO-BREAK SPACE}s"


def plural(number: int, one: str, many: str = "") -> str:
    """`1 query`, `2 queries`."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"
