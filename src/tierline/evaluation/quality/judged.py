"""Pass rates that were measured: held against those that were declared and predicted, and by slices of the traffic."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec
import numpy as np

from tierline.config.loaded import Loaded
from tierline.evaluation.document import Reliability
from tierline.evaluation.metrics.calibration import reliability
from tierline.evaluation.review.due import ENOUGH
from tierline.evaluation.wilson import wilson

LENGTHS = ((200, "up to 200"), (1_000, "201 to 1,000"), (5_000, "1,001 to 5,000"))
"""Bands of a request's input tokens."""
SHOWN = 12


class Judged(msgspec.Struct, frozen=True):
    """One answer that was judged, the first one asked for or the one that was given: whose, whether it was `good` enough, the pass rate
    that a scorer `predicted` for it (None where none did), and what it belongs to."""

    model: str
    good: bool
    predicted: float | None
    task: str
    route: str
    language: str
    tokens: int


class Rate(msgspec.Struct, frozen=True):
    """How many of `judged` answers passed: `value` in [0, 1], with its 95 % interval."""

    judged: int
    value: float
    low: float
    high: float


class Held(msgspec.Struct, frozen=True):
    """A declared pass rate against the measured one (None: nobody judged an answer). `verdict`: `holds`, `too high`, `too low`, or `no
    evidence` below 30 judged answers."""

    task: str
    model: str
    declared: float
    measured: Rate | None
    verdict: str


class Slice(msgspec.Struct, frozen=True):
    """A part of the judged answers; `bar` is the task's, where the slice is one."""

    dimension: str
    name: str
    rate: Rate
    bar: float | None


class Predicted(msgspec.Struct, frozen=True):
    """A scorer's pass rates of one model against what came."""

    model: str
    judged: int
    reliability: Reliability


def rate_of(good: Sequence[bool]) -> Rate:
    """Of at least one answer."""
    low, high = wilson(sum(good), len(good))
    return Rate(len(good), sum(good) / len(good), max(low, 0.0), min(high, 1.0))


def held(loaded: Loaded, found: Iterable[Judged]) -> list[Held]:
    """Every pass rate that the spec declares."""
    cells: dict[tuple[str, str], list[bool]] = {}
    for one in found:
        cells.setdefault((one.task, one.model), []).append(one.good)
    return [
        _held(task, model, float(declared), cells.get((task, model), []))
        for task, spec in loaded.spec.tasks.items()
        for model, declared in spec.quality.items()
    ]


def _held(task: str, model: str, declared: float, good: Sequence[bool]) -> Held:
    if not good:
        return Held(task, model, declared, None, "no evidence")
    rate = rate_of(good)
    if len(good) < ENOUGH:
        return Held(task, model, declared, rate, "no evidence")
    return Held(task, model, declared, rate, "too high" if declared > rate.high else "too low" if declared < rate.low else "holds")


def predicted(found: Iterable[Judged]) -> list[Predicted]:
    """Each model for which a scorer predicted at least 30 answers that were judged."""
    by_model: dict[str, list[tuple[float, float]]] = {}
    for one in found:
        if one.predicted is not None:
            by_model.setdefault(one.model, []).append((one.predicted, float(one.good)))
    return list(_reliable(by_model))


def _reliable(by_model: dict[str, list[tuple[float, float]]]) -> Iterator[Predicted]:
    for model, pairs in sorted(by_model.items()):
        columns = np.array(pairs)
        how = reliability(columns[:, 0], columns[:, 1]) if len(pairs) >= ENOUGH else None
        if how is not None:
            yield Predicted(model, len(pairs), how)


def slices(loaded: Loaded, found: Iterable[Judged]) -> list[Slice]:
    """The slices of at least 30 judged answers, the worst first, by the upper end of the interval, so that none is called bad by chance."""
    parts: dict[tuple[str, str], list[bool]] = {}
    for one in found:
        band = next((name for most, name in LENGTHS if one.tokens <= most), "over 5,000")
        for key in (("task", one.task), ("route", one.route), ("language", one.language), ("input tokens", band), ("model", one.model)):
            parts.setdefault(key, []).append(one.good)
    bars = {name: float(task.quality_bar) for name, task in loaded.spec.tasks.items() if task.quality_bar is not None}
    made = [
        Slice(dimension, name, rate_of(good), bars.get(name) if dimension == "task" else None)
        for (dimension, name), good in parts.items()
        if len(good) >= ENOUGH
    ]
    return sorted(made, key=lambda one: (one.rate.high, one.dimension, one.name))[:SHOWN]
