"""The sums of a time, with the rows added that no sum has yet."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tierline.decision_log.reader import LogReader
from tierline.decision_log.sums.schema import AFTER, KEY, MOST, latencies, mark
from tierline.decision_log.sums.table import DAY, FIGURES, HOUR, MINUTE, MINUTES_KEPT, Key, Sum, summed

FINE, MIDDLING = 6 * 3600.0, 15 * 86400.0
"""Seconds of the longest time that is told by the minute, and by the hour."""

MOST_LIVE = 8000
"""Rows behind the mark that are added by the reader himself."""

_READ = f"SELECT {', '.join((*KEY, *FIGURES, 'latency'))} FROM sums WHERE span = ? AND start >= ? AND start < ?"  # noqa: S608  # names of ours
_WHOLE = f"SELECT {', '.join(f'sum({name})' for name in FIGURES)} FROM sums WHERE span = ? AND start >= ? AND start < ?"  # noqa: S608


class Summed(msgspec.Struct, frozen=True):
    """The sums of whole spans of `span` seconds from `since` (included) to `until` (not), Unix seconds; `left` rows of the log are in none
    of them yet."""

    span: int
    since: int
    until: int
    sums: Sequence[tuple[Key, Sum]]
    left: int


def read_sums(
    log: LogReader, since: float, until: float, now: float, narrowed: Mapping[str, str] | None = None, *, whole: bool = False
) -> Summed:
    """The sums of a time: by the minute where it is short and not long ago, by the hour or by the day where it is long; its ends
    are moved out to whole spans. `narrowed` takes those alone whose route, task, tier or model is the one given. `whole`: all of them as
    one, without names and latencies, which is quicker."""
    span = MINUTE if until - since <= FINE and since >= now - MINUTES_KEPT + HOUR else HOUR if until - since <= MIDDLING else DAY
    first, last = math.floor(since / span) * span, math.ceil(until / span) * span
    wanted = [(name, value) for name, value in (narrowed or {}).items() if value and name in KEY]
    terms = "".join(f" AND {name} = ?" for name, _ in wanted)
    rows = map(tuple, log.query((_WHOLE if whole else _READ) + terms, [span, first, last, *(value for _, value in wanted)]))
    if whole:
        found: list[tuple[Key, Sum]] = [((span, first, "", "", "", ""), Sum([*row], {})) for row in rows if row[0] is not None]
    else:
        found = [(row[:6], Sum([*row[6:-1]], latencies(row[-1]))) for row in rows]
    live, left = _behind(log, now)
    for key, total in live.items():
        if key[0] == span and first <= key[1] < last and all(key[KEY.index(name)] == value for name, value in wanted):
            found.append((key, total))
    return Summed(span, first, last, found, left)


def _behind(log: LogReader, now: float) -> tuple[dict[Key, Sum], int]:
    """The rows behind the mark, added up here; and how many are too many for that."""
    newest = log.newest()
    after = mark(lambda statement, *values: next(iter(log.query(statement, values)), None))
    rows: list[Sequence[Any]] = []
    while len(rows) < MOST_LIVE:
        page = [tuple(row) for row in log.query(AFTER, (after,))]
        rows += page
        if len(page) < MOST:
            return summed(rows, now - MINUTES_KEPT), 0
        after = page[-1][0]
    return summed(rows, now - MINUTES_KEPT), max(newest - after, 0)
