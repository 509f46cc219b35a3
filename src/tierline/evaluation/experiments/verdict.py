"""What an experiment says at this moment: each arm's figures, each pair compared, each guard, and what follows.

Every interval holds at every moment at once. The pairs share the experiment's alpha evenly, and so do the guards theirs (Bonferroni):
the chance that any pair is ever called decided wrongly is at most alpha, and the chance that any guard ever stops an arm that is no worse
than allowed is at most alpha as well."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

import msgspec

from tierline.config.experiments import baseline_of
from tierline.config.spec import ArmSpec, ExperimentSpec, GuardSpec
from tierline.evaluation.experiments.contrast import Units, contrast
from tierline.evaluation.experiments.reading import FEWER_IS_BETTER, RATES, Row, units_of
from tierline.evaluation.experiments.sequences import UNKNOWN, Asymptotic, Bounded, Interval, quantile
from tierline.evaluation.labels.sayings import Sayings
from tierline.ledger.arms import ArmEntry

LEAST = 50
"""Units of each arm before the central limit theorem is relied on."""

P95 = "latency_p95"


class ArmReading(msgspec.Struct, frozen=True):
    """One arm: what was done to it last and why, its share now, how many requests and units it had, and by metric its estimate and of how
    many units that is."""

    name: str
    state: str
    why: str
    by: str
    share: float
    requests: int
    units: int
    estimates: Mapping[str, Interval]
    measured: Mapping[str, int]


class Comparison(msgspec.Struct, frozen=True):
    """Two arms by the experiment's metric: how much more `arm` has than `other`, and the e-value of the better direction. `better` names
    the arm that is shown to be better; `equal`: they are shown to differ by no more than the margin."""

    arm: str
    other: str
    difference: Interval
    evidence: float
    better: str
    equal: bool


class GuardReading(msgspec.Struct, frozen=True):
    """One guard of one arm: by how much the arm is worse than it may be (below zero: it is not), the e-value for that, what it takes, and
    whether it is shown. For cost and latency in their own units, against the baseline's with the allowance on it."""

    arm: str
    metric: str
    worse_by: float
    excess: Interval
    evidence: float
    needed: float
    shown: bool


class Verdict(msgspec.Struct, frozen=True):
    """The whole experiment. `winner` beats every other arm that runs; `equal`: all that run are shown to be equal within the margin."""

    experiment: str
    metric: str
    began: float | None
    baseline: str
    arms: tuple[ArmReading, ...]
    comparisons: tuple[Comparison, ...]
    guards: tuple[GuardReading, ...]
    winner: str
    equal: bool
    follows: str


def verdict(
    name: str,
    experiment: ExperimentSpec,
    rows: Mapping[str, Row],
    said: Sayings,
    entries: Sequence[ArmEntry] = (),
    began: float | None = None,
    *,
    figures: bool = True,
) -> Verdict:
    """What the rows of an experiment say; without `figures` only what pairs and guards do, which is quicker."""
    names = tuple(sorted(experiment.arms))
    known = {entry.arm: entry for entry in entries}
    by_metric = {metric: units_of(rows, said, names, metric) for metric in _wanted(experiment, figures)}
    running = [arm for arm in names if arm not in known or known[arm].state != "stopped"]
    comparisons = _compared(experiment, by_metric[experiment.metric], names) if figures or experiment.stop else ()
    guards = _guarded(experiment, by_metric, names, figures)
    winner = next((arm for arm in running if len(running) > 1 and _beats_all(arm, running, comparisons)), "")
    among = [one for one in comparisons if one.arm in running and one.other in running]
    equal = bool(among) and not winner and all(one.equal for one in among)
    arms = tuple(_arm(arm, experiment, rows, by_metric, known.get(arm)) for arm in names) if figures else ()
    baseline = baseline_of(experiment)
    follows = _follows(experiment, running, winner, equal, [one for one in guards if one.shown and one.arm in running])
    return Verdict(name, experiment.metric, began, baseline, arms, comparisons, guards, winner, equal, follows)


def _wanted(experiment: ExperimentSpec, figures: bool) -> list[str]:
    shown = ["pass_rate", "error_rate", "cost", "latency"] if figures else []
    guarded = [guard.metric.replace(P95, "latency") for guard in experiment.guards]
    return list(dict.fromkeys([experiment.metric, *shown, *guarded]))


def _arm(
    arm: str, experiment: ExperimentSpec, rows: Mapping[str, Row], by_metric: Mapping[str, Units], entry: ArmEntry | None
) -> ArmReading:
    mine = [row for row in rows.values() if row.arm == arm]
    given = experiment.arms[arm]
    share = given.share if isinstance(given, ArmSpec) else float(given)
    return ArmReading(
        arm,
        "running" if entry is None else entry.state,
        "" if entry is None else entry.why,
        "" if entry is None else entry.by,
        share if entry is None or entry.share is None else entry.share,
        len(mine),
        len({row.unit for row in mine}),
        {metric: _mean(units, arm, metric, experiment.alpha) for metric, units in by_metric.items()},
        {metric: units.count(arm) for metric, units in by_metric.items()},
    )


