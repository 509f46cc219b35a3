"""One line of the scorer's table, and how figures of several seeds and resampled queries become one."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table


class Line(msgspec.Struct, frozen=True):
    """What was measured, what came, its 95 % interval in words, the goal, and whether it was reached (None: it is only reported)."""

    what: str
    reached: str
    interval: str = ""
    goal: str = ""
    met: bool | None = None


def show(console: Console, lines: Sequence[Line]) -> None:
    """The table, and how many goals were reached."""
    table = Table("what, out of sample", "reached", "95 % interval / seeds", "goal", "", title="the learned scorer")
    for line in lines:
        table.add_row(line.what, line.reached, line.interval, line.goal, {True: "yes", False: "MISSED", None: ""}[line.met])
    console.print(table)
    judged = [line.met for line in lines if line.met is not None]
    console.print(f"{sum(judged)} of {len(judged)} goals reached")


def over_seeds(values: Sequence[float], digits: int = 3) -> str:
    """The range over seeds."""
    return f"seeds {min(values):.{digits}f} – {max(values):.{digits}f}"


def between(resampled: Sequence[float], digits: int = 3) -> str:
    """The 95 % percentile interval of resampled figures."""
    low, high = np.nanquantile(np.asarray(resampled, dtype=float), (0.025, 0.975))
    return f"[{low:.{digits}f}, {high:.{digits}f}]"
