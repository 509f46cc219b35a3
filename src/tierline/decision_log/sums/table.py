"""Rows of the log → their sums, by span of time, route, task, tier and model. Pure."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

DAY, HOUR, MINUTE = 86400, 3600, 60
"""The spans of time in seconds, in UTC; minutes are kept for a day and a little, hours and days for ever."""

MINUTES_KEPT = 26 * 3600.0
"""Seconds for which sums of minutes are kept."""

READ = (
    "request_id", "at", "route", "task", "tier", "model", "status", "error", "cost", "input_tokens", "output_tokens", "cached_tokens",
    "fallbacks", "escalations", "latency", "winner", "flagged", "answered", "tried",
)  # fmt: skip
"""The columns of `decisions` that are read, after `seq`."""

FIGURES = (
    "requests", "answered", "by_tools", "failed", "checked", "passed", "flagged", "fallbacks", "escalations",
    "input_tokens", "output_tokens", "cached_tokens", "cost", "final_input", "final_output", "final_cached",
)  # fmt: skip
"""What is added up, in the order of `Sum.figures`: requests; those that a model answered; that a tool did; that ended with an error; those
whose answer was checked, and passed; flagged; with a fallback; with an escalation; tokens and USD over all attempts; and the tokens of the
attempt that gave the answer alone."""

_GROWTH = math.log(1.07)
_LEAST = 0.0001

Key = tuple[int, int, str, str, str, str]
"""Span, its start (Unix seconds), route, task, tier, model."""


class Sum(msgspec.Struct):
    """The sums of one key: `figures` in the order of `FIGURES`, and how many answers took how long, by `bucket`."""

    figures: list[float]
    latency: dict[int, int]


class _Verdict(msgspec.Struct, frozen=True, array_like=True):
    name: msgspec.Raw
    passed: bool


class _Usage(msgspec.Struct, frozen=True, array_like=True):
    input: int = 0
    output: int = 0
    cached: int = 0


class _Tried(msgspec.Struct, frozen=True, array_like=True):
    """The head of a stored attempt."""

    target: msgspec.Raw
    cause: msgspec.Raw
    ok: msgspec.Raw
    cost: msgspec.Raw
    elapsed: msgspec.Raw
    ttft: msgspec.Raw
    usage: _Usage = _Usage()
    error: msgspec.Raw = msgspec.Raw()
    status: msgspec.Raw = msgspec.Raw()
    verdicts: tuple[_Verdict, ...] = ()


_tried = msgspec.msgpack.Decoder(tuple[_Tried, ...]).decode


def bucket(seconds: float) -> int:
    """The bucket of a latency; each is 7 % wider than the one before."""
    return max(0, int(math.log(seconds / _LEAST) / _GROWTH)) if seconds > _LEAST else 0


def middle(number: int) -> float:
    """The latency in the middle of a bucket, in seconds."""
    return _LEAST * math.exp((number + 0.5) * _GROWTH)


def percentile(latency: Mapping[int, int], share: float) -> float | None:
    """The latency that such a share of answers kept to, within 3.5 %; None where there are none."""
    whole, seen = sum(latency.values()), 0
    for number in sorted(latency):
        seen += latency[number]
        if seen >= share * whole:
            return middle(number)
    return None


def summed(rows: Iterable[Sequence[Any]], minutes_from: float) -> dict[Key, Sum]:
    """Sums of rows (`seq`, then the columns `READ`) by the hour and the day; those younger than `minutes_from` (Unix seconds) by the minute
    too."""
    return widened(narrow(rows, minutes_from))


def narrow(rows: Iterable[Sequence[Any]], minutes_from: float) -> dict[Key, Sum]:
    """The same in the narrowest span alone that each row is summed by."""
    gathered: defaultdict[Key, list[tuple[float, ...]]] = defaultdict(list)
    taken: defaultdict[Key, list[int]] = defaultdict(list)
    for row in rows:
        key = (*span_of(row[2], minutes_from), *row[3:7])
        figures, place = _figures(row)
        gathered[key].append(figures)
        if place is not None:
            taken[key].append(place)
    return {
        key: Sum([float(sum(column)) for column in zip(*each, strict=True)], dict(Counter(taken[key]))) for key, each in gathered.items()
    }


def span_of(at: float, minutes_from: float) -> tuple[int, int]:
    """The narrowest span that a moment is summed by, and its start."""
    span = MINUTE if at >= minutes_from else HOUR
    return span, int(at // span) * span


def widened(found: dict[Key, Sum]) -> dict[Key, Sum]:
    """Sums of narrow spans with those of the wide ones they lie in, in place."""
    _widen(found, MINUTE, HOUR)
    _widen(found, HOUR, DAY)
    return found


def _widen(found: dict[Key, Sum], span: int, wide: int) -> None:
    for key, total in [*found.items()]:
        if key[0] == span:
            add(found, (wide, key[1] // wide * wide, *key[2:]), total)


def add(found: dict[Key, Sum], key: Key, total: Sum) -> None:
    """Add to what is found under a key, in place."""
    into = found.setdefault(key, Sum([0.0] * len(FIGURES), {}))
    into.figures = [a + b for a, b in zip(into.figures, total.figures, strict=True)]
    merged(into.latency, total.latency)


def _figures(row: Sequence[Any]) -> tuple[tuple[float, ...], int | None]:
    """The figures of one row, and the bucket of its latency where a model answered it."""
    status, error, cost, tokens_in, tokens_out, cached, fallbacks, escalations, latency, winner, flagged, tool, tried = row[7:]
    answered = winner is not None
    checked = passed = False
    usage = _Usage()
    if answered:
        final = _tried(tried)[winner]
        usage = final.usage
        checked = bool(final.verdicts)
        passed = checked and all(verdict.passed for verdict in final.verdicts)
    figures = (
        1, answered, tool != "", status >= 400 or error != "", checked, passed, flagged, fallbacks > 0, escalations > 0,
        tokens_in, tokens_out, cached, cost, usage.input, usage.output, usage.cached,
    )  # fmt: skip
    return figures, bucket(latency) if answered else None


def merged(into: dict[int, int], other: Mapping[int, int]) -> dict[int, int]:
    """Two counts of latencies as one, in place."""
    for number, count in other.items():
        into[number] = into.get(number, 0) + count
    return into
