"""Evidence from several places: for each number the first that has enough of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

import msgspec

from tierline.evaluation.estimate.evidence import LEAST, NO_EVIDENCE, Cell, Evidence, Seen, Tally

K = TypeVar("K")
V = TypeVar("V")


def mixed(sources: Iterable[Evidence]) -> Evidence:
    """The first comes before the second, and so on: a log before a table, a table before requests. What a sheet says is kept beside
    them all."""
    found = NO_EVIDENCE
    for source in sources:
        found = source if found is NO_EVIDENCE else _over(found, source)
    return found


def _over(top: Evidence, below: Evidence) -> Evidence:
    counted = top if top.measured or not below.measured else below
    return Evidence(
        where=" + ".join(dict.fromkeys(filter(None, (top.where, below.where)))),
        since=top.since or below.since,
        until=top.until or below.until,
        per_day=top.per_day if top.per_day is not None else below.per_day,
        requests=counted.requests,
        measured=counted.measured,
        tasks=_each(top.tasks, below.tasks, lambda a, b: _seen(a, b, top.measured or not below.measured)),
        cells=_each(top.cells, below.cells, _cell),
        calls={**below.calls, **top.calls},
        sheet={**below.sheet, **top.sheet},
        named={**below.named, **top.named},
    )


def _each(top: Mapping[K, V], below: Mapping[K, V], join: Callable[[V, V], V]) -> dict[K, V]:
    both = dict.fromkeys((*top, *below))
    return {key: join(top[key], below[key]) if key in top and key in below else (top if key in top else below)[key] for key in both}


def _seen(top: Seen, below: Seen, counted: bool) -> Seen:
    shares = top if counted else below
    return msgspec.structs.replace(
        shares,
        tokens_in=_tally((top.tokens_in, below.tokens_in)),
        cached=_tally((top.cached, below.cached)),
        samples=top.samples or below.samples,
    )


def _cell(top: Cell, below: Cell) -> Cell:
    timed = top if len(top.seconds) >= LEAST or not below.seconds else below
    return Cell(
        scores=_tally((top.scores, below.scores)),
        accepted=_tally((top.accepted, below.accepted)),
        tokens_out=_tally((top.tokens_out, below.tokens_out)),
        thinking=_tally((top.thinking, below.thinking)),
        seconds=timed.seconds,
        answers=timed.answers,
    )


def _tally(tallies: Sequence[Tally]) -> Tally:
    return next((tally for tally in tallies if tally.n >= LEAST), tallies[0])
