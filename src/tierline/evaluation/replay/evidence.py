"""From rows that were decided again to what the log can prove: coverage, quality, cost and latency with intervals, and what is missing."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from tierline.evaluation.counterfactual import Sample, Value, Vector, clip, evaluate, needed
from tierline.evaluation.interval import Figure, unknown, within
from tierline.evaluation.replay.document import ByTask, Evidence, Needed, NoEvidence
from tierline.evaluation.replay.logged import Logged, Page, all_judged
from tierline.evaluation.replay.support import DETERMINISTIC, NOT_BY_CHANCE, Could, Supporter, group_of

FEWEST = 20
"""Answers of a model in a task from which its latency there is taken as known."""

FOLDS = 5
SHRINK = 10.0
"""A mean of n answers counts n / (n + SHRINK) against the mean of all answers of that model."""

HALVES = (0.01, 0.02, 0.05)
SHARES = (0.02, 0.05, 0.1, 0.25)
_WORST_DEVIATION = 0.5
_EXAMPLES = 5

Codes = NDArray[np.int64]


class Seen(msgspec.Struct):
    """Columns over the rows that were decided again, in their order; -1 as support means: the whole log must tell."""

    task: array[int] = msgspec.field(default_factory=lambda: array("q"))
    done: array[int] = msgspec.field(default_factory=lambda: array("q"))
    new: array[int] = msgspec.field(default_factory=lambda: array("q"))
    ratio: array[float] = msgspec.field(default_factory=lambda: array("d"))
    supported: array[int] = msgspec.field(default_factory=lambda: array("b"))
    quality: array[float] = msgspec.field(default_factory=lambda: array("d"))
    cost: array[float] = msgspec.field(default_factory=lambda: array("d"))
    latency: array[float] = msgspec.field(default_factory=lambda: array("d"))
    alone: array[int] = msgspec.field(default_factory=lambda: array("b"))
    answered: array[int] = msgspec.field(default_factory=lambda: array("q"))
    names: dict[str, int] = {}
    tasks: dict[str, int] = {}
    pending: dict[int, tuple[tuple[str, str, str], frozenset[str]]] = {}
    reasons: dict[str, list[str]] = {}
    counts: Counter[str] = msgspec.field(default_factory=Counter)
    judges: Counter[str] = msgspec.field(default_factory=Counter)

    def add(self, row: Logged, target: str, chances: Mapping[str, float], could: Could) -> None:
        """Take one row."""
        done = row.decision
        if could.known is None:
            self.pending[len(self.task)] = (group_of(row), frozenset(t for t, chance in chances.items() if chance > 0))
        self.task.append(self.tasks.setdefault(done.task, len(self.tasks)))
        self.done.append(self._code(done.target))
        self.new.append(self._code(target))
        self.ratio.append(chances.get(done.target, 0.0) / done.propensity if done.propensity > 0 else 0.0)
        self.supported.append(-1 if could.known is None else int(could.known))
        self.quality.append(np.nan if row.quality is None else row.quality)
        self.cost.append(np.nan if row.cost is None else row.cost)
        self.latency.append(np.nan if row.latency is None else row.latency)
        self.alone.append(row.alone)
        self.answered.append(self._code(row.model))
        if row.judge:
            self.judges[row.judge] += 1
        if could.known is False:
            self.missing(could.reason, row.features.request_id)

    def same(self, page: Page, labels: Mapping[str, float]) -> None:
        """Take stored rows of which the new spec is certain to do what was done, where the log is a witness of that."""
        done = _codes(self.names, page.column("first_model"))
        self.done.extend(done)
        self.new.extend(done)
        _extend(self.ratio, 1.0 / np.array(page.column("propensity"), dtype=np.float64))
        self.supported.frombytes(b"\1" * len(page))
        self._answers(page, labels)

    def moved(self, page: Page, targets: Sequence[str], labels: Mapping[str, float]) -> None:
        """Take stored rows of which nothing was left to chance, and of which the new spec is certain to do something else: no support."""
        self.done.extend(_codes(self.names, page.column("first_model")))
        self.new.extend(_codes(self.names, targets))
        _extend(self.ratio, np.zeros(len(page)))
        self.supported.frombytes(bytes(len(page)))
        self._answers(page, labels)

    def _answers(self, page: Page, labels: Mapping[str, float]) -> None:
        known = all_judged(page, labels)
        bare = np.isnan(np.array(page.column("winner"), dtype=np.float64))
        _extend(self.quality, np.array([quality for quality, _ in known], dtype=np.float64))
        _extend(self.cost, np.where(bare, np.nan, np.array(page.column("cost"), dtype=np.float64)))
        _extend(self.latency, np.where(bare, np.nan, np.array(page.column("latency"), dtype=np.float64)))
        self.task.extend(_codes(self.tasks, page.column("task")))
        self.alone.frombytes((np.array(page.column("attempts")) == 1).tobytes())
        self.answered.extend(_codes(self.names, page.column("model")))
        self.judges.update([judge for _, judge in known if judge])

    def missing_all(self, why: str, requests: Sequence[str]) -> None:
        """Count rows about which nothing can be proved."""
        if requests:
            self.counts[why] += len(requests)
            kept = self.reasons.setdefault(why, [])
            kept += requests[: _EXAMPLES - len(kept)]

    def missing(self, why: str, request: str) -> None:
        """Count a row about which nothing can be proved."""
        self.missing_all(why, (request,))

    def settle(self, supporter: Supporter) -> None:
        """Tell what only the whole log can."""
        for place, (group, targets) in self.pending.items():
            supported = supporter.seen(group, targets)
            self.supported[place] = int(supported)
            if not supported:
                self.counts[NOT_BY_CHANCE] += 1
        self.pending.clear()

    def _code(self, name: str) -> int:
        return self.names.setdefault(name, len(self.names))


def _codes(known: dict[str, int], names: Sequence[str]) -> list[int]:
    """The numbers of names; new names get the next ones."""
    for name in set(names) - known.keys():
        known[name] = len(known)
    return list(map(known.__getitem__, names))


def _extend(column: array[float], more: Vector) -> None:
    column.frombytes(more.tobytes())


def evidence(seen: Seen, supporter: Supporter) -> Evidence:
    """Everything that the log can prove about the rows."""
    seen.settle(supporter)
    supported = np.array(seen.supported, dtype=bool)
    changed = np.array(seen.done) != np.array(seen.new)
    quality = np.array(seen.quality)
    value = _value(seen, supported, quality, (0.0, 1.0))
    _note_missing(seen, supported, changed, quality)
    return Evidence(
        coverage=float(supported.mean()) if len(supported) else 0.0,
        changed_coverage=float(supported[changed].mean()) if changed.any() else 1.0,
        supported=int(supported.sum()),
        exact=supporter.exact,
        labelled=dict(seen.judges),
        quality=value,
        cost=_value(seen, supported, np.array(seen.cost), None),
        latency=_value(seen, supported, np.array(seen.latency), None),
        quality_bounds=_bounds(value, quality, supported),
        none=tuple(NoEvidence(why, count, tuple(seen.reasons.get(why, ()))) for why, count in seen.counts.most_common()),
        needed=_needed(quality, supported, changed),
    )


def by_task(seen: Seen) -> ByTask | None:
    """What the change means in seconds, from the means of each task and model over answers in one attempt.

    L = Σ (n_new − n_done) / n · mean latency, over groups of task × model; its variance is Σ ((n_new − n_done) / n)² s² / k, with k
    answers a group."""
    if not seen.task:
        return None
    task, done, new, answered = (np.array(column) for column in (seen.task, seen.done, seen.new, seen.answered))
    latency = np.array(seen.latency)
    width, shape = len(seen.names), len(seen.names) * len(seen.tasks)
    used = ~np.isnan(latency) & np.array(seen.alone, dtype=bool)
    cell = task[used] * width + answered[used]
    count = np.bincount(cell, minlength=shape)
    total = np.bincount(cell, latency[used], minlength=shape)
    squares = np.bincount(cell, latency[used] ** 2, minlength=shape)
    known = count >= FEWEST
    mean = np.divide(total, count, out=np.zeros(shape), where=known)
    variance = np.divide(squares - count * mean**2, np.maximum(count - 1, 1), out=np.zeros(shape), where=known).clip(min=0.0)
    before, after = task * width + done, task * width + new
    both = known[before] & known[after]
    missing = int((~both).sum())
    if not both.any():
        return ByTask(None, None, unknown(f"no task has {FEWEST} answers of both models in one attempt"), missing)
    rows = int(both.sum())
    moved = (np.bincount(after[both], minlength=shape) - np.bincount(before[both], minlength=shape)) / rows
    error = float(np.sqrt((moved**2 * np.divide(variance, count, out=np.zeros(shape), where=known)).sum()))
    was, will = float(mean[before[both]].mean()), float(mean[after[both]].mean())
    return ByTask(was, will, within(will - was, 1.96 * error, None, rows), missing)


def _value(seen: Seen, supported: NDArray[np.bool_], outcome: Vector, bounds: tuple[float, float] | None) -> Value | None:
    """The estimators over the supported rows on which this outcome is known; None where there are none."""
    used = supported & ~np.isnan(outcome)
    if not used.any():
        return None
    task, done, new = (np.array(column)[used] for column in (seen.task, seen.done, seen.new))
    reward = outcome[used]
    weight, clipped = clip(np.array(seen.ratio)[used])
    of_done, of_new = _modelled(task, done, new, reward, len(seen.tasks), len(seen.names))
    return evaluate(Sample(weight, reward, of_done, of_new), bounds, clipped)


def _modelled(task: Codes, done: Codes, new: Codes, reward: Vector, tasks: int, names: int) -> tuple[Vector, Vector]:
    """m(x, done) and m(x, new): the mean of the task and model, shrunk towards the model's and that towards the mean of all; each row's is
    made from the other folds."""
    fold = np.arange(len(reward)) % FOLDS
    of_done, of_new = np.zeros(len(reward)), np.zeros(len(reward))
    for part in range(FOLDS):
        held = fold == part
        rest = ~held
        table = _shrunk(task[rest], done[rest], reward[rest], tasks, names, float(reward.mean()))
        of_done[held], of_new[held] = table[task[held], done[held]], table[task[held], new[held]]
    return of_done, of_new


def _shrunk(task: Codes, done: Codes, reward: Vector, tasks: int, names: int, default: float) -> Vector:
    """Shaped (tasks, names)."""
    overall = float(reward.mean()) if len(reward) else default
    of_name = (np.bincount(done, reward, names) + SHRINK * overall) / (np.bincount(done, minlength=names) + SHRINK)
    cell = task * names + done
    count = np.bincount(cell, minlength=tasks * names).reshape(tasks, names)
    total = np.bincount(cell, reward, tasks * names).reshape(tasks, names)
    table: Vector = (total + SHRINK * of_name) / (count + SHRINK)
    return table


def _bounds(value: Value | None, quality: Vector, supported: NDArray[np.bool_]) -> tuple[float, float] | None:
    """The change over all rows: estimated where there is support; elsewhere at worst all wrong, at best all right (Manski, 1990)."""
    judged = ~np.isnan(quality)
    if not judged.any():
        return None
    share = float(supported.mean())
    rest = quality[~supported & judged]
    was = float(rest.mean()) if len(rest) else float(quality[judged].mean())
    change = value.change if value is not None else Figure(0.0, -1.0, 1.0)
    low, high = (change.low if change.low is not None else -1.0), (change.high if change.high is not None else 1.0)
    return share * low + (1.0 - share) * (0.0 - was), share * high + (1.0 - share) * (1.0 - was)


def _note_missing(seen: Seen, supported: NDArray[np.bool_], changed: NDArray[np.bool_], quality: Vector) -> None:
    unjudged = int((supported & changed & np.isnan(quality)).sum())
    if unjudged:
        seen.counts["supported, but nobody judged its answer"] += unjudged


def _needed(quality: Vector, supported: NDArray[np.bool_], changed: NDArray[np.bool_]) -> tuple[Needed, ...]:
    """How much exploration would tell the change in quality on the changed rows without support."""
    bare = changed & ~supported
    if not bare.any():
        return ()
    judged = ~np.isnan(quality)
    deviation = float(quality[judged].std()) if judged.sum() >= FEWEST else _WORST_DEVIATION
    deviation = deviation or _WORST_DEVIATION
    rate = float(bare.mean()) * float(judged.mean())
    found = []
    for half in HALVES:
        for share in SHARES:
            labelled = needed(half, deviation, share)
            found.append(Needed(half, share, labelled, round(labelled / rate) if rate > 0 else None))
    return tuple(found)


__all__ = ["DETERMINISTIC", "Seen", "by_task", "evidence"]
