"""After a publish: the new spec's traffic against that of the one before, looked at again and again, until one is shown to be worse.

The two did not run side by side, so what moved in the world meanwhile is counted as the spec's doing: `worse_by` is the room for that. Each
of the two has an interval that holds at every look at once, at half of its guard's part of alpha, and worse is shown only where the two are
apart by more than is allowed. A spec that is no worse than allowed is ever taken back with a chance of alpha at most."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import msgspec

from tierline.config.spec import GuardSpec, ReleaseSpec
from tierline.decision_log.opening import open_reader
from tierline.decision_log.reader import Filter
from tierline.evaluation.experiments.contrast import Units, contrast
from tierline.evaluation.experiments.reading import FEWER_IS_BETTER, RATES, Row, rows_where, units_of
from tierline.evaluation.experiments.sequences import UNKNOWN, Asymptotic, Bounded, Interval, quantile
from tierline.evaluation.experiments.verdict import LEAST, P95
from tierline.evaluation.labels.sayings import said_of

BEFORE, AFTER = "before", "after"
MOST = 50_000
"""Requests of each side that are looked at; the first so many decide."""

_EVEN: Mapping[str, float] = {BEFORE: 0.5, AFTER: 0.5}


class Compared(msgspec.Struct, frozen=True):
    """One guard: both sides' figures, and whether the new spec is shown to be worse than allowed."""

    metric: str
    worse_by: float
    before: Interval
    after: Interval
    worse: bool

    @property
    def sentence(self) -> str:
        """In words."""
        told = [f"{one.value:.4g} [{one.low:.4g}, {one.high:.4g}]" for one in (self.after, self.before)]
        return f"guard {self.metric}: {told[0]} since it was published, {told[1]} before, which is worse by more than {self.worse_by:g}"


def compared(path: Path | str, settings: ReleaseSpec, candidate: str, published: float, since: float) -> list[Compared]:
    """Every guard by the log at `path`. The candidate was published at that Unix time, the spec before it was at work `since`."""
    rows: dict[str, Row] = {}
    with closing(open_reader(path)) as reader:
        for request, row in rows_where(reader, Filter(since=since, until=published), MOST):
            if not row.arm.startswith("candidate"):
                rows[request] = msgspec.structs.replace(row, arm=BEFORE, shares=_EVEN)
        for request, row in rows_where(reader, Filter(since=published, policy=candidate), MOST):
            if not row.arm:
                rows[request] = msgspec.structs.replace(row, arm=AFTER, shares=_EVEN)
    said = said_of(path)
    metrics = {guard.metric.replace(P95, "latency") for guard in settings.guards}
    units = {metric: units_of(rows, said, (BEFORE, AFTER), metric) for metric in metrics}
    each = settings.alpha / max(len(settings.guards), 1) / 2.0
    return [_guard(guard, units[guard.metric.replace(P95, "latency")], each) for guard in settings.guards]


def _guard(guard: GuardSpec, units: Units, alpha: float) -> Compared:
    few = min(units.count(BEFORE), units.count(AFTER))
    rate = guard.metric in RATES
    if not few or (not rate and few < LEAST):
        return Compared(guard.metric, guard.worse_by, UNKNOWN, UNKNOWN, False)
    before, after = (_interval(guard.metric, units, name, alpha) for name in (BEFORE, AFTER))
    if not rate:
        worse = after.low > (1.0 + guard.worse_by) * before.high
    elif guard.metric in FEWER_IS_BETTER:
        worse = after.low > before.high + guard.worse_by
    else:
        worse = after.high < before.low - guard.worse_by
    return Compared(guard.metric, guard.worse_by, before, after, worse)


def _interval(metric: str, units: Units, name: str, alpha: float) -> Interval:
    if metric == P95:
        return quantile(units.of(name), 0.95, alpha)
    numbers = contrast(units, {name: 1.0}, bounded=metric in RATES)
    return Bounded(numbers, alpha).interval() if metric in RATES else Asymptotic(numbers, alpha).interval()
