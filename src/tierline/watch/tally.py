"""What is kept of an hour of requests: counts, and no words of anybody.

An hour's tally is what every watch looks at, so rows are read once. Its stored form is append-only: a new field goes to the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from tierline.types.record import Tried

MOST_VALUES = 40
"""Different prompts of a task, or names that a model was served as, that are told apart in an hour; further ones are not."""

BANDS = (64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072)
"""Upper ends, in tokens, of the bands of length."""

BINS = 10
"""Bins of a score from 0 to 1."""


class Seen(msgspec.Struct, frozen=True):
    """What the watches want to know of one logged request. `tier` and `model` are of the first call; `tried` are its attempts."""

    at: float
    route: str
    task: str
    tier: str
    cost: float
    fallbacks: int
    escalations: int
    latency: float
    operation: str
    language: str
    input_tokens: int
    difficulty: float | None
    complexity: float
    prompt: str
    tried: Sequence[Tried]


class Cell(msgspec.Struct, array_like=True):
    """Requests of one route, task and tier: their USD and its squares, those that fell back or escalated, and of those with a latency
    budget, how many were late."""

    requests: float = 0.0
    cost: float = 0.0
    squares: float = 0.0
    fallbacks: float = 0.0
    escalations: float = 0.0
    timed: float = 0.0
    late: float = 0.0


class Calls(msgspec.Struct, array_like=True):
    """Calls of one route, task and model: all, those that the provider failed, those whose answer was judged, and rejected."""

    calls: float = 0.0
    failed: float = 0.0
    judged: float = 0.0
    rejected: float = 0.0


class Hour(msgspec.Struct, array_like=True):
    """One hour: `hour` counts from the Unix epoch, `rows` what was read. Keys join names by a line break: `cells` by route, task and tier,
    `calls` by route, task and model, `mixes` by route and facet, `prompts` by route and task; `served` is by model. `prices` are USD per
    million tokens, in and out, of each model then."""

    hour: int
    rows: int = 0
    cells: dict[str, Cell] = msgspec.field(default_factory=dict)
    calls: dict[str, Calls] = msgspec.field(default_factory=dict)
    mixes: dict[str, dict[str, float]] = msgspec.field(default_factory=dict)
    prompts: dict[str, dict[str, float]] = msgspec.field(default_factory=dict)
    served: dict[str, dict[str, float]] = msgspec.field(default_factory=dict)
    prices: dict[str, tuple[float, float]] = msgspec.field(default_factory=dict)


def add(hour: Hour, seen: Seen, budgets: Mapping[str, float]) -> None:
    """Count one request. `budgets` are the latency budgets of tasks, in seconds; under an empty name that of the others, if any."""
    route, task = seen.route, seen.task
    cell = hour.cells.setdefault(f"{route}\n{task}\n{seen.tier}", Cell())
    cell.requests += 1
    cell.cost += seen.cost
    cell.squares += seen.cost * seen.cost
    cell.fallbacks += seen.fallbacks > 0
    cell.escalations += seen.escalations > 0
    budget = budgets.get(task, budgets.get(""))
    if budget is not None:
        cell.timed += 1
        cell.late += seen.latency > budget
    for tried in seen.tried:
        _call(hour, route, task, tried)
    _count(hour.mixes, f"{route}\noperation", seen.operation)
    _count(hour.mixes, f"{route}\nlanguage", seen.language)
    _count(hour.mixes, f"{route}\nlength", _band(seen.input_tokens))
    _count(hour.mixes, f"{route}\ncomplexity", _bin(seen.complexity))
    if seen.difficulty is not None:
        _count(hour.mixes, f"{route}\ndifficulty", _bin(seen.difficulty))
    if seen.prompt:
        _count(hour.prompts, f"{route}\n{task}", seen.prompt)


NOT_THE_PROVIDER = frozenset({"", "bad_request", "untranslatable", "outraced", "cancelled", "budget", "context_exceeded"})
"""Ends of a call that say nothing of the provider."""


def _call(hour: Hour, route: str, task: str, tried: Tried) -> None:
    if tried.cause == "judge" or tried.error in ("untranslatable", "budget"):
        return
    calls = hour.calls.setdefault(f"{route}\n{task}\n{tried.target}", Calls())
    calls.calls += 1
    calls.failed += tried.error not in NOT_THE_PROVIDER
    if tried.ok and tried.verdicts:
        calls.judged += 1
        calls.rejected += not all(verdict.passed for verdict in tried.verdicts)
    if tried.ok and tried.served_model:
        _count(hour.served, tried.target, tried.served_model)


def _count(table: dict[str, dict[str, float]], key: str, value: str) -> None:
    counts = table.setdefault(key, {})
    if value in counts or len(counts) < MOST_VALUES:
        counts[value] = counts.get(value, 0.0) + 1
    else:
        counts[""] = counts.get("", 0.0) + 1


def _band(tokens: int) -> str:
    return next((f"to {most}" for most in BANDS if tokens <= most), "longer")


def _bin(score: float) -> str:
    return f"{min(max(int(score * BINS), 0), BINS - 1) / BINS:.1f}"