def _mean(units: Units, arm: str, metric: str, alpha: float) -> Interval:
    """One arm's mean: plain while the shares stayed, weighted by them where they moved."""
    pool = units.names if units.moved else ()
    numbers = contrast(units, {arm: 1.0}, pool=pool, bounded=metric in RATES)
    if not units.count(arm):
        return UNKNOWN
    return Bounded(numbers, alpha).interval() if metric in RATES else Asymptotic(numbers, alpha).interval()


def _compared(experiment: ExperimentSpec, units: Units, names: tuple[str, ...]) -> tuple[Comparison, ...]:
    pairs = list(itertools.combinations(names, 2))
    return tuple(_pair(experiment, units, one, other, experiment.alpha / len(pairs)) for one, other in pairs)


def _pair(experiment: ExperimentSpec, units: Units, one: str, other: str, alpha: float) -> Comparison:
    rate, margin = experiment.metric in RATES, experiment.margin
    numbers = contrast(units, {one: 1.0, other: -1.0}, bounded=rate)
    if not units.count(one) or not units.count(other) or not len(numbers.y):
        return Comparison(one, other, UNKNOWN, 1.0, "", False)
    test = Bounded(numbers, alpha) if rate else Asymptotic(numbers, alpha)
    difference = test.interval()
    if not rate and min(units.count(one), units.count(other)) < LEAST:
        difference = Interval(difference.value, -math.inf, math.inf)
    evidence = max(test.evidence_above(0.0), test.evidence_below(0.0))
    more, less = (other, one) if experiment.metric in FEWER_IS_BETTER else (one, other)
    better = more if difference.low > 0 else less if difference.high < 0 else ""
    return Comparison(one, other, difference, evidence, better, bool(margin) and -margin <= difference.low and difference.high <= margin)


def _beats_all(arm: str, running: Sequence[str], comparisons: Sequence[Comparison]) -> bool:
    beaten = {one.arm if one.other == arm else one.other for one in comparisons if one.better == arm}
    return all(other in beaten for other in running if other != arm)


def _guarded(experiment: ExperimentSpec, by_metric: Mapping[str, Units], names: tuple[str, ...], figures: bool) -> tuple[GuardReading, ...]:
    baseline = baseline_of(experiment)
    watched = [arm for arm in names if arm != baseline]
    each = experiment.alpha / max(len(watched) * len(experiment.guards), 1)
    return tuple(
        _guard(guard, by_metric[guard.metric.replace(P95, "latency")], arm, baseline, each, figures)
        for guard in experiment.guards
        for arm in watched
    )


def _guard(guard: GuardSpec, units: Units, arm: str, baseline: str, alpha: float, figures: bool) -> GuardReading:
    needed, few = 1.0 / alpha, min(units.count(arm), units.count(baseline))
    if guard.metric == P95:
        return _slow(guard, units, arm, baseline, alpha)
    rate = guard.metric in RATES
    if not few or (not rate and few < LEAST):
        return GuardReading(arm, guard.metric, guard.worse_by, UNKNOWN, 1.0, needed, False)
    if rate:
        sign = 1.0 if guard.metric in FEWER_IS_BETTER else -1.0
        test: Bounded | Asymptotic = Bounded(contrast(units, {arm: sign, baseline: -sign}), alpha)
        allowed = guard.worse_by
    else:
        test = Asymptotic(contrast(units, {arm: 1.0, baseline: -(1.0 + guard.worse_by)}, bounded=False), alpha)
        allowed = 0.0
    evidence = test.evidence_above(allowed)
    worse = test.interval() if figures or evidence >= needed else UNKNOWN
    excess = Interval(worse.value - allowed, worse.low - allowed, worse.high - allowed)
    return GuardReading(arm, guard.metric, guard.worse_by, excess, evidence, needed, evidence >= needed)


def _slow(guard: GuardSpec, units: Units, arm: str, baseline: str, alpha: float) -> GuardReading:
    """Both arms' 95th percentiles, each at half the alpha: worse is shown where the intervals are apart."""
    mine, theirs = (quantile(units.of(name), 0.95, alpha / 2.0) for name in (arm, baseline))
    more = 1.0 + guard.worse_by
    excess = Interval(mine.value - more * theirs.value, mine.low - more * theirs.high, mine.high - more * theirs.low)
    shown = excess.low > 0
    return GuardReading(arm, guard.metric, guard.worse_by, excess, 1.0 / alpha if shown else 1.0, 1.0 / alpha, shown)


def _follows(experiment: ExperimentSpec, running: Sequence[str], winner: str, equal: bool, shown: Sequence[GuardReading]) -> str:
    if shown:
        arms = ", ".join(sorted({one.arm for one in shown}))
        return f"A guard has fallen: {arms} is to be stopped, and its requests go to the others."
    if len(running) < 2:
        return "One arm is left, so there is nothing to compare: take the experiment out of the spec."
    if winner:
        return f"{winner} is better, and no further look can be needed: give it all the traffic in the spec. Until then the shares stay."
    if equal:
        return f"They differ by {experiment.margin:g} at most: take the cheaper one. Until then the shares stay."
    return "Nothing is shown yet: let it run."
