"""Models of outcomes: what each model of the fleet gives for a request of a task, fitted from a table of measured answers or from a log.

    good      P(good enough) of a task × model, shrunk towards the model's own mean:  (n·mean + K·mean of model) / (n + K)
    tokens    output tokens, drawn from what was measured; where nothing was, the request's own estimate
    seconds   drawn from what was measured; where nothing was, `ASSUMED_SPEED` tokens a second, and said so

A query that was itself measured gives its own score, cost and seconds. For all others one number a request says how hard it is for
every model, another how hard for this one; `together` is the share of the first (0: models fail independently; 1: always together).
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from statistics import NormalDist

import msgspec
import numpy as np

from tierline.config.loaded import Loaded
from tierline.evaluation.replay.logged import Logged
from tierline.evaluation.table import Cells, Table
from tierline.types.outcome import ErrorClass

SHRINK = 10.0
SAMPLES = 200
ASSUMED_SPEED = 60.0
ASSUMED_FIRST = 0.5
ASSUMED_TOGETHER = 0.5
"""The share of hardness that all models have in common where only a log is known, in which each request was answered by one."""

UNJUDGED = 0.9
"""The pass rate of a model of which no answer was ever judged."""

_NORMAL = NormalDist()


class Kind(msgspec.Struct, frozen=True):
    """What one model gives in one task: P(good), samples of output tokens and seconds (empty: unknown), and how many answers it is from."""

    good: float
    tokens: tuple[int, ...] = ()
    seconds: tuple[float, ...] = ()
    count: int = 0


class Measured(msgspec.Struct, frozen=True):
    """One cell of a table. None where the table has none."""

    score: float
    cost: float | None = None
    seconds: float | None = None
    output: int | None = None


class Fitted(msgspec.Struct, frozen=True):
    """Everything that was fitted. `kinds` by (task, model), `models` by model, `cells` by (query, model); `fails` is the share of calls
    that failed by model and class of error; `assumed` says in words what nothing was measured for."""

    kinds: Mapping[tuple[str, str], Kind]
    models: Mapping[str, Kind]
    cells: Mapping[tuple[str, str], Measured] = {}
    fails: Mapping[str, Mapping[ErrorClass, float]] = {}
    together: float = ASSUMED_TOGETHER
    assumed: tuple[str, ...] = ()

    def kind(self, task: str, model: str) -> Kind:
        """The task's own, else the model's."""
        return self.kinds.get((task, model)) or self.models[model]


class Drawn(msgspec.Struct, frozen=True):
    """What one call would give: how good (0 to 1; from 0.5 on it is good enough), USD (None: by its tokens), seconds, output tokens."""

    score: float
    cost: float | None
    seconds: float
    output: int


def draw(fitted: Fitted, query: str, task: str, model: str, expected: int, seed: str, again: int = 0) -> Drawn:
    """What this model gives for this request, the same whenever it is asked with the same seed, and another when asked `again`.
    `expected`: output tokens by estimate."""
    cell = fitted.cells.get((query, model))
    kind = fitted.kind(task, model)
    dice = random.Random(f"{seed}\x1f{model}\x1f{again}")  # noqa: S311  # a simulation, not a secret
    own, common = dice.gauss(0.0, 1.0), random.Random(seed).gauss(0.0, 1.0)  # noqa: S311
    output = dice.choice(kind.tokens) if kind.tokens else expected
    seconds = dice.choice(kind.seconds) if kind.seconds else ASSUMED_FIRST + output / ASSUMED_SPEED
    if cell is not None:
        output = output if cell.output is None else cell.output
        return Drawn(cell.score, cell.cost, seconds if cell.seconds is None else cell.seconds, output)
    hardness = _NORMAL.cdf(fitted.together**0.5 * common + (1.0 - fitted.together) ** 0.5 * own)
    return Drawn(float(hardness < kind.good), None, seconds, output)


def from_table(loaded: Loaded, table: Table, matched: Mapping[str, str]) -> Fitted:
    """Fitted from measured answers. `matched`: model of the spec → model of the table. Models that are not in the table are as good as the
    mean of their tier's others, or of all."""
    kinds: dict[tuple[str, str], Kind] = {}
    models: dict[str, Kind] = {}
    cells: dict[tuple[str, str], Measured] = {}
    tasks = np.array([str(task) for task in table.task])
    for name, there in matched.items():
        column = table.models.index(there)
        score = table.score[:, column]
        known = ~np.isnan(score)
        models[name] = _kind(score[known], _of(table.output_tokens, known, column), _of(table.latency, known, column), None)
        for task in dict.fromkeys(tasks.tolist()):
            rows = known & (tasks == task)
            if rows.any():
                kinds[task, name] = _kind(
                    score[rows], _of(table.output_tokens, rows, column), _of(table.latency, rows, column), models[name]
                )
        for row in np.flatnonzero(known).tolist():
            cells[table.query[row], name] = Measured(
                float(score[row]),
                _number(table.cost, row, column),
                _number(table.latency, row, column),
                None if (output := _number(table.output_tokens, row, column)) is None else round(output),
            )
    assumed = _fill(loaded, models)
    if table.latency is None:
        assumed.append(f"the data have no latencies: {ASSUMED_FIRST} s and {ASSUMED_SPEED:.0f} tokens a second are assumed")
    columns = [table.models.index(there) for there in dict.fromkeys(matched.values())]
    return Fitted(kinds, models, cells, {}, _together(table.score[:, columns], tasks), tuple(assumed))


