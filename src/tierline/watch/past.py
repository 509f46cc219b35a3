"""The hours that are looked at, as arrays: what was counted, by subject and hour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from tierline.config.alerts import Watch
from tierline.watch.evidence import Floats
from tierline.watch.tally import Calls, Cell, Hour

HOUR = 3600.0
"""Seconds of an hour."""

KEPT = 70 * 24
"""Hours that the watches look back on: what is compared, what it is compared with, and by how much that varied before."""

Named = Mapping[tuple[str, ...], Floats]
Values = Sequence[Mapping[str, float]]


class Budgeted(msgspec.Struct, frozen=True):
    """A paced budget as it stands: USD or tokens; `exhausted_at` and `ends` are Unix seconds."""

    name: str
    limit: float
    used: float
    projected: float
    exhausted_at: float | None
    ends: float


class Past(msgspec.Struct, frozen=True):
    """Whole hours in a row, from the hour `first` since the Unix epoch, which begins a day (UTC). `cells` (by route, task, tier) and
    `calls` (by route, task, model) hold arrays of counts by hour, in the order of the fields of `Cell` and `Calls`; `mixes` (by
    route, facet, value) arrays by hour. `prompts` (by route, task), `served` (by model) and `prices` hold, hour by hour, how often
    each value was seen, or what it was. `asked` is the name by which each model is asked for; `budgets` how the budgets stand in the
    last hour."""

    first: int
    length: int
    cells: Named = {}
    calls: Named = {}
    mixes: Named = {}
    prompts: Mapping[tuple[str, ...], Values] = {}
    served: Mapping[str, Values] = {}
    prices: Mapping[str, Sequence[tuple[float, float] | None]] = {}
    asked: Mapping[str, str] = {}
    budgets: tuple[Budgeted, ...] = ()

    @property
    def last(self) -> int:
        """The place of the last hour."""
        return self.length - 1

    def at(self, hour: int) -> float:
        """When an hour began, Unix seconds, by its place."""
        return (self.first + hour) * HOUR


def past_of(hours: Sequence[Hour], asked: Mapping[str, str] = {}, budgets: Sequence[Budgeted] = ()) -> Past:
    """The arrays of hours, which may come in any order and with gaps: an hour that is missing had no requests. None at all is no past."""
    if not hours:
        return Past(0, 0, asked=asked, budgets=tuple(budgets))
    first, last = min(hour.hour for hour in hours) // 24 * 24, max(hour.hour for hour in hours)
    length = last - first + 1
    cells: dict[tuple[str, ...], Floats] = {}
    calls: dict[tuple[str, ...], Floats] = {}
    mixes: dict[tuple[str, ...], Floats] = {}
    prompts: dict[tuple[str, ...], list[Mapping[str, float]]] = {}
    served: dict[str, list[Mapping[str, float]]] = {}
    prices: dict[str, list[tuple[float, float] | None]] = {}
    for hour in hours:
        place = hour.hour - first
        for key, cell in hour.cells.items():
            _row(cells, key, len(Cell.__struct_fields__), length)[:, place] = msgspec.structs.astuple(cell)
        for key, call in hour.calls.items():
            _row(calls, key, len(Calls.__struct_fields__), length)[:, place] = msgspec.structs.astuple(call)
        for key, counts in hour.mixes.items():
            for value, count in counts.items():
                name = (*key.split("\n"), value)
                if name not in mixes:
                    mixes[name] = np.zeros(length)
                mixes[name][place] = count
        for key, counts in hour.prompts.items():
            prompts.setdefault(tuple(key.split("\n")), [{}] * length)[place] = counts
        for key, counts in hour.served.items():
            served.setdefault(key, [{}] * length)[place] = counts
        for key, price in hour.prices.items():
            prices.setdefault(key, [None] * length)[place] = price
    return Past(first, length, cells, calls, mixes, prompts, served, prices, asked, tuple(budgets))


def _row(table: dict[tuple[str, ...], Floats], key: str, fields: int, length: int) -> Floats:
    name = tuple(key.split("\n"))
    if name not in table:
        table[name] = np.zeros((fields, length))
    return table[name]


def chosen(table: Named, watch: Watch) -> dict[tuple[str, ...], Floats]:
    """What a watch looks at of cells or calls: those of its routes and tasks."""
    return {
        name: counts
        for name, counts in table.items()
        if (not watch.routes or name[0] in watch.routes) and (not watch.tasks or name[1] in watch.tasks)
    }


def grouped(table: Mapping[tuple[str, ...], Floats], place: int) -> dict[str, Floats]:
    """Sums over everything that has the same name at a place of its key."""
    found: dict[str, Floats] = {}
    for name, counts in sorted(table.items()):
        found[name[place]] = found[name[place]] + counts if name[place] in found else counts
    return found