def from_log(loaded: Loaded, rows: Iterable[Sequence[Logged]]) -> Fitted:
    """Fitted from what a log's requests gave: quality of those that were judged, tokens, seconds and failures of every attempt."""
    seen: dict[tuple[str, str], _Gathered] = {}
    errors: dict[str, dict[ErrorClass, int]] = {}
    calls: dict[str, int] = {}
    for row in (row for batch in rows for row in batch):
        for place, tried in enumerate(row.tried):
            calls[tried.target] = calls.get(tried.target, 0) + 1
            gathered = seen.setdefault((row.decision.task, tried.target), _Gathered())
            if tried.ok:
                gathered.add(tried.usage.output, tried.elapsed, row.quality if place == row.winner else _rejected(tried.verdicts))
            elif tried.error not in ("outraced", "cancelled", "deadline", "bad_request"):
                of = errors.setdefault(tried.target, {})
                of[tried.error] = of.get(tried.error, 0) + 1
    by_model: dict[str, _Gathered] = {}
    for (_, model), gathered in seen.items():
        by_model.setdefault(model, _Gathered()).join(gathered)
    models = {model: gathered.kind(None) for model, gathered in by_model.items() if gathered.count and model in loaded.models}
    kinds = {key: gathered.kind(models[key[1]]) for key, gathered in seen.items() if gathered.count and key[1] in models}
    unjudged = [model for model in models if not by_model[model].scores]
    assumed = [f"nobody judged an answer of {', '.join(unjudged)}: a pass rate of {UNJUDGED} is a guess"] if unjudged else []
    assumed += _fill(loaded, models)
    assumed.append(f"how far models fail on the same requests is not in a log: {ASSUMED_TOGETHER:.0%} of what makes one hard is shared")
    fails = {model: {kind: count / calls[model] for kind, count in of.items()} for model, of in errors.items()}
    return Fitted(kinds, models, {}, fails, ASSUMED_TOGETHER, tuple(assumed))


class _Gathered:
    """What is known of one task × model while a log is read."""

    def __init__(self) -> None:
        self.count = 0
        self.scores: list[float] = []
        self.tokens: list[int] = []
        self.seconds: list[float] = []

    def add(self, tokens: int, seconds: float, score: float | None) -> None:
        self.count += 1
        if score is not None:
            self.scores.append(score)
        if len(self.tokens) < SAMPLES:
            self.tokens.append(tokens)
            self.seconds.append(seconds)

    def join(self, other: _Gathered) -> None:
        self.count += other.count
        self.scores += other.scores
        self.tokens += other.tokens
        self.seconds += other.seconds

    def kind(self, model: Kind | None) -> Kind:
        return _kind(np.array(self.scores), self.tokens, self.seconds, model)


def _rejected(verdicts: Sequence[object]) -> float | None:
    """An answer that was not given although it came was found wanting, where there were validators."""
    return 0.0 if verdicts else None


def _kind(scores: Cells, tokens: Iterable[float], seconds: Iterable[float], model: Kind | None) -> Kind:
    prior = UNJUDGED if model is None else model.good
    weight = SHRINK if model is not None else 0.0 if len(scores) else 1.0
    good = (float(scores.sum()) + weight * prior) / (len(scores) + weight)
    return Kind(good, tuple(round(count) for count in _spread(tokens)), tuple(_spread(seconds)), len(scores))


def _spread(values: Iterable[float]) -> list[float]:
    """At most `SAMPLES` of the values, evenly over their range."""
    ordered = sorted(value for value in values if value == value)
    if len(ordered) <= SAMPLES:
        return ordered
    return [ordered[round(place * (len(ordered) - 1) / (SAMPLES - 1))] for place in range(SAMPLES)]


def _of(cells: Cells | None, rows: np.ndarray, column: int) -> list[float]:
    return [] if cells is None else cells[rows, column].tolist()


def _number(cells: Cells | None, row: int, column: int) -> float | None:
    if cells is None or np.isnan(cells[row, column]):
        return None
    return float(cells[row, column])


def _fill(loaded: Loaded, models: dict[str, Kind]) -> list[str]:
    """Models that nobody measured are taken to be as good as the others of their tier, or as all; says which."""
    said, known = [], dict(models)
    for name, model in loaded.models.items():
        if name not in models:
            same = [kind.good for other, kind in known.items() if loaded.models[other].tier == model.tier] or [
                k.good for k in known.values()
            ]
            models[name] = Kind(sum(same) / len(same) if same else UNJUDGED)
            said.append(f"{name} was not measured: its pass rate is taken to be {models[name].good:.2f}, as its tier's")
    return said


def _together(score: Cells, tasks: np.ndarray) -> float:
    """The mean correlation of two models' scores within tasks, in [0, 1]: how far what is hard for one is hard for the other."""
    left = score.copy()
    for task in dict.fromkeys(tasks.tolist()):
        rows = tasks == task
        left[rows] -= np.nanmean(left[rows], axis=0)
    left = left[~np.isnan(left).any(axis=1)]
    spread = np.atleast_1d(left.std(axis=0))
    varied = left[:, spread > 0] if len(left) > 2 else left[:, :0]
    if varied.shape[1] < 2:
        return ASSUMED_TOGETHER
    matrix = np.atleast_2d(np.corrcoef(varied.T))
    return float(np.clip(matrix[np.triu_indices(len(matrix), 1)].mean(), 0.0, 1.0))
